/**
 * What tabs that share a client say to each other.
 *
 * ```text
 * all: lead                 there is a client: join                                    who leads -> all
 *      join                  here I am                                                  tab -> who leads
 *      snapshot, notice ...  what the client tells                                      who leads -> all
 *      agreed                what is given away from now on                             tab -> all
 * NAME/TAB: welcome          you are heard                                              who leads -> tab
 *      ask, unask, wake      as the worker is asked                                     tab -> who leads
 *      done, failed          the answer                                                 who leads -> tab
 * ```
 */

import type { Id, Notice } from '../border.js';
import type { ClientEvents } from '../client.js';
import type { Asked } from '../message.js';
import type { SharingView, UploadTerms } from '../sharing.js';
import type { ClientSnapshot } from '../snapshot.js';

/** What the client that runs is, and what was last seen of it. */
export interface Shown {
  /** How often whose client it is has changed in this lead. */
  readonly turn: number;
  readonly account: number;
  readonly isStored: boolean;
  readonly snapshot: ClientSnapshot | null;
  readonly sharing: SharingView;
  readonly terms: UploadTerms;
}

/** To all tabs. */
export type Shout =
  | { type: 'lead' }
  | { type: 'join'; tab: string }
  | { type: 'snapshot'; snapshot: ClientSnapshot; sharing: SharingView }
  | { type: 'notice'; notice: Notice }
  | { type: 'restarted'; code: string; message: string }
  | { type: 'agreed'; terms: UploadTerms };

/** Between one tab and who leads. */
export type Line =
  | { type: 'welcome'; leader: string; shown: Shown }
  | { type: 'ask'; id: Id; asked: Asked; turn: number }
  | { type: 'unask'; id: Id }
  | { type: 'wake' }
  | { type: 'done'; id: Id; answer: unknown }
  | { type: 'failed'; id: Id; code: string; isRefusal: boolean };

/** What a tab tells its owner, beyond what a client does. */
export interface TabEvents extends ClientEvents {
  /** What the tab that leads gives; this one gives nothing. */
  followed(sharing: SharingView): void;
  /** This tab leads no more, or does not yet. */
  rested(): void;
  /** Another tab changed what is given away. */
  agreed(terms: UploadTerms): void;
  /** What this tab gives while it leads, and on what terms. */
  given(): { sharing: SharingView; terms: UploadTerms };
}

/** What the browser has for tabs. */
export interface Between {
  readonly locks: Pick<LockManager, 'request'>;
  channel(name: string): Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>;
}

export type Channel = ReturnType<Between['channel']>;
