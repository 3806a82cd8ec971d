// Playlists that jump: far ahead, because an encoder made up for what it had missed; back, because a cache on the way shows an
// old one; to the beginning, because a publisher has lost its memory; and a listener who cannot decide on a rendition.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Encoder } from './lab/encoder.mjs';
import { Listener, show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { makeRenditions } from './lab/renditions.mjs';

/** Segments that a playlist leaps over: more than it lists. */
const LEAP = 24;
/** Within how many seconds of a jump sound goes on. */
const PATIENCE_S = 15;
/** Seconds of sound that are waited for: more than a player holds when the playlist jumps. */
const HEARD_S = 10;

/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Encoder} */ let encoder;
/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {() => Promise<void>} */ let stop;
/** @type {Listener[]} */ let listeners = [];

before(async () => {
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
});
beforeEach(async () => {
  encoder = await Encoder.start(8);
  network = await startNetwork({ source: encoder.folder, isLoop: false, price: '0' });
  stop = encoder.run();
  listeners = [];
  for (const name of ['first', 'second']) {
    const listener = await Listener.open(browser, network.url, name);
    listeners.push(listener);
    await listener.play();
  }
  for (const listener of listeners) await listener.sees('a neighbour', ({ peers }) => peers.length > 0, 30_000);
});
afterEach(async () => {
  await stop?.();
  await Promise.all(listeners.map((listener) => listener.close()));
  await network?.close();
  await encoder?.remove();
});

/** @param {Listener} listener */
const newest = async (listener) => (await listener.snapshot()).stream?.newest ?? 0;

/** What is printed of a listener where waiting was in vain. @param {Listener} listener */
const explain = async (listener) => `${show(await listener.snapshot())}\n${await listener.silence()}`;

/** Waits until sound goes on for some seconds from now. @param {Listener} listener */
async function goesOn(listener) {
  let last = await listener.position();
  let heard = 0;
  await until(`${listener.diary.name} hears it go on`, async () => {
    const now = await listener.position();
    // A jump is no sound.
    heard = now > last && now < last + 2 ? heard + (now - last) : now === last ? heard : 0;
    last = now;
    return heard >= HEARD_S;
  }, (PATIENCE_S + HEARD_S) * 1000, () => explain(listener));
}

/** Asserts that nobody played anything bad, was banned, or threw. */
async function isClean() {
  for (const listener of listeners) {
    const { delivery, bans, peers } = await listener.snapshot();
    assert.deepEqual([delivery.bad, delivery.unverified], [0, 0], listener.diary.name);
    assert.deepEqual(bans, [], listener.diary.name);
    assert.equal(peers.length, 1, `${listener.diary.name} has its neighbour still`);
    assert.deepEqual(listener.diary.errors, []);
  }
}

/** Waits until bytes go from one to the other, some way. */
async function carry() {
  const fromPeers = () => Promise.all(listeners.map(async (listener) => (await listener.snapshot()).delivery.fromPeers));
  const before = await fromPeers();
  const isCarried = async () => (await fromPeers()).some((bytes, i) => bytes > (before[i] ?? 0));
  await until('they carry for each other', isCarried, 60_000, async () => (await Promise.all(listeners.map(explain))).join('\n'));
}

test('a playlist leaps far ahead: both hear what it lists then, and carry it', async () => {
  const before = Math.max(...await Promise.all(listeners.map(newest)));
  await encoder.add(LEAP);
  await until('they see it', async () => (await Promise.all(listeners.map(newest))).every((now) => now >= before + LEAP), 10_000);
  await Promise.all(listeners.map(goesOn));
  await carry();
  await isClean();
});

test('a cache on the way shows an old playlist every other time: nobody hears it', async () => {
  const [first] = listeners;
  assert.ok(first);
  const old = await (await fetch(network.page.stream)).text();
  const at = await newest(first);
  await first.sees('some segments more', ({ stream }) => (stream?.newest ?? 0) >= at + 3);
  const stalls = await first.stalls();
  let asked = 0;
  await first.page.route(/live\.m3u8/, (route) => {
    asked += 1;
    if (asked % 2 === 0) return route.continue();
    return route.fulfill({ body: old, contentType: 'application/vnd.apple.mpegurl', headers: { 'access-control-allow-origin': '*' } });
  });
  await until('it was shown the old one some times', () => asked >= 6, 20_000, () => first.explain());
  await Promise.all(listeners.map(goesOn));
  await first.page.unroute(/live\.m3u8/);
  assert.equal(await first.stalls(), stalls, await first.silence());
  await carry();
  await isClean();
});

test('a publisher that lost its memory counts anew: both hear it, and nobody is banned for what it had before', async () => {
  const before = Math.max(...await Promise.all(listeners.map(newest))) + 6;
  await encoder.add(6);
  await until('both know some more', async () => (await Promise.all(listeners.map(newest))).every((now) => now >= before));
  await network.publish.stop('SIGKILL');
  await stop();
  for (const name of ['antiphon.memory', 'antiphon.files']) await rm(join(network.data, 'publish', name), { recursive: true });
  // The encoder begins anew as well: other bytes under the numbers of before.
  await encoder.restart(8);
  await network.publish.start();
  stop = encoder.run();
  await until('both know the new numbers', async () => (await Promise.all(listeners.map(newest))).every((now) => now < before), 20_000);
  await Promise.all(listeners.map(goesOn));
  await carry();
  await isClean();
});

test('who goes from rendition to rendition and back is fed by neighbours all the while', async () => {
  const source = await makeRenditions();
  const other = await startNetwork({ source: source.folder, price: '0' });
  await Promise.all(listeners.map((listener) => listener.close()));
  try {
    listeners = [];
    for (const name of ['hasty', 'calm']) {
      const listener = await Listener.open(browser, other.url, name);
      listeners.push(listener);
      await listener.page.evaluate(() => document.querySelector('antiphon-player')?.chooseRendition(0));
      await listener.play();
    }
    const [hasty] = listeners;
    assert.ok(hasty);
    await hasty.sees('a neighbour', ({ peers }) => peers.length > 0, 30_000);
    const stalls = await hasty.stalls();
    for (const rendition of [1, 0, 1, null, 0, 1, 0]) {
      await hasty.page.evaluate((chosen) => document.querySelector('antiphon-player')?.chooseRendition(chosen), rendition);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
    }
    await Promise.all(listeners.map(goesOn));
    assert.equal(await hasty.stalls(), stalls, await hasty.silence());
    await carry();
    await isClean();
  } finally {
    await Promise.all(listeners.map((listener) => listener.close()));
    listeners = [];
    await other.close();
    await source.remove();
  }
});
