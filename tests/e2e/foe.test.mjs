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
  // What follows is about origins: nobody else is there to give.
  for (const page of [foe, listener, third]) await page.close();
});

/**
 * Opens the site with an origin that alters what it serves, until it is told to stop.
 * @param {RegExp} what Paths that it alters.
 * @param {(listener: Listener, liar: { heard: () => number, repent: () => void }) => Promise<void>} story
 *   `heard` tells how many lies the plain loader of the page has brought, past the worker.
 */
async function withLyingOrigin(what, story) {
  let isLying = true;
  let heard = 0;
  const stream = new URL(network.page.stream);
  const liar = await startLiar(stream.origin, {
    media: (path, body) => {
      if (isLying && what.test(path)) body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
      return body;
    },
  });
  await network.configure({ stream: new URL(stream.pathname, liar.url).href });
  const listener = await Listener.open(browser, network.url, 'listener');
  try {
    listener.page.on('requestfinished', (request) => {
      if (request.resourceType() === 'xhr' && what.test(request.url())) heard += 1;
    });
    await listener.page.evaluate(() => void document.querySelector('antiphon-player')?.play());
    await story(listener, { heard: () => heard, repent: () => { isLying = false; } });
  } finally {
    await listener.close();
    await network.configure({ stream: network.page.stream });
    liar.close();
  }
}

for (const [name, what, code] of /** @type {const} */ ([
  ['map', /\/init-\w+\.mp4$/, 'map/not-signed'],
  ['segment', /\.m4s$/, 'origin/bad-chunk'],
])) {
  test(`an origin's altered ${name} is refused and said; when the right one comes, the music starts`, async () => {
    await withLyingOrigin(what, async (listener, liar) => {
      await listener.sees('it is refused', ({ problems }) => problems.some((problem) => problem.code === code));
      await until('the page says it', async () => /refused/i.test(await listener.said('problems')), 5_000, () => listener.explain());
      await until('the plain loader was tried, too', () => liar.heard() > 1, 40_000, () => listener.explain());
      const ranges = await listener.page.evaluate(() => document.querySelector('antiphon-player')?.media?.buffered.length);
      assert.equal(ranges, 0, 'the player holds nothing that it could play');
      assert.equal((await listener.snapshot()).delivery.unverified, 0, 'nothing went past the client');
      liar.repent();
      await until('there is music', () => listener.page.evaluate(() => (document.querySelector('antiphon-player')?.buffered ?? 0) > 1), 40_000, () => listener.explain());
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
