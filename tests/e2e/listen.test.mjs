// Three listeners of one live stream carry it for each other, and pay for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener, show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

/** Seconds that must pass without a stall. */
const LISTEN_S = 30;
/** What a timer of 50 ms is late at most on a machine that is fit to play: a chunk is hedged this long before it is due. */
const FIT_MS = 500;
/** Part of all bytes that must come from peers: nine tenths of the two thirds that are possible. Not of each page's: whose look at
 * the playlist comes well before the others' fetches for all, whoever is drawn. */
const SHARE = 0.6;
/** Seconds from broadcast to sound at most: a segment is two seconds, playback aims three of them behind the newest, and may yield four seconds. */
const DELAY_S = 13;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener[]} */ const listeners = [];

before(async () => {
  network = await startNetwork();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

test('three pages play thirty seconds without a stall and get two thirds of their bytes from each other', async (t) => {
  for (const name of ['first', 'second', 'third']) {
    const listener = await Listener.open(browser, network.url, name);
    await listener.fund();
    await until('the page says that the pool is open', async () => /^The pool of 1 is open/.test(await listener.page.locator('#said').innerText()), 5_000, () => listener.explain());
    await listener.play();
    listeners.push(listener);
  }
  // A machine that does other things may keep a page from running, and it stalls. That is measured, and gets one other window.
  const first = await listen(t);
  const isStarved = first.gapMs > FIT_MS && first.heard.some(({ stalls }) => stalls > 0);
  const windows = isStarved ? [first, await listen(t)] : [first];
  for (const { heard, gapMs } of windows) {
    const all = heard.reduce((sum, { fromPeers, fromOrigin }) => sum + fromPeers + fromOrigin, 0);
    const share = heard.reduce((sum, { fromPeers }) => sum + fromPeers, 0) / all;
    t.diagnostic(`${(share * 100).toFixed(1)} % from peers in all`);
    assert.ok(share >= SHARE, `${share} of all bytes came from peers, a page was kept waiting ${gapMs} ms`);
    for (const { listener, bad, delay } of heard) {
      assert.deepEqual(listener.diary.errors, []);
      assert.equal(bad, 0);
      assert.ok(delay < DELAY_S, `${listener.diary.name} hears what was broadcast ${delay} s ago, though it pressed play on a live stream`);
    }
  }
  for (const { listener, stalls } of windows.at(-1)?.heard ?? []) {
    assert.equal(stalls, 0, `${listener.diary.name} stalled, a page was kept waiting ${windows.map(({ gapMs: ms }) => ms).join(' and ')} ms\n${await listener.silence()}`);
  }
});

/** Lets all play for thirty seconds. Returns what each heard, and how long a page was kept from running at most. @param {import('node:test').TestContext} t */
async function listen(t) {
  await Promise.all(listeners.map((listener) => listener.gap()));
  const heard = await Promise.all(listeners.map((listener) => hear(t, listener)));
  const gapMs = Math.round(Math.max(...await Promise.all(listeners.map((listener) => listener.gap()))));
  t.diagnostic(`a page was kept from running ${gapMs} ms at most`);
  return { heard, gapMs };
}

/** Lets one play for thirty seconds. @param {import('node:test').TestContext} t @param {Listener} listener */
async function hear(t, listener) {
  const at = await listener.position();
  const before = await listener.stalls();
  const { delivery: start } = await listener.snapshot();
  await until(
    `${listener.diary.name} has played ${LISTEN_S} s`, async () => (await listener.position()) - at >= LISTEN_S,
    (LISTEN_S + 15) * 1000, () => listener.explain(),
  );
  const { delivery } = await listener.snapshot();
  // What was loaded before the pool was open came from the origin, of course; it is not counted.
  const fromPeers = delivery.fromPeers - start.fromPeers;
  const fromOrigin = delivery.fromOrigin - start.fromOrigin;
  const stalls = (await listener.stalls()) - before;
  const delay = await listener.page.evaluate(() => document.querySelector('antiphon-player')?.delay ?? Infinity);
  t.diagnostic(`${listener.diary.name}: ${fromPeers} bytes from peers and ${fromOrigin} from the origin, ${stalls} stalls, ${delay.toFixed(1)} s after the broadcast`);
  return { listener, stalls, fromPeers, fromOrigin, bad: delivery.bad, delay };
}

test('vouchers add up to chunks served times the price', async (t) => {
  for (const listener of listeners) await listener.page.evaluate(() => document.querySelector('antiphon-player')?.pause());
  const all = () => Promise.all(listeners.map((listener) => listener.snapshot()));
  const sum = (/** @type {import('antiphon').Snapshot[]} */ snapshots) => {
    const price = snapshots.find((snapshot) => snapshot.stream !== null)?.stream?.price ?? 0n;
    let given = 0n, held = 0n, settled = 0n, served = 0n;
    for (const { wallet, delivery } of snapshots) {
      given += wallet.vouchersOut;
      held += wallet.vouchersIn;
      settled += wallet.settlements.reduce((total, { amount }) => total + amount, 0n);
      served += BigInt(delivery.chunksServed);
    }
    return { price, given, held, settled, served };
  };
  let last = sum(await all());
  await until('the sums agree', async () => {
    last = sum(await all());
    return last.served > 0n && last.given === last.served * last.price && last.held === last.given;
  }, 30_000, () => show(/** @type {never} */ (last)));
  t.diagnostic(`${last.served} chunks at ${last.price} are ${last.given} in vouchers`);
});

test('who earned settles, and its page shows the settlement final, verified against the guardians', async () => {
  const snapshots = await Promise.all(listeners.map((listener) => listener.snapshot()));
  const earner = listeners[snapshots.findIndex(({ wallet }) => wallet.vouchersIn > 0n)];
  assert.ok(earner !== undefined, 'nobody earned');
  const before = await earner.snapshot();
  await earner.page.getByTestId('settle').click();
  const done = await earner.sees('the settlement is final', ({ wallet }) => wallet.settlements.length > 0 && wallet.settlements.every(({ level }) => level === 'final'), 60_000);
  const settled = done.wallet.settlements.reduce((total, { amount }) => total + amount, 0n);
  // Serving goes on meanwhile, so it may be more.
  assert.ok(settled >= before.wallet.vouchersIn, 'everything that was held is settled');
  assert.ok(done.chain.signers * 3 > done.chain.guardians * 2, `${done.chain.signers} of ${done.chain.guardians} guardians signed`);
  assert.ok(done.wallet.settlements.every(({ height }) => height !== null && height <= done.chain.final));
  assert.match(await earner.said('settlements'), /final/i);
});

/** Notes what the page says of its pool and how many neighbours it has, whenever it changes something; from before its own scripts run. */
function noteCredit() {
  const notes = /** @type {[number, string][]} */ ([]);
  Object.assign(globalThis, { notes });
  const look = () => {
    const [peers, pool] = ['peers', 'pool'].map((id) => document.querySelector(/** @type {'div'} */ (`[data-testid=${id}]`)));
    if (peers && pool) notes.push([Number(peers.dataset.count), pool.textContent ?? '']);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

test('a newcomer without a pool is told, once it has neighbours, that they give a few chunks on credit, and gets some', async () => {
  const opened = await openPage(browser, 'about:blank', 'newcomer');
  await opened.page.addInitScript(noteCredit);
  await opened.page.goto(network.url);
  const newcomer = new Listener(opened);
  await until('it has a client', () => newcomer.hasClient(), 20_000, () => newcomer.explain());
  await Promise.all([...listeners, newcomer].map((listener) => listener.play()));
  await newcomer.sees('chunks on credit', ({ delivery, wallet }) => delivery.fromPeers > 0 && wallet.pool === null && wallet.vouchersOut === 0n, 60_000, listeners);
  await until('the page says so', async () => /^No pool yet: neighbours give a few chunks on credit, and more once they are paid\. /.test(await newcomer.said('pool')), 10_000, () => newcomer.explain());
  const notes = await newcomer.page.evaluate(() => /** @type {[number, string][]} */ (Reflect.get(globalThis, 'notes')));
  const alone = notes.filter(([count]) => count === 0).map(([, text]) => text);
  assert.ok(alone.some((text) => text.startsWith('No pool yet. Opening one locks')), alone[0]);
  assert.deepEqual(alone.filter((text) => text.includes('on credit')), [], 'who has no neighbour is promised nothing');
  assert.deepEqual(newcomer.diary.errors, []);
  await newcomer.close();
});
