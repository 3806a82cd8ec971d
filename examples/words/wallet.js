// Words that are kept, the client of their account, and money that moves once.

import { AntiphonError, connect, readAmount } from 'antiphon';
import { Words } from 'antiphon/words';

const STAGES = ['asked', 'pending', 'included', 'committed', 'settled', 'final'];
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

export class Wallet {
  #options;
  #store;
  #modules;
  #open = null;

  /** `options` are those of `connect()`; `modules` those of `antiphon/words`. */
  constructor(options, store, modules = {}) {
    this.#options = options;
    this.#store = store;
    this.#modules = modules;
  }

  /** What was not opened is as good as closed. */
  get client() {
    if (this.#open === null) throw new AntiphonError('client/closed');
    return this.#open;
  }

  /** Makes words, keeps them, and returns the address of their first account. */
  async create() {
    return this.#keep(await Words.generate(this.#modules));
  }

  async restore(text) {
    return this.#keep(await Words.restore(text, this.#modules));
  }

  async #keep(words) {
    await words.save(this.#store, 'main');
    return words.account().address;
  }

  /** Starts a client of the account, and waits for what the chain proves of it. */
  async open() {
    const account = (await Words.load(this.#store, 'main', this.#modules)).account();
    this.#open = await connect({ ...this.#options, account });
    await until(this.#open, ({ wallet }) => wallet.account);
  }

  async end() {
    await this.#open?.close();
  }
}

/** Waits for something in what a client shows. */
export async function until(client, ready) {
  for (;;) {
    const found = ready(client.snapshot());
    if (found) return found;
    await pause();
  }
}

/** Asks for play money, and returns what there is then. */
export async function receive(client) {
  await client.askFaucet();
  return until(client, ({ wallet }) => wallet.account?.balance.value);
}

export async function finalBalance(client) {
  const address = await until(client, ({ wallet }) => wallet.address);
  return (await client.findAccount(address, 'final')).operational;
}

/** Pays once, however often it is called with this key. */
export function send(client, key, to, amount) {
  return client.once(key).transfer(to, readAmount(amount));
}

/** Gives up at once; the call itself goes on. */
export async function giveUp(client, key, to, amount) {
  const given = new AbortController();
  const call = client.once(key, { signal: given.signal }).transfer(to, readAmount(amount));
  given.abort();
  await call.catch(() => {});
}

/** Waits until a call is so far, and returns null, or the code of what it failed with. */
export async function reach(client, key, stage) {
  for (;;) {
    const call = await client.call(key);
    if (call.code !== null) return call.code;
    if (STAGES.indexOf(call.stage) >= STAGES.indexOf(stage)) return null;
    await pause();
  }
}

/** Reads what becomes of calls until this one is final. */
export async function hearOf(client, key) {
  for await (const { call } of client.moneyEvents()) {
    if (call.key === key && call.stage === 'final') return;
  }
}

/** Waits until the chain shows that somebody has sent something, and returns how much. */
export async function came(client, from) {
  for await (const { call } of client.moneyEvents()) {
    if (call.kind === 'received' && call.payer === from) return call.amount;
  }
}

/** Waits for a gift that is so far. */
export function giftAt(client, stage) {
  // Who looks late sees a later stage: what is settled was sure before.
  const reached = stage === 'sure' ? ['sure', 'settled', 'final'] : [stage];
  return until(client, ({ gifts }) => gifts.find((one) => reached.includes(one.stage)));
}
