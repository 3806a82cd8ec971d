/** Payment fields and the room, as an application sees them. Mirrors `core/src/client/snapshot.rs`. */

import type { Proven } from './found.js';
import type { Level } from './snapshot.js';

/** Somebody with whom a field can be shared. */
export interface Around {
  /** Its key in hexadecimal. */
  readonly peer: string;
  readonly address: string;
  /** Whether there is a data channel; otherwise the tracker relays. */
  readonly isLinked: boolean;
}

/**
 * Where a field is in its life: one is `invited`, has signed and is `joining`, members pay each other while it is `open`; a round
 * was annulled and it is `halted`; the chain is about to enforce a state, it is `closing`; everybody was paid, it is `closed`; or others go on with it, and this one has `left`.
 */
export type FieldPhase = 'invited' | 'joining' | 'open' | 'halted' | 'closing' | 'closed' | 'left';

/** How far a payment has come. Only what is `committed` is money. */
export type PaymentStanding = 'pending' | 'sequenced' | 'committed' | 'void';

/** A member. */
export interface FieldMember {
  readonly address: string;
  /** What it locks. */
  readonly deposit: bigint;
  /** What it has in the newest state that all have signed. */
  readonly balance: bigint;
  /** Whether it has signed the terms, or the running round, as far as is known here. */
  readonly hasSigned: boolean;
}

/** A payment. */
export interface FieldPayment {
  readonly payer: string;
  readonly payee: string;
  readonly amount: bigint;
  readonly standing: PaymentStanding;
  readonly round: number;
  /** Its place in the round, once the leader has given it one. */
  readonly index: number | null;
}

/** The next version of a field: who takes part in it, and with what. */
export interface FieldAmendment {
  readonly members: readonly { readonly address: string; readonly balance: bigint }[];
  /** Last block that may begin it. */
  readonly until: number;
  /** Whether this client has signed it. Payments wait until it is decided. */
  readonly isSigned: boolean;
}

/** A payment field. */
export interface FieldView {
  /** Its id in hexadecimal. */
  readonly field: string;
  readonly phase: FieldPhase;
  readonly isLeader: boolean;
  /** Who orders payments. */
  readonly leader: string;
  readonly members: readonly FieldMember[];
  readonly version: number;
  /** The newest round that all have signed. */
  readonly round: number;
  /** Committed payments of all members. */
  readonly committed: number;
  /** `checking` and `signed`: the round is closed, and payments wait for the next. `refused`: it breaks the leader's own word. */
  readonly step: 'running' | 'checking' | 'refused' | 'signed';
  /** The newest payments of this client and to it, oldest first. */
  readonly payments: readonly FieldPayment[];
  /** Last block in which something can be done about a close or a challenge. */
  readonly deadline: number | null;
  /** The next version that its leader has proposed; `acceptField()` signs it. */
  readonly amendment: FieldAmendment | null;
  /** Why nothing is signed here any more, in one stable code. */
  readonly freeze: string | null;
  /** The newest round that the watch-tower says it has, of this very field and version; `null` before, and without a tower. */
  readonly watched: number | null;
  /** The newest block that proved it; `null` until one did. */
  readonly proven: { readonly level: Level; readonly height: number; readonly root: string; readonly how: 'state-proof' } | null;
}

/** What a file about a payment shows, under a block of the chain that this client follows. */
export interface Exhibit {
  /** The block that closed the field, and how far it is believed. */
  readonly proven: Proven;
  readonly field: string;
  readonly round: number;
  readonly paid: { readonly payer: string; readonly payee: string; readonly amount: bigint };
  /** The file: `antiphon evidence check` reads it. */
  readonly file: Uint8Array;
}
