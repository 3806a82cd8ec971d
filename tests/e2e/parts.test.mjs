// Playlists that offer parts of segments for low latency (RFC 8216bis): whole segments are played, for nobody signs the parts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { watch } from './lab/watch.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ price: '0' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** Adds what a packager for low latency writes: each segment is one part. @param {string} text */
function withParts(text) {
  const [, seconds = '2.048'] = /#EXTINF:([\d.]+)/.exec(text) ?? [];
  const head = `#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=${3 * Number(seconds)}\n#EXT-X-PART-INF:PART-TARGET=${seconds}\n`;
  return text.replace(/(#EXT-X-TARGETDURATION:.*\n)/, `$1${head}`)
    .replace(/#EXTINF:([\d.]+),\n(.*)\n/g, '#EXT-X-PART:DURATION=$1,INDEPENDENT=YES,URI="$2?part"\n#EXTINF:$1,\n$2\n');
}

/** A listener of a stream whose playlist somebody changed on its way, and the parts that its page asks for. @param {string} name @param {(text: string) => string} change */
async function listen(name, change) {
  const opened = await openPage(browser, 'about:blank', name, watch);
  const parts = /** @type {string[]} */ ([]);
  opened.page.on('request', (request) => request.url().endsWith('?part') && parts.push(request.url()));
  await opened.page.route(/live\.m3u8/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: change(await answer.text()) });
  });
  const { close } = opened;
  // A playlist may be on its way when the page closes.
  opened.close = () => opened.page.unrouteAll({ behavior: 'ignoreErrors' }).then(close);
  await opened.page.goto(network.url);
  const listener = new Listener(opened);
  await until(`${name} has a client`, () => listener.hasClient(), 30_000, () => listener.explain());
  await listener.play();
  return { listener, parts };
}

test('a signed stream that offers parts is played by whole segments, carried and verified, and that is said', async () => {
  const stayer = await Listener.open(browser, network.url, 'stayer');
  await stayer.play();
  const { listener, parts } = await listen('signed', withParts);
  await listener.sees('it is carried', ({ delivery }) => delivery.fromPeers > 50_000, 60_000);
  const start = await listener.position();
  await until('it plays on', async () => (await listener.position()) >= start + 5, 20_000, () => listener.silence());
  assert.deepEqual(parts, [], 'no part was asked for');
  const { delivery } = await listener.snapshot();
  assert.deepEqual([delivery.unverified, delivery.bad], [0, 0]);
  assert.match(String(await listener.page.getByTestId('problems').getAttribute('data-codes')), /playlist\/parts/);
  assert.match(await listener.said('problems'), /whole segments are played/);
  assert.deepEqual(listener.diary.errors, []);
  await Promise.all([listener.close(), stayer.close()]);
});

test('of a stream that nobody signed whole segments are played, too, counted as unverified', async () => {
  const { listener, parts } = await listen('plain', (text) => withParts(text.replace(/#EXT-X-ANTIPHON.*\n/g, '')));
  const start = await listener.position();
  await until('it plays on', async () => (await listener.position()) >= start + 5, 30_000, () => listener.silence());
  assert.deepEqual(parts, [], 'no part was asked for');
  assert.ok((await listener.snapshot()).delivery.unverified > 0);
  assert.match(String(await listener.page.getByTestId('problems').getAttribute('data-codes')), /playlist\/parts/);
  await listener.close();
});
