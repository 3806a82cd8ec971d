/** Many payments, as fast as the field takes them. */

import { AntiphonError, type Antiphon } from 'antiphon';

/** Payments that are given to the client before it is waited for. */
const BATCH = 50;
/** Time that a full field is given before it is asked again. */
const REST_MS = 100;
/** Refusals that pass: the field is not final yet, a round is not through. */
const PASSING = new Set(['member/not-proven', 'member/too-much-in-flight']);

/** Pays the members of one field again and again. */
export class Burst {
  readonly #field: string;
  #isRunning = false;

  constructor(field: string) {
    this.#field = field;
  }

  /** Whether it pays now. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Pays each payee so many times. Rejects with what stopped it; what was paid before stays paid. */
  async run(antiphon: Antiphon, payees: readonly string[], amount: bigint, times: number): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    const stop = new AbortController();
    let open: Promise<void>[] = [];
    try {
      for (let turn = 0; turn < times; turn++) {
        for (const payee of payees) open.push(this.#pay(antiphon, payee, amount, stop.signal));
        if (open.length < BATCH) continue;
        await Promise.all(open);
        open = [];
      }
      await Promise.all(open);
    } finally {
      // One that failed ends the others before another burst may begin.
      stop.abort();
      await Promise.allSettled(open);
      this.#isRunning = false;
    }
  }

  async #pay(antiphon: Antiphon, payee: string, amount: bigint, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        return await antiphon.payMember(this.#field, payee, amount);
      } catch (error) {
        if (!(error instanceof AntiphonError) || !PASSING.has(error.code)) throw error;
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    }
  }
}
