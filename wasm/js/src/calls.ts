/**
 * Calls that move money once: each by a key of the application, written down before anything leaves.
 *
 * ```ts
 * const call = await antiphon.once('rent-2026-12').transfer('A…', parseAmount('12.5'));
 * for await (const event of antiphon.moneyEvents()) show(event.call.key, event.call.stage);
 * ```
 *
 * Called again with the key, after a crash or a page that was closed, the client says how far it is and pays nothing.
 */

import type { Command, Token } from './border.js';

/** How far a call is: it waits for its turn; is signed and on its way; is in a block, of which kind; is in a state that all members of a
 * field have signed; or will not happen, and `code` says why. */
export type CallStage = 'asked' | 'pending' | 'included' | 'committed' | 'settled' | 'final' | 'failed';

/** A call that moves money. */
export interface Call {
  /** The application's key for it. */
  readonly key: string;
  readonly kind: 'transfer' | 'bond' | 'unbond' | 'withdraw' | 'openPool' | 'give' | 'payMember';
  /** Whom it pays, or with whom it bonds. */
  readonly to: string | null;
  /** Smallest units. */
  readonly amount: bigint | null;
  readonly stage: CallStage;
  /** Why it failed, in a stable code. */
  readonly code: string | null;
}

/** A change of a call, which stays in the queue until it is handled. */
export interface MoneyEvent {
  /** Its number, for `eventHandled()`. */
  readonly id: number;
  /** The call as it is now. */
  readonly call: Call;
}

/** What a key can stand for; each as the method of `Antiphon` of that name. */
export class Once {
  readonly #begin: (command: Command) => Promise<Call>;

  /** @internal */
  constructor(begin: (command: Command) => Promise<Call>) {
    this.#begin = begin;
  }

  transfer(to: string, amount: bigint, token: Token = 'operational'): Promise<Call> {
    return this.#begin({ kind: 'transfer', token, to, amount });
  }

  openPool(deposit: bigint): Promise<Call> {
    return this.#begin({ kind: 'openPool', deposit });
  }

  give(to: string, amount: bigint, purpose: string): Promise<Call> {
    return this.#begin({ kind: 'give', to, amount, purpose });
  }

  payMember(field: string, payee: string, amount: bigint): Promise<Call> {
    return this.#begin({ kind: 'payMember', field, payee, amount });
  }

  bond(staker: string, amount: bigint): Promise<Call> {
    return this.#begin({ kind: 'bond', staker, amount });
  }

  unbond(staker: string, amount: bigint): Promise<Call> {
    return this.#begin({ kind: 'unbond', staker, amount });
  }

  withdraw(staker: string): Promise<Call> {
    return this.#begin({ kind: 'withdraw', staker });
  }
}
