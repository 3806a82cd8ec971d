// A listener: the site in a context of its own, seen through the player's public API.

import { openPage, until } from './browser.mjs';

/** @typedef {import('antiphon').Snapshot} Snapshot */
/** Names the element to the compiler. @typedef {import('antiphon/player').AntiphonPlayer} Player */

/** Notes each time that sound stops after it began, with what the player held then, and how long the page was kept from running; from before its own scripts run. */
export function watch() {
  /** Moments of the trail that is kept: two seconds. */
  const KEPT = 40;
  const stalls = /** @type {string[]} */ ([]);
  const trail = /** @type {string[]} */ ([]);
  const gap = { longest: 0 };
  Object.assign(globalThis, { stalls, gap });
  let media = /** @type {HTMLMediaElement | null} */ (null);
  let last = performance.now();

  /** Where the player is and what it holds, in seconds of the stream. @param {HTMLMediaElement} element */
  const look = ({ currentTime, buffered, readyState, seeking }) => {
    const spans = Array.from({ length: buffered.length }, (_, i) => `${buffered.start(i).toFixed(2)}-${buffered.end(i).toFixed(2)}`);
    return `${Math.round(performance.now())} ms: at ${currentTime.toFixed(2)}, holds ${spans.join(' ') || 'nothing'}, ready ${readyState}${seeking ? ', seeking' : ''}`;
  };
  setInterval(() => {
    const now = performance.now();
    gap.longest = Math.max(gap.longest, now - last);
    last = now;
    if (media !== null) trail.push(look(media));
    if (trail.length > KEPT) trail.shift();
  }, 50);
  // Media events do not bubble, and the audio element is inside a shadow root: look at all of them while captured.
  let hasPlayed = false;
  const original = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function play() {
    if (!this.dataset.watched) {
      this.dataset.watched = 'yes';
      media = this;
      this.addEventListener('playing', () => { hasPlayed = true; });
      this.addEventListener('waiting', () => { if (hasPlayed) stalls.push(`${look(this)}; before:\n  ${trail.filter((_, i) => i % 5 === 0).join('\n  ')}`); });
    }
    return original.call(this);
  };
}

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

  /** Waits for the snapshot to satisfy a condition. @param {string} what @param {(snapshot: Snapshot) => boolean} condition @param {number} [patienceMs] */
  async sees(what, condition, patienceMs = 20_000) {
    let last = await this.snapshot();
    await until(`${this.diary.name}: ${what}`, async () => {
      last = await this.snapshot();
      return condition(last);
    }, patienceMs, () => `${show(last)}\n${this.explain()}`);
    return last;
  }

  /** Asks the faucet and opens a pool, through the page's own buttons. @param {string} deposit */
  async fund(deposit = '1') {
    await this.sees('the chain is verified', (snapshot) => snapshot.chain.final > 0 || snapshot.chain.settled > 0, 30_000);
    await this.page.getByTestId('faucet').click();
    await this.sees('the balance is proven', (snapshot) => (snapshot.wallet.account?.balance.value ?? 0n) > 0n, 30_000);
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
