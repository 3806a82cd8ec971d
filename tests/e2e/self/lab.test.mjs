// The lab itself, without anything of Antiphon: what fails here is the machine's fault, not ours.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPage, startBrowser, until } from '../lab/browser.mjs';
import { startLive } from '../lab/live.mjs';

const HLS = { file: fileURLToPath(new URL('../node_modules/hls.js/dist/hls.mjs', import.meta.url)) };
const PLAYER = `<!doctype html><audio id="audio"></audio><script type="module">
  import Hls from '/hls.mjs';
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, data) => console.log('hls error', data.details));
  hls.loadSource('/live.m3u8');
  hls.attachMedia(audio);
  audio.play().catch((error) => console.log('no play', error.message));
</script>`;
const BLANK = '<!doctype html><title>blank</title>';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof startLive>>} */
let live;

before(async () => {
  live = await startLive({ '/blank': BLANK, '/player': PLAYER, '/hls.mjs': HLS });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  live?.close();
});

test('two pages exchange a mebibyte over a data channel', async () => {
  const [caller, answerer] = await Promise.all([openPage(browser, `${live.url}/blank`, 'caller'), openPage(browser, `${live.url}/blank`, 'answerer')]);
  const offer = await caller.page.evaluate(async () => {
    const link = new RTCPeerConnection();
    const channel = link.createDataChannel('x');
    channel.binaryType = 'arraybuffer';
    Object.assign(globalThis, { link, channel });
    await link.setLocalDescription();
    await new Promise((resolve) => { link.onicecandidate = ({ candidate }) => { if (candidate === null) resolve(null); }; });
    return link.localDescription?.sdp;
  });
  const answer = await answerer.page.evaluate(async (sdp) => {
    const link = new RTCPeerConnection();
    Object.assign(globalThis, { link, received: 0 });
    link.ondatachannel = ({ channel }) => {
      channel.binaryType = 'arraybuffer';
      channel.onmessage = ({ data }) => { Reflect.set(globalThis, 'received', Reflect.get(globalThis, 'received') + data.byteLength); };
    };
    await link.setRemoteDescription({ type: 'offer', sdp });
    await link.setLocalDescription();
    await new Promise((resolve) => { link.onicecandidate = ({ candidate }) => { if (candidate === null) resolve(null); }; });
    return link.localDescription?.sdp;
  }, offer);
  await caller.page.evaluate(async (sdp) => {
    const link = /** @type {RTCPeerConnection} */ (Reflect.get(globalThis, 'link'));
    const channel = /** @type {RTCDataChannel} */ (Reflect.get(globalThis, 'channel'));
    await link.setRemoteDescription({ type: 'answer', sdp });
    if (channel.readyState !== 'open') await new Promise((resolve) => { channel.onopen = resolve; });
    channel.bufferedAmountLowThreshold = 65536;
    for (let sent = 0; sent < 64; sent++) {
      if (channel.bufferedAmount > 262144) await new Promise((resolve) => { channel.onbufferedamountlow = resolve; });
      channel.send(new Uint8Array(16384));
    }
  }, answer);
  await until('all bytes are there', async () => (await answerer.page.evaluate(() => Reflect.get(globalThis, 'received'))) === 1_048_576);
  await Promise.all([caller.close(), answerer.close()]);
});

test('hls.js plays the sample stream live', async () => {
  const listener = await openPage(browser, `${live.url}/player`, 'listener');
  const position = () => listener.page.evaluate(() => document.querySelector('audio')?.currentTime ?? 0);
  const explain = () => listener.diary.tail();
  const start = await until('playback starts', position, 20_000, explain);
  await until('five seconds are played', async () => (await position()) > start + 5, 20_000, explain);
  assert.deepEqual(listener.diary.errors, []);
  assert.ok(!listener.diary.lines.some((line) => line.includes('hls error')), explain());
  await listener.close();
});
