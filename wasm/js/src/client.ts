/** What the facade asks of a client, whether its worker is this page's own or another tab's. */

import type { Command, Notice, PaymentAt, Question } from './border.js';
import type { Call, MoneyEvent } from './calls.js';
import type { AntiphonError } from './error.js';
import type { Exhibit } from './field.js';
import type { Found } from './found.js';
import type { Asked } from './message.js';
import type { UploadTerms } from './sharing.js';
import { isChange, type WalletAct, type WalletAnswer } from './wallet.js';
import type { ClientSnapshot } from './snapshot.js';

/** Longest part that a publisher can sign: `MAX_SEGMENT` of `core/src/delivery/chunk.rs`. */
const MAX_PART_BYTES = 16 << 20;

/** What a client tells its owner. */
export interface ClientEvents {
  ready(account: number, isStored: boolean): void;
  snapshot(snapshot: ClientSnapshot): void;
  notice(notice: Notice): void;
  restarted(code: string, message: string): void;
  /** The client stays down; HTTP goes on. */
  fatal(error: AntiphonError): void;
}

/** Something that answers. */
export abstract class Client {
  /** Whether there is something to ask. */
  abstract get isUp(): boolean;
  /** Tells the client that the page woke up or the network came back. */
  abstract wake(): void;
  /** Says goodbye and ends it; in haste it just ends. */
  abstract close(isHasty?: boolean): Promise<void>;
  /** Resolves with the answer, of the kind that belongs to what is asked; rejects with the client's code, or with `client/aborted`. */
  abstract ask(asked: Asked, signal?: AbortSignal): Promise<unknown>;

  /** Says goodbye, and does nothing more until it is resumed. */
  abstract suspend(): Promise<void>;
  /** Goes on where it was suspended; rejects with `client/closed`. */
  abstract resume(): Promise<void>;

  /** Whether it runs in this tab. */
  get leads(): boolean {
    return true;
  }

  /** The page is about to be frozen: who can do nothing must not lead others. It wakes up by `wake()`. */
  rest(): void {}

  /** Tells all tabs that share it what is given away from now on. */
  agree(_terms: UploadTerms): void {}

  /** Resolves when the client has accepted the command; rejects with the client's code. A signal ends the waiting, not the command. */
  async command(command: Command, signal?: AbortSignal): Promise<void> {
    await this.ask({ type: 'command', command }, signal);
  }

  /** Does this once by this key; resolves with how far it is. */
  async begin(key: string, command: Command, signal?: AbortSignal): Promise<Call> {
    return (await this.ask({ type: 'begin', key, command }, signal)) as Call;
  }

  /** Resolves with how far a call is. */
  async call(key: string, signal?: AbortSignal): Promise<Call> {
    return (await this.ask({ type: 'call', key }, signal)) as Call;
  }

  /** Resolves with every call that is remembered. */
  async calls(signal?: AbortSignal): Promise<readonly Call[]> {
    return (await this.ask({ type: 'calls' }, signal)) as readonly Call[];
  }

  /** Resolves with the oldest change of a call that is not handled. */
  async nextEvent(signal?: AbortSignal): Promise<MoneyEvent> {
    return (await this.ask({ type: 'nextEvent' }, signal)) as MoneyEvent;
  }

  /** Resolves when it is durable that a change was handled. */
  async eventHandled(event: number, signal?: AbortSignal): Promise<void> {
    await this.ask({ type: 'handled', event }, signal);
  }

  /** Resolves with a verified segment. */
  async segment(sequence: number, bufferedMs: number, signal: AbortSignal): Promise<ArrayBuffer> {
    return (await this.ask({ type: 'want', sequence, bufferedMs }, signal)) as ArrayBuffer;
  }

  /** Resolves with the same bytes if the publisher signed them; rejects with a refusal if it did not. */
  async check(sequence: number | null, bytes: ArrayBuffer, signal: AbortSignal): Promise<ArrayBuffer> {
    // One byte more than can be signed is enough to be refused; all of it could make the client run out of memory.
    const body = bytes.byteLength > MAX_PART_BYTES ? bytes.slice(0, MAX_PART_BYTES + 1) : bytes;
    return (await this.ask({ type: 'check', sequence, body }, signal)) as ArrayBuffer;
  }

  /** Resolves with what is proven; rejects with the code that says why it is not. */
  async lookUp(question: Question, signal?: AbortSignal): Promise<Found> {
    return (await this.ask({ type: 'lookUp', question }, signal)) as Found;
  }

  /** Resolves with a file that shows one payment. */
  async prove(payment: PaymentAt, signal?: AbortSignal): Promise<Exhibit> {
    return (await this.ask({ type: 'prove', payment }, signal)) as Exhibit;
  }

  /** Resolves with the newest sealed state of a field as a file. */
  async evidence(field: string, signal?: AbortSignal): Promise<ArrayBuffer> {
    return (await this.ask({ type: 'evidence', field }, signal)) as ArrayBuffer;
  }

  /** Resolves with the key, what it signed for this page's origin, and the signature. */
  async signIn(nonce: string, expires: number, signal?: AbortSignal): Promise<ArrayBuffer> {
    return (await this.ask({ type: 'signIn', nonce, expires }, signal)) as ArrayBuffer;
  }

  /** Resolves with what the wallet of this browser answers. */
  async wallet(act: WalletAct, signal?: AbortSignal): Promise<WalletAnswer> {
    return (await this.ask({ type: 'wallet', act }, signal)) as WalletAnswer;
  }

  /** Resolves with the file that proves a split of the chain. */
  async forkProof(signal?: AbortSignal): Promise<ArrayBuffer> {
    return (await this.ask({ type: 'forkProof' }, signal)) as ArrayBuffer;
  }

  /** Resolves if the player may follow this playlist; rejects with a refusal if it must not. */
  async playlist(url: string, text: string, signal: AbortSignal): Promise<void> {
    await this.ask({ type: 'playlist', url, text }, signal);
  }
}

/** Whether it may be asked once more when nobody knows if it was done: only where doing it twice is doing it once. */
export function isRepeatable(asked: Asked): boolean {
  if (asked.type === 'wallet') return !isChange(asked.act);
  return asked.type !== 'command' || REPEATABLE.has(asked.command.kind);
}

/** Whether another account would answer something else, or pay: what is not, any worker may be asked. */
export function isOfAccount(asked: Asked): boolean {
  if (asked.type === 'lookUp') return asked.question.question === 'ownPools';
  return asked.type === 'command' ? !isRepeatable(asked) : !ANYBODYS.has(asked.type);
}

const ANYBODYS: ReadonlySet<Asked['type']> = new Set(['playlist', 'want', 'check', 'forkProof']);
const REPEATABLE: ReadonlySet<Command['kind']> = new Set(['follow', 'setUpload', 'enterRoom', 'leaveRoom']);
