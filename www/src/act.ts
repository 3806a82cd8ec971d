/** The buttons of the purse. */

import { formatAmount, parseAmount, type Antiphon, type Snapshot } from 'antiphon';
import { byId, say } from './page.js';
import { reason, words } from './words.js';

/** Wires the buttons to whatever client the player has at the time. */
export class Acts {
  readonly #client: () => Antiphon | null;
  readonly #said = byId('said');
  readonly #deposit = byId<HTMLInputElement>('deposit');
  readonly #openPool = byId<HTMLButtonElement>('open-pool');
  readonly #settle = byId<HTMLButtonElement>('settle');
  readonly #faucet = byId<HTMLButtonElement>('faucet');
  #isBusy = false;
  /** What was asked for and not proven yet: once it is, the page stops saying that it is on its way. */
  #opening: { before: string | null } | null = null;

  constructor(client: () => Antiphon | null) {
    this.#client = client;
    this.#faucet.addEventListener('click', () => this.#act('Asked the faucet.', (antiphon) => antiphon.askFaucet()));
    this.#settle.addEventListener('click', () => this.#act('Vouchers sent to the chain.', (antiphon) => antiphon.settle()));
    this.#openPool.addEventListener('click', () => {
      const deposit = parseAmount(this.#deposit.value.trim());
      if (deposit === null) say(this.#said, words('amount/not-decimal'));
      else {
        this.#act(`Opening a pool of ${formatAmount(deposit)}.`, async (antiphon) => {
          const { pool } = antiphon.snapshot().wallet;
          await antiphon.openPool(deposit);
          this.#opening = { before: pool?.pool ?? null };
        });
      }
    });
    this.#deposit.addEventListener('input', () => this.#showDeposit());
    byId('copy').addEventListener('click', () => void this.#copy());
    this.#showDeposit();
  }

  /** Enables what makes sense now. */
  update(snapshot: Snapshot): void {
    const { wallet, stream } = snapshot;
    const isReady = this.#client() !== null && !this.#isBusy;
    this.#faucet.disabled = !isReady;
    this.#openPool.disabled = !isReady || wallet.account === null || stream === null;
    this.#settle.disabled = !isReady || wallet.vouchersIn === 0n;
    const sum = this.#settle.querySelector('b');
    if (sum !== null) say(sum, formatAmount(wallet.vouchersIn));
    this.#tellOpened(snapshot);
  }

  /** Says that the pool is open once that is proven, or why it will not be. */
  #tellOpened({ wallet: { pool } }: Snapshot): void {
    if (this.#opening === null || pool === null || pool.pool === this.#opening.before) return;
    if (pool.refusal !== null) say(this.#said, words(pool.refusal));
    else if (pool.deposit !== null) say(this.#said, `The pool of ${formatAmount(pool.deposit.value)} is open.`);
    else return;
    this.#opening = null;
  }

  #showDeposit(): void {
    const deposit = parseAmount(this.#deposit.value.trim());
    this.#deposit.setAttribute('aria-invalid', String(deposit === null));
    const sum = this.#openPool.querySelector('b');
    if (sum !== null) say(sum, deposit === null ? '?' : formatAmount(deposit));
  }

  #act(done: string, command: (antiphon: Antiphon) => Promise<void>): void {
    const antiphon = this.#client();
    if (antiphon === null || this.#isBusy) return;
    this.#isBusy = true;
    command(antiphon)
      .then(() => say(this.#said, done))
      .catch((error: unknown) => say(this.#said, reason(error)))
      .finally(() => {
        this.#isBusy = false;
        this.update(antiphon.snapshot());
      });
  }

  async #copy(): Promise<void> {
    const address = this.#client()?.snapshot().wallet.address;
    if (!address) return;
    try {
      await navigator.clipboard.writeText(address);
      say(this.#said, 'Address copied.');
    } catch {
      say(this.#said, 'This browser does not let us copy; select the address instead.');
    }
  }
}
