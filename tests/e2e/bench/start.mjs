// How long a listener waits: from opening the page to the first sound and to the first verified head, on loopback; cold, with
// an empty cache and nothing stored, and warm, when the same browser opens the page again. Prints one line of JSON.

import { openPage, startBrowser, until } from '../lab/browser.mjs';
import { startNetwork } from '../lab/network.mjs';

/** Pages that are opened. */
const TIMES = 9;

/** Presses play as soon as there is something to play, and notes when things happen. */
function watch() {
  const times = /** @type {Record<string, number>} */ ({});
  Object.assign(globalThis, { times });
  const timer = setInterval(() => {
    const player = document.querySelector('antiphon-player');
    if (player === null || typeof player.snapshot !== 'function') return;
    if (player.media?.paused) player.play().catch(() => {});
    const { chain } = player.snapshot();
    if ((player.media?.currentTime ?? 0) > 0) times.audio ??= performance.now();
    if (chain.settled > 0) times.settled ??= performance.now();
    if (chain.final > 0) times.final ??= performance.now();
    if (times.audio !== undefined && times.final !== undefined) clearInterval(timer);
  }, 5);
}

const network = await startNetwork();
const browser = await startBrowser();
try {
  // The chain needs a checkpoint, the stream a full window.
  await new Promise((resolve) => setTimeout(resolve, 25_000));
  /** @type {Record<string, number>[]} */ const cold = [];
  /** @type {Record<string, number>[]} */ const warm = [];
  for (let i = 0; i < TIMES; i++) {
    const { page, diary, close } = await openPage(browser, network.url, 'newcomer', watch);
    for (const rows of [cold, warm]) {
      const times = () => page.evaluate(() => Reflect.get(globalThis, 'times'));
      await until('sound and head', async () => { const t = await times(); return t.audio !== undefined && t.final !== undefined; }, 30_000, () => diary.tail());
      rows.push(await times());
      // What is trusted has been written by now: it is stored as soon as it is believed.
      if (rows === cold) await page.reload();
    }
    await close();
  }
  const median = (/** @type {Record<string, number>[]} */ rows, /** @type {string} */ name) => rows.map((row) => row[name] ?? NaN).sort((a, b) => a - b)[rows.length >> 1];
  console.log(JSON.stringify({
    times: TIMES, audioMs: median(cold, 'audio'), settledMs: median(cold, 'settled'), finalMs: median(cold, 'final'),
    warmAudioMs: median(warm, 'audio'), warmSettledMs: median(warm, 'settled'), warmFinalMs: median(warm, 'final'),
  }));
} finally {
  await browser.close();
  await network.close();
}
