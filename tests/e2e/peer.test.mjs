// A native peer: `antiphon peer` carries the stream to pages over WebRTC and they to it, and each is paid by the other.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { startFirefox } from './lab/firefox.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { openPuppet } from './lab/puppet.mjs';

/** Bytes that a page must get from the native peer: more than one lucky chunk. Who looks at the playlist first fetches most for both. */
const CARRIED = 40_000;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;

before(async () => {
  network = await startNetwork();
});
after(async () => {
  await network?.close();
});

/** What a native peer shows. @param {import('./lab/network.mjs').Service} peer @returns {Promise<Record<string, any>>} */
async function shown(peer) {
  return (await fetch(String(peer.ready.status))).json();
}

/** A count of a native peer, as Prometheus reads it. @param {import('./lab/network.mjs').Service} peer @param {string} name */
async function count(peer, name) {
  const text = await (await fetch(String(peer.ready.metrics))).text();
  const line = text.split('\n').find((line) => line.startsWith(`antiphon_peer_${name} `));
  assert.ok(line !== undefined, `${name} is counted:\n${text}`);
  return Number(line.split(' ')[1]);
}

/** @param {import('node:test').TestContext} t @param {Listener} listener */
async function carriesAndIsPaid(t, listener) {
  const peer = await network.startPeer('--deposit', '1', '--faucet');
  const explain = () => `${peer.log.slice(-30).join('\n')}\n${listener.explain()}`;
  await until('the native peer has something to give', async () => (await shown(peer)).cached > 200_000, 30_000, explain);
  await listener.fund();
  await listener.play();
  const { delivery, wallet } = await listener.sees('the native peer carries', (page) => page.delivery.fromPeers > CARRIED, 90_000);
  assert.equal(delivery.bad, 0);
  assert.ok(wallet.vouchersOut > 0n, 'the page pays');
  const { wallet: { vouchersIn: earnedByPage }, delivery: { toPeers } } = await listener.sees('it carries for the native peer, too, and is paid', (page) => page.wallet.vouchersIn > 0n, 90_000);
  await listener.page.evaluate(() => document.querySelector('antiphon-player')?.pause());
  await until('the native peer is paid for all that it served', async () => {
    const [{ vouchersIn, chunksServed }, { wallet: { vouchersOut }, stream }] = await Promise.all([shown(peer), listener.snapshot()]);
    return BigInt(vouchersIn) > 0n && BigInt(vouchersIn) === BigInt(chunksServed) * (stream?.price ?? 0n) && BigInt(vouchersIn) === vouchersOut;
  }, 30_000, explain);
  const [sent, earned, links] = await Promise.all(['sent_bytes_total', 'vouchers_in', 'links'].map((name) => count(peer, name)));
  t.diagnostic(`the native peer sent ${listener.diary.name} ${sent} bytes and holds ${earned}; it was sent ${toPeers}, for ${earnedByPage}`);
  assert.ok(Number(sent) >= CARRIED && Number(earned) > 0);
  assert.equal(links, 1);
  assert.deepEqual(listener.diary.errors, []);
  await listener.close();
  await peer.stop();
}

test('every page that comes is linked to the native peer, and none is banned', async () => {
  const peer = await network.startPeer();
  const browser = await startBrowser();
  try {
    const pages = [];
    for (const name of ['ada', 'bel', 'cyd', 'dot']) {
      const page = await Listener.open(browser, network.url, name);
      await page.play();
      pages.push(page);
    }
    await until('all are linked', async () => (await shown(peer)).peers === pages.length, 30_000, () => peer.log.slice(-30).join('\n'));
    assert.deepEqual((await shown(peer)).problems.filter((/** @type {[string, number]} */ [code]) => code.startsWith('link/')), []);
  } finally {
    await browser.close();
    await peer.stop();
  }
});

test('a native peer and a page in Chromium carry the stream for each other, and each is paid', async (t) => {
  const browser = await startBrowser();
  try {
    await carriesAndIsPaid(t, await Listener.open(browser, network.url, 'chromium'));
  } finally {
    await browser.close();
  }
});

test('a native peer and a page in Firefox carry the stream for each other, and each is paid', async (t) => {
  const firefox = await startFirefox();
  try {
    await carriesAndIsPaid(t, await openPuppet(firefox.browser, network.url, 'firefox'));
  } finally {
    await firefox.close();
  }
});
