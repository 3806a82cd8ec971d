// A neighbour that alters what it serves: nothing of it is played, passed on or paid for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** Put before the worker's own script: flips one bit in the middle of everything as large as a chunk. */
const ALTER = `{
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength).slice();
    if (bytes.length > 4096) bytes[bytes.length >> 1] ^= 1;
    return send.call(this, bytes);
  };
}
`;

test('altered bytes are neither played nor passed on nor paid, and their sender is cut off', async () => {
  const foe = await Listener.open(browser, await network.alteredSite(ALTER), 'foe');
  await foe.play();
  await foe.sees('the foe has something to serve', ({ delivery }) => delivery.cached > 65_536);

  const listener = await Listener.open(browser, network.url, 'listener');
  await listener.fund();
  await listener.play();
  const hurt = await listener.sees('one bad chunk', ({ delivery }) => delivery.bad > 0, 30_000);
  assert.equal(hurt.delivery.bad, 1, 'one is enough');
  const start = await listener.position();
  await until('ten seconds are played', async () => (await listener.position()) >= start + 10, 30_000, () => listener.explain());
  const end = await listener.snapshot();
  assert.equal(end.delivery.bad, 1, 'no second chance');
  assert.equal(end.delivery.fromPeers, 0, 'no byte of the foe was taken');
  assert.equal(end.wallet.vouchersOut, 0n, 'nothing was paid');
  assert.equal((await foe.snapshot()).wallet.vouchersIn, 0n, 'the foe holds no voucher');
  assert.equal(end.peers.length, 0, 'the foe is cut off');
  assert.match(await listener.said('bad-chunks'), /1/);

  // What the listener passes on is whole: a third page takes it and finds nothing bad.
  const third = await Listener.open(browser, network.url, 'third');
  await third.fund();
  await third.play();
  const fed = await third.sees('bytes come from an honest neighbour', ({ delivery }) => delivery.fromPeers > 65_536, 40_000);
  assert.ok(fed.delivery.bad <= 1, 'at most the foe\'s own');
});
