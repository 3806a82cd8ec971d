// A neighbour or an origin that alters what it serves: nothing of it is played, passed on or paid for.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startLiar } from './lab/liar.mjs';
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

/**
 * Opens the site with an origin that alters what it serves, until it is told to stop.
 * @param {RegExp} what Paths that it alters.
 * @param {(listener: Listener, liar: { most: () => number, repent: () => void }) => Promise<void>} story
 *   `most` tells how often the lie that was asked for most often was asked for.
 */
async function withLyingOrigin(what, story) {
  let isLying = true;
  const lies = /** @type {Map<string, number>} */ (new Map());
  const stream = new URL(network.page.stream);
  const liar = await startLiar(stream.origin, {
    media: (path, body) => {
      if (!isLying || !what.test(path)) return body;
      lies.set(path, (lies.get(path) ?? 0) + 1);
      body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
      return body;
    },
  });
  await network.configure({ stream: new URL(stream.pathname, liar.url).href });
  const listener = await Listener.open(browser, network.url, 'listener');
  try {
    await listener.page.evaluate(() => void document.querySelector('antiphon-player')?.play());
    await story(listener, { most: () => Math.max(0, ...lies.values()), repent: () => { isLying = false; } });
  } finally {
    await listener.close();
    await network.configure({ stream: network.page.stream });
    liar.close();
  }
}

// The client tries four times to fetch a segment; then the page tries by itself.
for (const [name, what, code, tries] of /** @type {const} */ ([
  ['map', /\/init-\w+\.mp4$/, 'map/not-signed', 3],
  ['segment', /\.m4s$/, 'origin/bad-chunk', 6],
])) {
  test(`an origin's altered ${name} is refused and said; when the right one comes, the music starts`, async () => {
    await withLyingOrigin(what, async (listener, liar) => {
      await listener.sees('it is refused', ({ problems }) => problems.some((problem) => problem.code === code));
      await until('the page says it', async () => /refused/i.test(await listener.said('problems')), 5_000, () => listener.explain());
      await until('every way to it was tried', () => liar.most() >= tries, 40_000, () => listener.explain());
      assert.equal(await listener.position(), 0, 'nothing is played');
      assert.equal((await listener.snapshot()).delivery.unverified, 0, 'nothing went past the client');
      liar.repent();
      await until('the music starts', async () => (await listener.position()) > 1, 40_000, () => listener.explain());
    });
  });
}

test('a page without its client plays on, and says how much of it nobody verified', async () => {
  await network.configure({ chain: 'none' });
  const { page, diary, close } = await openPage(browser, network.url, 'bare');
  try {
    await page.evaluate(() => void document.querySelector('antiphon-player')?.play());
    const unverified = page.getByTestId('unverified');
    await until('the page counts it', async () => Number(await unverified.getAttribute('data-value')) > 65_536, 20_000, () => diary.tail());
    assert.match(await unverified.innerText(), /^[1-9][\d.]* (kB|MB)$/);
    assert.match(await page.getByTestId('problems').innerText(), /without being checked/);
    assert.notEqual(await page.getByTestId('from-origin').innerText(), '0 kB');
  } finally {
    await close();
    await network.configure({ chain: network.page.chain });
  }
});
