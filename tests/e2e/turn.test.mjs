// Listeners that hide their addresses: everything goes by a TURN server, and no description of theirs names another address.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { farAway, startTurn } from './lab/turn.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {Awaited<ReturnType<typeof startTurn>>} */ let turn;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  [network, turn, browser] = await Promise.all([startNetwork(), startTurn(), startBrowser()]);
});
after(async () => {
  await browser?.close();
  await turn?.close();
  await network?.close();
});

/** Opens a page whose player reaches others through TURN servers alone. @param {string} name @param {RTCIceServer[]} iceServers */
async function open(name, iceServers) {
  const listener = await Listener.open(browser, network.url, name);
  await listener.page.evaluate((iceServers) => {
    const connections = /** @type {RTCPeerConnection[]} */ ([]);
    Reflect.set(globalThis, 'connections', connections);
    const described = /** @type {string[]} */ ([]);
    Reflect.set(globalThis, 'described', described);
    // What goes to the worker is what the other is told first.
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any} */ transfer) {
      if (message.type === 'described') described.push(message.sdp);
      return post.call(this, message, transfer);
    };
    const Real = RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Real {
      /** @param {RTCConfiguration} [configuration] */
      constructor(configuration) {
        super(configuration);
        connections.push(this);
      }
    };
    const player = document.querySelector('antiphon-player');
    if (player === null) return;
    Object.assign(player, { iceServers, relayOnly: true });
    player.setAttribute('src', player.getAttribute('src') ?? '');
  }, iceServers);
  await until(`${name} has a client again`, () => listener.hasClient(), 30_000, () => listener.explain());
  return listener;
}

/** What a page told of its addresses, and by what its open connections go. @param {Listener} listener */
function ways(listener) {
  return listener.page.evaluate(async () => {
    const connections = /** @type {RTCPeerConnection[]} */ (Reflect.get(globalThis, 'connections'));
    const told = connections.flatMap((one) => one.localDescription?.sdp.match(/^a=candidate:.*$/gm) ?? []);
    const used = /** @type {string[]} */ ([]);
    for (const one of connections) {
      const stats = [...(await one.getStats()).values()];
      const pair = stats.find((entry) => entry.type === 'candidate-pair' && entry.state === 'succeeded' && entry.nominated);
      for (const id of pair ? [pair.localCandidateId, pair.remoteCandidateId] : []) used.push(stats.find((entry) => entry.id === id)?.candidateType);
    }
    return { told, used };
  });
}

test('listeners that hide behind a TURN server carry for each other through it, and tell no address of their own', async (t) => {
  const [first, second] = [await open('first', turn.iceServers), await open('second', turn.iceServers)];
  for (const listener of [first, second]) {
    await listener.fund();
    await listener.play();
  }
  await until('one carries for the other', async () => {
    const [a, b] = await Promise.all([first.snapshot(), second.snapshot()]);
    return a.delivery.fromPeers + b.delivery.fromPeers > 100_000;
  }, 60_000, () => `${first.explain()}\n${second.explain()}\n${turn.log().slice(-2000)}`);
  for (const listener of [first, second]) {
    const { told, used } = await ways(listener);
    assert.ok(told.length > 0);
    for (const candidate of told) assert.match(candidate, / typ relay (raddr 0\.0\.0\.0 rport 0|raddr :: rport 0)/);
    assert.ok(used.length > 0);
    assert.deepEqual(used.filter((type) => type !== 'relay'), [], 'no connection goes past the server');
    assert.deepEqual(listener.diary.errors, []);
    t.diagnostic(`${listener.diary.name}: ${told.length} candidates told, all of the server`);
    await listener.close();
  }
});

/** Longer than a page waits before it describes itself: two answers are needed for an address. */
const FAR_MS = 250;

test('an address that a far server tells only after the description went is told, too, and makes the connection', async (t) => {
  const far = await farAway(turn.iceServers, FAR_MS);
  try {
    const pages = [await open('first far', far.iceServers), await open('second far', far.iceServers)];
    for (const page of pages) await page.play();
    for (const page of pages) await page.sees('the other', ({ peers }) => peers.length === 1, 60_000);
    for (const page of pages) {
      const { used } = await ways(page);
      assert.ok(used.length > 0 && used.every((type) => type === 'relay'), used.join());
      const described = await page.page.evaluate(() => /** @type {string[]} */ (Reflect.get(globalThis, 'described')));
      assert.ok(described.length > 0 && described.every((sdp) => !sdp.includes('a=candidate')), 'no description had one');
      t.diagnostic(`${page.diary.name}: linked by what came after ${described.length} descriptions`);
      await page.close();
    }
  } finally {
    far.close();
  }
});
