// Three listeners of one live stream carry it for each other, and pay for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener, show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

/** Seconds that must pass without a stall. */
const LISTEN_S = 30;
/** Part of the bytes that must come from peers. */
const SHARE = 0.7;

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

test('three pages play thirty seconds without a stall; the later two get most bytes from peers', async (t) => {
  for (const name of ['first', 'second', 'third']) {
    const listener = await Listener.open(browser, network.url, name);
    await listener.fund();
    await until('the page says that the pool is open', async () => /^The pool of 1 is open/.test(await listener.page.locator('#said').innerText()), 5_000, () => listener.explain());
    await listener.play();
    listeners.push(listener);
  }
  // A machine that does other things may starve a page once. What a player stalls by itself, it stalls again.
  const first = await listen(t);
  const stalled = first.filter(({ stalls }) => stalls > 0);
  const heard = stalled.length === 0 ? first : await listen(t);
  for (const [index, { listener, stalls, share, bad }] of heard.entries()) {
    assert.equal(stalls, 0, `${listener.diary.name} stalled\n${listener.explain()}`);
    assert.deepEqual(listener.diary.errors, []);
    assert.equal(bad, 0);
    if (index > 0) assert.ok(share >= SHARE, `${listener.diary.name}: ${share} of its bytes came from peers\n${show(await listener.snapshot())}`);
  }
});

/** Lets all play for thirty seconds, and returns what each of them heard. @param {import('node:test').TestContext} t */
async function listen(t) {
  const starts = await Promise.all(listeners.map(async (listener) => ({
    at: await listener.position(), stalls: await listener.stalls(), delivery: (await listener.snapshot()).delivery,
  })));
  return Promise.all(listeners.map(async (listener, index) => {
    const start = starts[index];
    assert.ok(start !== undefined);
    await until(
      `${listener.diary.name} has played ${LISTEN_S} s`, async () => (await listener.position()) - start.at >= LISTEN_S,
      (LISTEN_S + 15) * 1000, () => listener.explain(),
    );
    const { delivery } = await listener.snapshot();
    // What was loaded before the pool was open came from the origin, of course; it is not counted.
    const fromPeers = delivery.fromPeers - start.delivery.fromPeers;
    const fromOrigin = delivery.fromOrigin - start.delivery.fromOrigin;
    const share = fromPeers / (fromPeers + fromOrigin);
    const stalls = (await listener.stalls()) - start.stalls;
    t.diagnostic(`${listener.diary.name}: ${(share * 100).toFixed(1)} % from peers, ${fromPeers} and ${fromOrigin} bytes, ${stalls} stalls`);
    return { listener, stalls, share, bad: delivery.bad };
  }));
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
