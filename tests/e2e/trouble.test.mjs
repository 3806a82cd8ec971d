// What dies while the music plays: the tracker, the neighbour, the node. The music goes on, the page says what it
// lost, and everything comes back.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener} */ let server;
/** @type {Listener} */ let listener;

before(async () => {
  network = await startNetwork();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});
beforeEach(async () => {
  server = await Listener.open(browser, network.url, 'server');
  await server.play();
  listener = await Listener.open(browser, network.url, 'listener');
  await listener.fund();
  await listener.play();
  await listener.sees('bytes come from the neighbour', ({ delivery }) => delivery.fromPeers > 0, 30_000);
  // A newcomer that turns to its neighbour has little in its buffer; what dies here dies while all is well.
  const start = await listener.position();
  await until('some seconds are played', async () => (await listener.position()) >= start + 5, 30_000, () => listener.explain());
});
afterEach(async () => {
  await listener?.close();
  await server?.close();
});

/** Asserts that the sound goes on for so many seconds from now, without a stall. @param {number} seconds */
async function goesOn(seconds) {
  const [start, stalls] = [await listener.position(), await listener.stalls()];
  await until(`${seconds} s more are played`, async () => (await listener.position()) >= start + seconds, (seconds + 15) * 1000, () => listener.explain());
  assert.equal(await listener.stalls(), stalls, `the sound stopped\n${await listener.silence()}`);
}

test('the tracker is killed: neighbours stay, and it is found again', async () => {
  await network.tracker.stop('SIGKILL');
  await listener.sees('the tracker is missed', ({ delivery, problems }) => delivery.tracker !== 'up' && problems.some(({ code }) => code === 'tracker/unreachable'));
  assert.match(await listener.said('problems'), /tracker/i);
  await goesOn(8);
  await network.tracker.start();
  await listener.sees('the tracker is back', ({ delivery, problems }) => delivery.tracker === 'up' && !problems.some(({ code }) => code === 'tracker/unreachable'), 60_000);
  const late = await Listener.open(browser, network.url, 'late');
  await late.play();
  await late.sees('a newcomer finds neighbours', ({ peers }) => peers.length > 0, 30_000);
  await late.close();
});

test('the serving neighbour closes: playback goes on over HTTP', async () => {
  const { delivery: { fromOrigin } } = await listener.snapshot();
  await server.close();
  await listener.sees('the neighbour is gone', ({ peers }) => peers.length === 0, 30_000);
  await goesOn(8);
  assert.ok((await listener.snapshot()).delivery.fromOrigin > fromOrigin, 'bytes come from the origin');
  server = await Listener.open(browser, network.url, 'successor');
  await server.play();
  await listener.sees('there is a neighbour again', ({ peers }) => peers.length > 0, 30_000);
});

test('the node is killed: the music goes on, the page says so, and the chain goes on when it is back', async () => {
  await network.chain.stop('SIGKILL');
  await listener.sees('the node is missed', ({ chain, problems }) => chain.node !== 'up' && problems.some(({ code }) => code === 'node/unreachable'));
  assert.match(await listener.said('problems'), /node/i);
  await goesOn(8);
  const { chain: { settled } } = await listener.snapshot();
  await network.chain.start();
  await listener.sees('the chain goes on', ({ chain }) => chain.node === 'up' && chain.settled > settled, 60_000);
});
