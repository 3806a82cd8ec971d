// A publisher with two renditions, under listeners that carry them for each other: they switch, it is killed, its key is
// changed, and somebody between them serves playlists that no publisher writes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { PROGRAM, Service, startNetwork } from './lab/network.mjs';
import { makeEncrypted, makeRenditions } from './lab/renditions.mjs';

const [LOW, HIGH] = [0, 1];
/** Bytes of two segments of the sample, and more: more than the map, which is in the clear, and whatever else it may be. */
const TWO_SEGMENTS = 100_000;

/** @type {Awaited<ReturnType<typeof makeRenditions>>} */ let source;
/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener[]} */ let listeners = [];

before(async () => {
  source = await makeRenditions();
  network = await startNetwork({ source: source.folder, price: '0' });
  browser = await startBrowser();
  for (const name of ['first', 'second']) {
    const listener = await Listener.open(browser, network.url, name);
    listeners.push(listener);
    await choose(listener, LOW);
    await listener.play();
  }
  await each((listener) => listener.sees('a neighbour', ({ peers }) => peers.length > 0, 30_000));
});
after(async () => {
  await each((listener) => listener.close());
  await browser?.close();
  await network?.close();
  await source?.remove();
});

/** @template T @param {(listener: Listener) => Promise<T>} act */
const each = (act) => Promise.all(listeners.map(act));

/** @param {Listener} listener @param {number | null} rendition */
const choose = (listener, rendition) => listener.page.evaluate((chosen) => document.querySelector('antiphon-player')?.chooseRendition(chosen), rendition);

/** @param {Listener} listener @param {number} rendition */
const hears = (listener, rendition) => until(
  `${listener.diary.name} hears rendition ${rendition}`,
  () => listener.page.evaluate((of) => document.querySelector('antiphon-player')?.rendition === of, rendition), 30_000, () => listener.explain(),
);

/** Waits until both have got bytes of each other from now on, at least one way. */
async function carry() {
  const before = await each(async (listener) => (await listener.snapshot()).delivery.fromPeers);
  await until('they carry for each other', async () => {
    const now = await each(async (listener) => (await listener.snapshot()).delivery.fromPeers);
    return now.some((bytes, i) => bytes > (before[i] ?? 0));
  }, 30_000, () => listeners.map((listener) => listener.explain()).join('\n'));
}

/** Does something, and asserts that both play on for so many seconds without a stall or a byte that nobody verified. @param {number} seconds @param {() => Promise<unknown>} act */
async function playsOn(seconds, act) {
  const [starts, stalls] = [await each((listener) => listener.position()), await each((listener) => listener.stalls())];
  await act();
  await each(async (listener) => {
    const end = (starts[listeners.indexOf(listener)] ?? 0) + seconds;
    await until(`${seconds} s more are played`, async () => (await listener.position()) >= end, (seconds + 20) * 1000, () => listener.explain());
  });
  assert.deepEqual(await each((listener) => listener.stalls()), stalls, (await each((listener) => listener.silence())).join('\n'));
  for (const { delivery } of await each((listener) => listener.snapshot())) assert.equal(delivery.unverified, 0);
}

test('both switch to another rendition, carry it for each other, and one goes back alone', async () => {
  const known = await listeners[0]?.page.evaluate(() => document.querySelector('antiphon-player')?.renditions);
  assert.deepEqual(known?.map(({ bitrate }) => bitrate), [160_000, 320_000]);
  await each((listener) => hears(listener, LOW));
  await playsOn(6, async () => {
    await each((listener) => choose(listener, HIGH));
    await each((listener) => hears(listener, HIGH));
    await carry();
  });
  const [first] = listeners;
  assert.ok(first);
  await playsOn(2, async () => {
    await choose(first, LOW);
    await hears(first, LOW);
  });
  for (const { problems, peers } of await each((listener) => listener.snapshot())) {
    assert.equal(peers.length, 1, 'they are neighbours all the while');
    assert.deepEqual(problems.filter(({ code }) => /^(segment|origin|playlist|map|fetch)/.test(code)), []);
  }
});

test('who goes back in time hears what the playlist still holds', async () => {
  const [first] = listeners;
  assert.ok(first);
  const place = await first.page.evaluate(() => {
    const media = document.querySelector('antiphon-player')?.media;
    if (!media) throw new Error('no audio');
    media.currentTime = Math.max(media.seekable.start(0), media.currentTime - 8);
    return media.currentTime;
  });
  await until('it plays from there', async () => (await first.position()) >= place + 1.5, 20_000, () => first.explain());
  await first.page.evaluate(() => document.querySelector('antiphon-player')?.goLive());
  await until('and at the live edge again', async () => (await first.position()) >= place + 8, 20_000, () => first.explain());
  assert.equal((await first.snapshot()).delivery.unverified, 0);
});

test('the publisher is killed and started again: nobody hears it', async () => {
  const newest = (await each((listener) => listener.snapshot())).map(({ stream }) => stream?.newest ?? 0);
  await playsOn(8, async () => {
    await network.publish.stop('SIGKILL');
    await network.publish.start();
  });
  for (const [i, { stream, problems }] of (await each((listener) => listener.snapshot())).entries()) {
    assert.ok((stream?.newest ?? 0) >= (newest[i] ?? 0) + 3, 'numbers go on');
    assert.deepEqual(problems.filter(({ code }) => /^(segment|playlist)/.test(code)), []);
  }
});

