// A broadcast that ends: pages and a native peer play it to its end, say so, and ask for nothing more. One that goes on
// after all is heard by who presses play again.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Encoder, SEGMENT_S } from './lab/encoder.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

/** Seconds after the end in which nothing may happen: several target durations. */
const CALM_S = 8;

/** @type {Encoder} */ let encoder;
/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener[]} */ const listeners = [];

before(async () => {
  encoder = await Encoder.start(6);
  network = await startNetwork({ source: encoder.folder, isLoop: false, price: '0' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
  await encoder?.remove();
});

/** @param {Listener} listener */
const state = (listener) => listener.page.evaluate(() => document.querySelector('antiphon-player')?.state);

/** Waits until a listener has played all that there is. @param {Listener} listener */
const ends = (listener) => until(`${listener.diary.name} has played to the end`, async () => (await state(listener)) === 'ended', 30_000, () => listener.explain());

/** What a page asks of the origin from now on. @param {Listener} listener */
function asked(listener) {
  const urls = /** @type {string[]} */ ([]);
  listener.page.on('request', (request) => request.url().startsWith(new URL(network.page.stream).origin) && urls.push(request.url()));
  return urls;
}

test('a source that ends is played to its end by two pages and a native peer, which say so and stay calm', async () => {
  const stop = encoder.run();
  const peer = await network.startPeer();
  for (const name of ['first', 'second']) {
    const listener = await Listener.open(browser, network.url, name);
    listeners.push(listener);
    await listener.play();
  }
  for (const listener of listeners) await listener.sees('a neighbour', ({ peers }) => peers.length > 0, 30_000);
  for (const listener of listeners) assert.match(await listener.said('rubric'), /^now playing$/i);
  await stop();
  await encoder.add(1, true);
  const status = async () => (await fetch(String(peer.ready.status))).json();
  await until('the native peer says that the stream has ended', async () => (await status()).stream?.isEnded === true, 20_000, () => peer.log.join('\n'));
  await Promise.all(listeners.map(ends));
  for (const listener of listeners) {
    const { media, playback } = await listener.page.evaluate(() => {
      const player = document.querySelector('antiphon-player');
      const { currentTime = 0, duration = 0 } = player?.media ?? {};
      return { media: { currentTime, duration }, playback: player?.snapshot().playback };
    });
    assert.ok(Math.abs(media.currentTime - media.duration) < 0.1, `to the very end: ${JSON.stringify(media)}`);
    assert.equal(playback?.leftS, 0);
    await until('the page says that it has ended', async () => (await listener.said('delay')) === 'has ended' && /^this stream has ended$/i.test(await listener.said('rubric')));
    assert.equal(await listener.stalls(), 0, await listener.silence());
  }
  const urls = listeners.map(asked);
  const fetched = Number((await status()).fromOrigin);
  await new Promise((resolve) => setTimeout(resolve, CALM_S * 1000));
  assert.deepEqual(urls, [[], []], 'nobody asks the origin for anything');
  assert.equal(Number((await status()).fromOrigin), fetched);
  for (const listener of listeners) {
    const { delivery, problems } = await listener.snapshot();
    assert.equal(delivery.unverified, 0);
    assert.deepEqual(problems, [], 'nothing is wrong');
    assert.deepEqual(listener.diary.errors, []);
    assert.equal(await state(listener), 'ended');
  }
  await peer.stop();
});

test('who comes after the end hears what is still listed, and the end', async () => {
  const late = await Listener.open(browser, network.url, 'late');
  await late.play();
  const start = await late.position();
  assert.ok(start < 2 * SEGMENT_S, `from where the list begins, not from its end: ${start}`);
  await late.page.evaluate(() => {
    const media = document.querySelector('antiphon-player')?.media;
    if (media) media.currentTime = media.duration - 2;
  });
  await ends(late);
  await late.close();
});

test('a broadcast that goes on after all is heard live by who presses play again', async () => {
  const [first] = listeners;
  assert.ok(first);
  await encoder.add(3);
  const stop = encoder.run();
  try {
    await until('the publisher goes on', async () => !(await (await fetch(network.page.stream)).text()).includes('ENDLIST'));
    await first.page.locator('antiphon-player [part~=play]').click();
    await until('it plays', async () => (await state(first)) === 'playing', 20_000, () => first.explain());
    const start = await first.position();
    await until('and goes on', async () => (await first.position()) >= start + 5, 20_000, () => first.explain());
    assert.equal((await first.snapshot()).playback?.leftS, null);
    await until('the page says so', async () => /behind$/.test(await first.said('delay')) && /^now playing$/i.test(await first.said('rubric')));
    const { delivery } = await first.snapshot();
    assert.ok(delivery.unverified === 0 && delivery.bad === 0);
  } finally {
    await stop();
  }
});
