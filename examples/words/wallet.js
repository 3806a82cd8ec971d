// A wallet that is told one line and answers with one: the same as in Rust, Python, Kotlin and Swift (`mobile/`). In a page and in Node.

import { AntiphonError, connect, formatAmount, readAmount } from 'antiphon';
import { Words } from 'antiphon/words';

const STAGES = ['asked', 'pending', 'included', 'committed', 'settled', 'final'];
const pause = () => new Promise((resolve) => setTimeout(resolve, 100));

/** Keeps secrets where the origin can read them. A device has something better. */
export class PageStore {
  get(name) {
    const kept = localStorage.getItem(`secret/${name}`);
    return kept === null ? null : new TextEncoder().encode(kept);
  }

  put(name, secret) {
    localStorage.setItem(`secret/${name}`, new TextDecoder().decode(secret));
  }

  delete(name) {
    localStorage.removeItem(`secret/${name}`);
  }
}

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

  async answer(line) {
    const [name, ...words] = line.split(' ');
    try {
      return await this[name](...words);
    } catch (error) {
      if (error instanceof AntiphonError) return `error ${error.code}`;
      throw error;
    }
  }

  /** What was not opened is as good as closed. */
  get #client() {
    if (this.#open === null) throw new AntiphonError('client/closed');
    return this.#open;
  }

  async create() {
    return this.#keep(await Words.generate(this.#modules));
  }

  async restore(...words) {
    return this.#keep(await Words.restore(words.join(' '), this.#modules));
  }

  async #keep(words) {
    await words.save(this.#store, 'main');
    return `address ${words.account().address}`;
  }

  async open() {
    const account = (await Words.load(this.#store, 'main', this.#modules)).account();
    this.#open = await connect({ ...this.#options, account });
    await this.#until(({ wallet }) => wallet.account);
    return 'open';
  }

  async #until(ready) {
    for (;;) {
      const found = ready(this.#client.snapshot());
      if (found) return found;
      await pause();
    }
  }

  async faucet() {
    await this.#client.askFaucet();
    return `balance ${formatAmount(await this.#until(({ wallet }) => wallet.account?.balance.value))}`;
  }

  async balance() {
    const address = await this.#until(({ wallet }) => wallet.address);
    return `final ${formatAmount((await this.#client.findAccount(address, 'final')).operational)}`;
  }

  async send(key, to, amount) {
    return `call ${(await this.#client.once(key).transfer(to, readAmount(amount))).key}`;
  }

  /** Gives up at once; the call itself goes on. */
  async cancel(key, to, amount) {
    const given = new AbortController();
    const call = this.#client.once(key, { signal: given.signal }).transfer(to, readAmount(amount));
    given.abort();
    await call.catch(() => {});
    return 'cancelled';
  }

  async wait(key, stage) {
    for (;;) {
      const call = await this.#client.call(key);
      if (call.code !== null) return `${key} failed ${call.code}`;
      if (STAGES.indexOf(call.stage) >= STAGES.indexOf(stage)) return `${key} ${stage}`;
      await pause();
    }
  }

  async events(key) {
    for await (const { call } of this.#client.moneyEvents()) {
      if (call.key === key && call.stage === 'final') break;
    }
    return `told ${key} final`;
  }

  async give(key, to, amount, purpose) {
    return `call ${(await this.#client.once(key).give(to, readAmount(amount), purpose)).key}`;
  }

  async gift(stage) {
    // Who looks late sees a later stage: what is settled was sure before.
    const reached = stage === 'sure' ? ['sure', 'settled', 'final'] : [stage];
    const gift = await this.#until(({ gifts }) => gifts.find((one) => reached.includes(one.stage)));
    return `gift ${formatAmount(gift.amount)} ${gift.purpose}`;
  }

  async listen(url) {
    this.#tune(url, 0);
    return `stream ${(await this.#until(({ stream, delivery }) => delivery.cached > 0 && stream)).name}`;
  }

  /** Wants each segment once, as a player would; what does not come is nobody's loss here. */
  async #tune(url, from) {
    const { signal } = new AbortController();
    let next = from;
    try {
      const text = await (await fetch(url)).text();
      await this.#client.playlist(url, text, { signal });
      const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
      const end = first + (text.match(/#EXTINF:/g) ?? []).length;
      for (next = Math.max(from, first); next < end; next += 1) this.#client.segment(next, { bufferedMs: 6_000, signal }).catch(() => {});
    } catch {
      // Another time it may load.
    }
    setTimeout(() => this.#tune(url, next), 1_000);
  }

  async pool(key, deposit) {
    return `call ${(await this.#client.once(key).openPool(readAmount(deposit))).key}`;
  }

  async earn() {
    await this.#until(({ wallet }) => wallet.vouchersIn);
    await this.#client.settle();
    await this.#until(({ wallet }) => wallet.settlements.some(({ level }) => level !== null));
    return 'earned';
  }

  async room(name) {
    await this.#client.enterRoom(name);
    return `around ${await this.#until(({ around }) => around.length)}`;
  }

  async propose(deposit) {
    await this.#client.proposeField(this.#client.snapshot().around.map(({ peer }) => peer), readAmount(deposit));
    return 'proposed';
  }

  #field(phase) {
    return this.#until(({ fields }) => fields.find((field) => field.phase === phase));
  }

  async accept() {
    await this.#client.acceptField((await this.#field('invited')).field);
    return 'accepted';
  }

  async pay(key, amount) {
    const { field, members } = await this.#field('open');
    const me = this.#client.snapshot().wallet.address;
    const other = members.find(({ address }) => address !== me).address;
    return `call ${(await this.#client.once(key).payMember(field, other, readAmount(amount))).key}`;
  }

  async suspend() {
    await this.#client.suspend();
    return 'suspended';
  }

  async resume() {
    await this.#client.resume();
    return 'resumed';
  }

  async release() {
    await this.#client.release();
    return 'released';
  }

  async close() {
    await this.#client.close();
    return 'closed';
  }

  /** Says goodbye. */
  async end() {
    await this.#open?.close();
  }
}