test('the publisher changes its key: nobody hears it, and the key that was given up is refused', async () => {
  const [first] = listeners;
  assert.ok(first);
  const playlist = network.page.stream.replace('live.m3u8', 'live-1.m3u8');
  const old = await (await fetch(playlist)).text();
  const signer = async () => (await first.snapshot()).stream?.publisherAddress;
  const before = await signer();
  await playsOn(5, async () => {
    await promisify(execFile)(PROGRAM, ['rotate', '--data', `${network.data}/publish`]);
    await until('the heir signs', async () => (await signer()) !== before, 20_000, () => first.explain());
  });
  const { problems } = await first.snapshot();
  assert.deepEqual(problems.filter(({ code }) => /^(segment|playlist)/.test(code)), []);
  await withPlaylist(first, old, 'playlist/old-key');
});

/** Serves a text where the playlist of a listener's rendition should be, until the page says so by this code. @param {Listener} listener @param {string | Buffer} body @param {string} code */
async function withPlaylist(listener, body, code) {
  const count = async () => (await listener.snapshot()).problems.find((problem) => problem.code === code)?.count ?? 0;
  const before = await count();
  const where = /live-\d+\.m3u8/;
  await listener.page.route(where, (route) => route.fulfill({
    body, contentType: 'application/vnd.apple.mpegurl', headers: { 'access-control-allow-origin': '*' },
  }));
  try {
    await until(`${code} is said`, async () => (await count()) > before, 20_000, () => listener.explain());
    assert.notEqual(await listener.page.getByTestId('problems').getAttribute('data-count'), '0', 'the page says it');
  } finally {
    await listener.page.unroute(where);
  }
}

test('playlists that no publisher writes are told by code, and the music goes on when they end', async () => {
  const [first] = listeners;
  assert.ok(first);
  const honest = await (await fetch(network.page.stream.replace('live.m3u8', 'live-1.m3u8'))).text();
  const first_number = /#EXT-X-MEDIA-SEQUENCE:\d+/;
  const list = await (await fetch(network.page.stream)).text();
  const cases = /** @type {[string, string | Buffer, string][]} */ ([
    ['a list of renditions that leads to itself', list, 'playlist/multivariant'],
    ['no text at all', Buffer.alloc(2000, 0xff), 'playlist/not-a-playlist'],
    ['bytes that are no UTF-8 where the stream is named', Buffer.from(honest.replace('ANTIPHON-STREAM:', 'ANTIPHON-STREAM:\xff'), 'latin1'), 'playlist/bad-stream-tag'],
    ['a line of five megabytes', `${honest}#${'x'.repeat(5 << 20)}\n`, 'playlist/too-long'],
    ['ninety thousand tags', honest + '#EXT-X-GAP\n'.repeat(90_000), 'playlist/too-long'],
    ['a negative duration', honest.replace(/#EXTINF:[\d.]+/, '#EXTINF:-2'), 'playlist/bad-number'],
    ['the last number that there is', honest.replace(first_number, '#EXT-X-MEDIA-SEQUENCE:18446744073709551615'), 'playlist/bad-number'],
    ['records at other numbers', honest.replace(first_number, '#EXT-X-MEDIA-SEQUENCE:7777'), 'segment/wrong-sequence'],
  ]);
  for (const [what, body, code] of cases) {
    await withPlaylist(first, body, code).catch((error) => assert.fail(`${what}: ${error}`));
  }
  const start = await first.position();
  await until('the music goes on', async () => (await first.position()) >= start + 3, 40_000, () => first.explain());
  assert.equal((await first.snapshot()).delivery.unverified, 0, 'nothing of all that was played');
});

test('encrypted segments are carried as they are: verified by the client, and heard by who has the key', async () => {
  const vault = await makeEncrypted();
  const publish = new Service([
    'publish', '--source', vault.folder, '--name', 'secret', '--data', `${network.data}/secret`, '--listen', '127.0.0.1:0',
    '--chain', network.page.chain, '--tracker', network.page.tracker, '--price', '0',
  ]);
  try {
    const { url, publisher } = await publish.start();
    await network.configure({ stream: url, publisher });
    /** @type {Listener[]} */ const initiates = [];
    for (const name of ['initiate', 'second initiate']) {
      const listener = await Listener.open(browser, network.url, name);
      initiates.push(listener);
      await listener.play();
    }
    const snapshots = () => Promise.all(initiates.map((listener) => listener.snapshot()));
    const starts = await snapshots();
    await until('they carry for each other', async () => {
      const gained = (await snapshots()).map(({ delivery }, i) => delivery.fromPeers - (starts[i]?.delivery.fromPeers ?? 0));
      return gained.some((bytes) => bytes > TWO_SEGMENTS);
    }, 60_000, () => initiates.map((listener) => listener.explain()).join('\n'));
    for (const listener of initiates) {
      const start = await listener.position();
      await until('it is heard', async () => (await listener.position()) >= start + 2, 20_000, () => listener.explain());
      const { delivery, problems } = await listener.snapshot();
      assert.deepEqual([delivery.unverified, delivery.bad], [0, 0], 'every byte was verified before it was decrypted');
      assert.deepEqual(problems.filter(({ code }) => /^(segment|origin|playlist|map|fetch)/.test(code)), []);
      assert.deepEqual(listener.diary.errors, []);
    }
    assert.ok((await segmentOf(url)).indexOf('moof', 0, 'latin1') < 0, 'what is carried is no audio to who has no key');
    assert.ok(vault.asked() >= initiates.length, 'each player has the key from elsewhere');
    await Promise.all(initiates.map((listener) => listener.close()));
  } finally {
    await network.configure({ stream: network.page.stream, publisher: network.page.publisher });
    await publish.stop();
    await vault.close();
  }
});

/** The newest segment of a stream, as it is served. @param {string | undefined} playlist */
async function segmentOf(playlist = '') {
  const name = (await (await fetch(playlist)).text()).split('\n').filter((line) => line.endsWith('.m4s')).at(-1) ?? '';
  return Buffer.from(await (await fetch(new URL(name, playlist))).arrayBuffer());
}
