/**
 * The accounts of this browser, with what the chain is proven to hold for them.
 *
 * The client that plays is the wallet's: it has one account at a time, and what it earns is there. This view asks it, keeps names and what was
 * found of the past in `localStorage`, and no secret anywhere.
 */

import type { Antiphon, Snapshot, WalletInfo } from 'antiphon';
import { h } from './explorer/node.js';
import { short } from './format.js';
import { byId, fill, say } from './page.js';
import { Balance } from './wallet/balance.js';
import { History } from './wallet/history.js';
import { Keeping } from './wallet/keeping.js';
import { People } from './wallet/people.js';
import { Sending } from './wallet/sending.js';
import { Words } from './wallet/words.js';
import { reason } from './words.js';

/** How often the client is told that somebody looks, which it takes for half a minute. */
const AGAIN_MS = 5_000;

/** Shows the wallet of a client. */
export class Wallet {
  readonly #client: () => Antiphon | null;
  readonly #accounts = byId<HTMLSelectElement>('wallet-account');
  readonly #people = new People(() => this.#client());
  readonly #history: History;
  readonly #balance: Balance;
  readonly #sending: Sending;
  readonly #words: Words;
  readonly #keeping: Keeping;
  #info: WalletInfo | null = null;
  #isAsking = false;

  constructor(client: () => Antiphon | null) {
    this.#client = client;
    const tell = (text: string): void => say(byId('wallet-said'), text);
    this.#balance = new Balance(client, tell);
    this.#sending = new Sending(client, this.#people);
    this.#words = new Words(client, () => this.open());
    this.#keeping = new Keeping(client, this.#people);
    this.#history = new History(client, this.#people, tell);
    byId('wallet-left').append(this.#balance.element, this.#sending.element, this.#history.element);
    byId('wallet-right').append(this.#words.element, this.#people.element, this.#keeping.element);
    this.#accounts.addEventListener('change', () => void this.#use(Number(this.#accounts.value)));
    this.open();
    setInterval(() => this.#watch(), AGAIN_MS);
  }

  /** Asks anew which wallet it is: another one may have been opened. */
  open(): void {
    this.#info = null;
    void this.#ask();
  }

  /** Shows what the client says. */
  update(snapshot: Snapshot): void {
    if (byId('wallet').hidden) return;
    if (this.#info === null) void this.#ask();
    this.#balance.update(snapshot);
    this.#sending.update(snapshot);
    this.#keeping.update(snapshot);
    this.#words.update(snapshot);
    this.#history.update(snapshot);
  }

  /** While somebody looks, heads follow the chain block by block: what others send is seen at once. */
  #watch(): void {
    if (!byId('wallet').hidden) this.#client()?.follow().catch(() => {}); // It is asked again.
  }

  async #ask(): Promise<void> {
    const client = this.#client();
    if (client === null || this.#isAsking) return;
    this.#isAsking = true;
    try {
      const info = await client.wallet();
      this.#info = info;
      this.#show(info, client.isStored);
    } catch {
      // The client was just replaced; the next look asks the one that runs.
    } finally {
      this.#isAsking = false;
    }
  }

  #show(info: WalletInfo, isStored: boolean): void {
    const { account, addresses } = info;
    fill(this.#accounts, `${account}|${addresses.join()}`, () => addresses.map((address, index) => {
      const isNew = index === addresses.length - 1 && index !== account;
      const option = h('option', { value: index }, `${index + 1} · ${this.#people.nameOf(address) ?? short(address, 7)}${isNew ? ' (new)' : ''}`);
      option.selected = index === account;
      return option;
    }));
    this.#accounts.disabled = !isStored;
    say(byId('wallet-title'), `Account ${account + 1}`);
    say(byId('wallet-lead'), isStored
      ? 'Its key comes from your twelve words, lies in this browser and never leaves the worker.'
      : 'This browser keeps nothing: the account is gone when the page closes.');
    this.#words.show(info, isStored);
  }

  async #use(account: number): Promise<void> {
    const client = this.#client();
    if (client === null) return;
    say(byId('wallet-said'), `Opening account ${account + 1}…`);
    try {
      await client.useAccount(account);
      say(byId('wallet-said'), `This is account ${account + 1} now, here and in the player.`);
    } catch (error) {
      say(byId('wallet-said'), reason(error));
    }
    this.open();
  }
}
