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

/** What came without a call: a pool paid what it had promised; a gift, of `payer` or `to` somebody, is sure; a field was closed or left; somebody sent tokens. */
export type ComingKind = 'poolPaid' | 'gift' | 'fieldPaid' | 'received';

/** A call that moves money, or, in a `MoneyEvent`, what came without one. */
export interface Call {
  /** The application's key for it; of what came without a call, a longer one that names it, the same each time. */
  readonly key: string;
  readonly kind: 'transfer' | 'bond' | 'unbond' | 'withdraw' | 'openPool' | 'give' | 'payMember' | ComingKind;
  /** Who pays, of a gift and of what somebody sent. */
  readonly payer: string | null;
  /** Whom it pays, or with whom it bonds. */
  readonly to: string | null;
  /** Smallest units. */
  readonly amount: bigint | null;
  /** Of which token. */
  readonly token: Token;
  readonly stage: CallStage;
  /** Why it failed, in a stable code. */
  readonly code: string | null;
}

/** A change of a call, or of what came without one, which stays in the queue until it is handled. */
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
