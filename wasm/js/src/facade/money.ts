/** What moves money: once by a key, or by a command that is watched. */

import type { Token } from '../border.js';
import { Once, type Call, type MoneyEvent } from '../calls.js';
import { ChainCalls } from './chain.js';
import { mustFit } from './check.js';
import type { Abortable } from './options.js';

/** Longest purpose of a gift, in bytes. Source: `payment::reservation`. */
const MAX_PURPOSE = 32;

/**
 * A client, as a wallet sees it. Who gives up by `signal` stops waiting; what was sent is carried out all the same. Whether it was
 * is told of a call by its key, and of a command by what the snapshot shows.
 */
export abstract class MoneyCalls extends ChainCalls {
  /**
   * What moves money once by this key: any text of at most 64 bytes that stands for one thing wanted once. Each resolves with how far it
   * is; called again with the key, it pays nothing. Rejects with the client's code, and then nothing was done and the key is free, or
   * with `call/key-reused`. Who gives up by `signal` stops waiting, not the call: `call(key)` says how far it is.
   */
  once(key: string, options?: Abortable): Once {
    return new Once(async (command) => {
      if (command.kind === 'give') mustFit('purpose', command.purpose, MAX_PURPOSE);
      return this.client.begin(key, command, options?.signal);
    });
  }

  /** How far a call is. Rejects with `call/unknown-key`. */
  call(key: string, options?: Abortable): Promise<Call> {
    return this.client.call(key, options?.signal);
  }

  /** Every call that is remembered, the one that changed last at the end. */
  calls(options?: Abortable): Promise<readonly Call[]> {
    return this.client.calls(options?.signal);
  }

  /**
   * The oldest change that is not handled yet: of a call, or of what came without one. It is told again, to a page that is opened later too, until `eventHandled()` has
   * been called with its number; of a call that moves on meanwhile only the newest change is.
   */
  nextEvent(options?: Abortable): Promise<MoneyEvent> {
    return this.client.nextEvent(options?.signal);
  }

  /** Says that a change was handled, durably. */
  eventHandled(id: number, options?: Abortable): Promise<void> {
    return this.client.eventHandled(id, options?.signal);
  }

  /** Yields each change, and says that it was handled when the next one is asked for. */
  async *moneyEvents(options?: Abortable): AsyncGenerator<MoneyEvent, void, undefined> {
    for (;;) {
      const event = await this.nextEvent(options);
      yield event;
      await this.eventHandled(event.id);
    }
  }

  /** Locks `deposit` smallest units on chain to pay for this stream. Resolves when the transaction is on its way. */
  openPool(deposit: bigint, options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'openPool', deposit }, options?.signal);
  }

  /** Sends the best voucher of every pool to the chain. Watch `snapshot().wallet.settlements`. */
  settle(options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'settle' }, options?.signal);
  }

  /** Takes back what is left in pools that have ended. */
  release(options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'release' }, options?.signal);
  }

  /** Asks the faucet of a development chain for tokens. */
  askFaucet(options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'askFaucet' }, options?.signal);
  }

  /** Sends `amount` smallest units to an address. Given up by `signal`, it may have been sent: `snapshot().wallet.sent` says so. By `once(key)` it can be asked again. */
  transfer(to: string, amount: bigint, token: Token = 'operational', options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'transfer', token, to, amount }, options?.signal);
  }

  /** Bonds `amount` smallest units of the staking token with a staker. */
  bond(staker: string, amount: bigint, options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'bond', staker, amount }, options?.signal);
  }

  /** Lets a part of a bond leave; it can be withdrawn after `snapshot().chain.spec.unbonding` blocks. */
  unbond(staker: string, amount: bigint, options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'unbond', staker, amount }, options?.signal);
  }

  /** Takes what has left a bond, and the rewards that wait. */
  withdraw(staker: string, options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'withdraw', staker }, options?.signal);
  }

  /**
   * Reserves `amount` on the chain for one payee alone, for a purpose of at most 32 bytes. The payee is sure of it at once, if it is
   * around; otherwise it waits, and comes back when its period is over. Watch `snapshot().gifts`.
   */
  async give(to: string, amount: bigint, purpose: string, options?: Abortable): Promise<void> {
    mustFit('purpose', purpose, MAX_PURPOSE);
    return this.client.command({ kind: 'give', to, amount, purpose }, options?.signal);
  }
}
