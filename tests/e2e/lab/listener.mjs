// A listener: the site in a context of its own, seen through the player's public API.

import { openPage, until } from './browser.mjs';
import { watch } from './watch.mjs';

/** @typedef {import('antiphon').Snapshot} Snapshot */
/** Names the element to the compiler. @typedef {import('antiphon/player').AntiphonPlayer} Player */

export class Listener {
  /** @param {Awaited<ReturnType<typeof openPage>>} opened */
  constructor(opened) {
    this.page = opened.page;
    this.diary = opened.diary;
    this.close = opened.close;
  }

  /** @param {import('playwright-core').Browser} browser @param {string} url @param {string} name */
  static async open(browser, url, name) {
    const listener = new Listener(await openPage(browser, url, name, watch));
    await until(`${name} has a player with a client`, () => listener.hasClient(), 20_000, () => listener.explain());
    return listener;
  }

  hasClient() {
    return this.page.evaluate(() => document.querySelector('antiphon-player')?.antiphon != null);
  }

  /** Lets playback aim so many seconds behind the newest segment; before it is played. @param {number} seconds */
  async aim(seconds) {
    await this.page.evaluate((behind) => document.querySelector('antiphon-player')?.setAttribute('behind', String(behind)), seconds);
    await until(`${this.diary.name} has a client again`, () => this.hasClient(), 20_000, () => this.explain());
  }

  /** Presses play, as a person would. */
  async play() {
    await this.page.evaluate(() => document.querySelector('antiphon-player')?.play());
    await until(`${this.diary.name} hears something`, async () => (await this.position()) > 0, 20_000, () => this.explain());
  }

  /** @returns {Promise<Snapshot>} */
  snapshot() {
    return this.page.evaluate(() => {
      const player = document.querySelector('antiphon-player');
      if (player === null) throw new Error('no player');
      return player.snapshot();
    });
  }

  /** Seconds of the stream that were reached. */
  position() {
    return this.page.evaluate(() => document.querySelector('antiphon-player')?.media?.currentTime ?? 0);
  }

  /** How often the sound stopped after it began. @returns {Promise<number>} */
  stalls() {
    return this.page.evaluate(() => Reflect.get(globalThis, 'stalls').length);
  }

  /** The longest that the page was kept from running since this was last asked, in milliseconds. @returns {Promise<number>} */
  gap() {
    return this.page.evaluate(() => {
      const { longest } = Reflect.get(globalThis, 'gap');
      Reflect.get(globalThis, 'gap').longest = 0;
      return longest;
    });
  }

  /** What the page tells a person. @param {string} id */
  said(id) {
    return this.page.getByTestId(id).innerText();
  }

  /**
   * Waits for the snapshot to satisfy a condition; where it does not, tells how this one and the `others` stand.
   * @param {string} what @param {(snapshot: Snapshot) => boolean} condition @param {number} [patienceMs] @param {Listener[]} [others]
   */
  async sees(what, condition, patienceMs = 20_000, others = []) {
    let last = await this.snapshot();
    await until(`${this.diary.name}: ${what}`, async () => {
      last = await this.snapshot();
      return condition(last);
    }, patienceMs, async () => {
      const beside = await Promise.all(others.map(async (other) => `${other.diary.name}: ${show(await other.snapshot())}\n${other.explain()}`));
      return [`${show(last)}\n${this.explain()}`, ...beside].join('\n');
    });
    return last;
  }

  /** Asks the faucet and opens a pool, through the page's own buttons. @param {string} deposit */
  async fund(deposit = '1') {
    await this.sees('the chain is verified', (snapshot) => snapshot.chain.final > 0 || snapshot.chain.settled > 0, 30_000);
    await this.page.getByTestId('faucet').click();
    await this.sees('the balance is proven', (snapshot) => (snapshot.wallet.account?.balance.value ?? 0n) > 0n, 60_000);
    await this.page.getByTestId('deposit').fill(deposit);
    await this.page.getByTestId('open-pool').click();
    await this.sees('the pool is proven', (snapshot) => snapshot.wallet.pool?.deposit != null, 30_000);
  }

  explain() {
    return this.diary.tail();
  }

  /** How the player stood each time that the sound stopped, and what the page said of late. */
  async silence() {
    const stalls = await this.page.evaluate(() => /** @type {string[]} */ (Reflect.get(globalThis, 'stalls')));
    return [...stalls, this.explain()].join('\n');
  }
}

/** A snapshot as text. @param {Snapshot} snapshot */
export function show(snapshot) {
  return JSON.stringify(snapshot, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
}
