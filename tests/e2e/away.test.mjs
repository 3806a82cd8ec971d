// Listeners who are not there all the time: a tab in the background, a page that slept long, a pause, a look back. Whoever
// comes back hears the stream within seconds, and nothing that its publisher did not sign.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener, show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { Tab } from './lab/tab.mjs';

/** How long a tab is in the background, in seconds. */
const HIDDEN_S = 30;
/** How long a page sleeps, in seconds: longer than the publisher serves what it has listed. */
const SLEEP_S = 70;
/** Within how many seconds whoever comes back hears the stream. */
const BACK_S = 15;
/** What is heard then was broadcast no longer ago, in seconds. */
const LIVE_S = 15;

/** The longest segment of the sample, in bytes. */
const SEGMENT_BYTES = 60_000;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** The neighbour of all others; it plays all the time. @type {Listener} */ let stayer;

before(async () => {
  network = await startNetwork({ price: '0' });
  browser = await startBrowser();
  stayer = await Listener.open(browser, network.url, 'stayer');
  await stayer.play();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** @param {Listener} listener */
const delay = (listener) => listener.page.evaluate(() => document.querySelector('antiphon-player')?.delay ?? Infinity);
/** @param {Listener} listener */
const state = (listener) => listener.page.evaluate(() => document.querySelector('antiphon-player')?.state);

/** Waits until sound goes on for some seconds, near to the broadcast. @param {Listener} listener @param {number} [patienceS] */
async function isHeardLive(listener, patienceS = BACK_S) {
  let last = await listener.position();
  let heard = 0;
  await until(`${listener.diary.name} hears the stream live`, async () => {
    const now = await listener.position();
    heard = now > last && now < last + 2 && (await delay(listener)) < LIVE_S ? heard + (now - last) : 0;
    last = now;
    return heard >= 2;
  }, (patienceS + 2) * 1000, async () => `${await state(listener)} at ${last}, ${await delay(listener)} s after the broadcast\n${show(await listener.snapshot())}\n${await listener.silence()}`);
}

/**
 * Asserts that nothing bad was played and nothing threw. Who is kept from running while a segment is judged plays it unjudged,
 * and counts it: no more than one.
 * @param {Listener} listener @param {number} [unjudged] In bytes.
 */
async function isClean(listener, unjudged = 0) {
  const { delivery, bans } = await listener.snapshot();
  assert.equal(delivery.bad, 0);
  assert.ok(delivery.unverified <= unjudged, `${delivery.unverified} bytes were played and judged by nobody`);
  assert.deepEqual(bans, []);
  assert.deepEqual(listener.diary.errors, []);
}

/** Waits until bytes go from one to the other again, some way. @param {Listener} listener */
async function carries(listener) {
  const { delivery: { fromPeers, toPeers } } = await listener.snapshot();
  await listener.sees('it has a neighbour and they carry for each other', ({ delivery, peers }) => peers.length > 0 && delivery.fromPeers + delivery.toPeers > fromPeers + toPeers, 60_000);
}

test('a tab in the background plays on and carries', async (t) => {
  const tab = await Tab.open(network.url, 'hidden');
  try {
    const { listener } = tab;
    await listener.play();
    await carries(listener);
    await tab.hide();
    assert.ok(await tab.isHidden());
    const [start, stalls] = [await listener.position(), await listener.stalls()];
    await until('it plays on', async () => (await listener.position()) >= start + HIDDEN_S, (HIDDEN_S + BACK_S) * 1000, () => listener.silence());
    assert.equal(await listener.stalls(), stalls, await listener.silence());
    assert.ok(await tab.isHidden());
    await carries(listener);
    t.diagnostic(`${(await delay(listener)).toFixed(1)} s after the broadcast`);
    await tab.show();
    await isHeardLive(listener);
    await isClean(listener, SEGMENT_BYTES);
  } finally {
    await tab.close();
  }
});

test('who wakes from a long sleep hears the stream live within seconds, and has neighbours again', async (t) => {
  const tabs = await Promise.all(['frozen', 'stopped', 'paused'].map((name) => Tab.open(network.url, name)));
  try {
    const [frozen, stopped, paused] = tabs;
    assert.ok(frozen && stopped && paused);
    for (const { listener } of tabs) {
      await listener.play();
      await carries(listener);
    }
    await paused.listener.page.evaluate(() => document.querySelector('antiphon-player')?.pause());
    for (const tab of [frozen, paused]) {
      await tab.hide();
      await tab.become('frozen');
    }
    await stopped.sleep(SLEEP_S);
    for (const tab of [frozen, paused]) {
      await tab.become('active');
      await tab.show();
    }
    await paused.listener.page.evaluate(() => document.querySelector('antiphon-player')?.play());
    const began = Date.now();
    await Promise.all(tabs.map(async ({ listener }) => {
      await isHeardLive(listener);
      t.diagnostic(`${listener.diary.name}: live after ${((Date.now() - began) / 1000).toFixed(1)} s, ${(await delay(listener)).toFixed(1)} s after the broadcast`);
      await listener.sees('the tracker is up', ({ delivery }) => delivery.tracker === 'up', 30_000);
      await carries(listener);
      t.diagnostic(`${listener.diary.name}: carries after ${((Date.now() - began) / 1000).toFixed(1)} s`);
      await isClean(listener, SEGMENT_BYTES);
    }));
    await isClean(stayer);
  } finally {
    await Promise.all(tabs.map((tab) => tab.close()));
  }
});

test('a short pause goes on where it was, a long one at the live edge', async () => {
  const listener = await Listener.open(browser, network.url, 'pauser');
  await listener.play();
  const pause = async (/** @type {number} */ seconds) => {
    await listener.page.evaluate(() => document.querySelector('antiphon-player')?.pause());
    const at = await listener.position();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    await listener.page.evaluate(() => document.querySelector('antiphon-player')?.play());
    return at;
  };
  const [stalls, at] = [await listener.stalls(), await pause(5)];
  const again = await listener.position();
  assert.ok(again >= at && again < at + 2, `it went on at ${again} after ${at}`);
  await until('it goes on', async () => (await listener.position()) >= at + 4, 8_000, () => listener.silence());
  assert.equal(await listener.stalls(), stalls, await listener.silence());
  const before = await pause(25);
  await isHeardLive(listener, 5);
  assert.ok((await listener.position()) > before + 15, 'nobody hears what was broadcast half a minute ago');
  await isClean(listener);
  await listener.close();
});

test('who looks back hears it within seconds, and is at the live edge again as soon', async () => {
  const listener = await Listener.open(browser, network.url, 'looker');
  await listener.play();
  await isHeardLive(listener);
  const live = await delay(listener);
  const before = await listener.position();
  const place = await listener.page.evaluate(() => {
    const media = document.querySelector('antiphon-player')?.media;
    if (!media) throw new Error('no audio');
    media.currentTime = media.seekable.start(0) + 3;
    return media.currentTime;
  });
  await until('it plays from there', async () => (await listener.position()) >= place + 3, 8_000, () => listener.silence());
  assert.ok(place < before - 3, `${place} is older than ${before}`);
  await listener.page.getByTestId('live').click();
  await isHeardLive(listener, 5);
  assert.ok((await delay(listener)) < live + 3, `${await delay(listener)} s behind after ${live} s before`);
  await isClean(listener);
  await listener.close();
});
