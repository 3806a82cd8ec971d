// Times a cold start in real Chromium, beside the same player over plain HTTP (hls.js alone), in turn.
//
// Prints a line of JSON for each figure: milliseconds from the navigation to the first audio that plays, and to the
// first head of the chain that the page has verified. Each start has a context of its own: no cache, no stored key.

import { startBrowser, until } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';

/** Starts of each kind. */
const STARTS = 9;

/** Runs in the page before its own scripts: notes when things happened first. */
function watch() {
  const first = /** @type {Record<string, number>} */ ({});
  Object.assign(globalThis, { first });
  const note = (/** @type {string} */ name, /** @type {unknown} */ happened) => {
    if (happened && first[name] === undefined) first[name] = performance.now();
  };
  setInterval(() => {
    const player = /** @type {import('antiphon/player').AntiphonPlayer | null} */ (document.querySelector('antiphon-player'));
    if (typeof player?.play !== 'function') return;
    if (first.asked === undefined) player.play();
    note('asked', true);
    note('audio', (player.media?.currentTime ?? 0) > 0);
    const chain = player.snapshot().chain;
    note('head', chain.settled > 0 || chain.final > 0);
  }, 5);
}

/** @param {import('playwright-core').Browser} browser @param {string} url @param {string[]} wanted @returns {Promise<Record<string, number>>} */
async function start(browser, url, wanted) {
  const context = await browser.newContext();
  try {
    await context.addInitScript(watch);
    const page = await context.newPage();
    await page.goto(url);
    const read = () => page.evaluate(() => Reflect.get(globalThis, 'first'));
    await until(wanted.join(' and '), async () => {
      const first = await read();
      return wanted.every((name) => first[name] !== undefined);
    });
    return await read();
  } finally {
    await context.close();
  }
}

/** @param {number[]} values */
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const network = await startNetwork();
const browser = await startBrowser();
try {
  // A chain without a checkpoint has nothing to verify yet.
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  const rows = [];
  for (let i = 0; i < STARTS; i += 1) {
    const ours = await start(browser, network.url, ['audio', 'head']);
    await network.configure({ node: '', chain: '' });
    const plain = await start(browser, network.url, ['audio']);
    await network.configure({ node: network.page.node, chain: network.page.chain });
    rows.push({ audio: ours.audio ?? 0, head: ours.head ?? 0, plain: plain.audio ?? 0 });
  }
  const plain = median(rows.map((row) => row.plain));
  for (const [name, pick] of /** @type {const} */ ([['first audio', 'audio'], ['first verified head', 'head']])) {
    console.log(JSON.stringify({
      name: `cold start to ${name}`, nanos: median(rows.map((row) => row[pick])) * 1e6,
      bare: 'first audio of hls.js alone', bareNanos: plain * 1e6,
      ratio: median(rows.map((row) => row[pick] / row.plain)),
    }));
  }
} finally {
  await browser.close();
  await network.close();
}
