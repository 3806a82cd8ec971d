// Listeners of one live stream, ours and p2p-media-loader's, side by side: `node bench/delivery.mjs [--seconds 40] [--behind 3,6,12]
// [--pages 2,4,8] [--rounds 1] [--who antiphon,default,tuned] [--short DIR]`. Prints a line of JSON for each run. `alone`, `worker` and
// `module` play without peers: the floor (delivery/page-floor.mjs).
//
// ```text
// antiphon publish ──► counting origin ──► n pages, each in a context of its own, of one Chromium
// ```
//
// Both play the same playlist with the same hls.js, held equally far behind its end, on pages that show nothing and that nobody
// debugs. Ours verifies every chunk and pays for what peers bring; its rival does neither. What came from the origin is what the
// origin counted.

import { parseArgs } from 'node:util';
import { until } from '../lab/browser.mjs';
import { startNetwork } from '../lab/network.mjs';
import { startBrowser } from './delivery/browser.mjs';
import { startOrigin } from './delivery/origin.mjs';
import { startPages } from './delivery/pages.mjs';
import { used } from './delivery/usage.mjs';

/** Segments in the playlist: more than the longest delay. */
const WINDOW = 15;
/** Pages come one after the other. */
const JOIN_MS = 1_000;
/** From the last join until it is measured, in seconds: links are made, delays have settled, and the browser has compiled anew what runs often. */
const WARM_UP_S = 45;

/** Played closer to the end of the playlist than this many seconds, the stream is cut shorter: three segments fit, as RFC 8216 asks. */
const SHORT_BELOW = 6;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' }, behind: { type: 'string', default: '3,6,12' }, pages: { type: 'string', default: '2,4,8' },
    rounds: { type: 'string', default: '1' }, who: { type: 'string', default: 'antiphon,default,tuned' }, short: { type: 'string', default: '' },
  },
});
/** Runs so far: each has a swarm of its own. */
let runs = 0;
const numbers = (/** @type {string} */ text) => text.split(',').map(Number);

for (const isShort of [true, false]) {
  const delays = numbers(values.behind).filter((behind) => (behind < SHORT_BELOW) === isShort);
  if (delays.length > 0) await listenTo(isShort ? values.short : undefined, delays);
}

/** Starts a stream and measures everything on it. @param {string | undefined} source @param {number[]} delays */
async function listenTo(source, delays) {
  const network = await startNetwork({ source, publish: ['--window', String(WINDOW), ...(source === undefined ? [] : ['--target-ms', '1000'])] });
  const origin = await startOrigin(network.page.stream);
  const pages = await startPages({ ...network.page, stream: origin.url });
  try {
    // A full window to join, and a chain to open pools on.
    await new Promise((resolve) => setTimeout(resolve, WINDOW * 2_100));
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const behind of delays) {
        for (const count of numbers(values.pages)) {
          for (const who of values.who.split(',')) console.log(JSON.stringify(await measure({ origin, pages }, who, behind, count)));
        }
      }
    }
  } finally {
    await pages.close();
    origin.close();
    await network.close();
  }
}

/** @typedef {{ fromPeers: number, fromOrigin: number, stalls: number, late: number, hedged: number, delay: number, startMs: number, isReady: boolean }} Figures */

/**
 * One run.
 * @param {{ origin: Awaited<ReturnType<typeof startOrigin>>, pages: Awaited<ReturnType<typeof startPages>> }} stage
 * @param {string} who @param {number} behind Seconds. @param {number} count Pages.
 */
async function measure({ origin, pages }, who, behind, count) {
  const browser = await startBrowser();
  try {
    const { board } = pages;
    const swarm = String(++runs);
    /** @type {string[]} */ const opened = [];
    /** @type {() => Promise<Figures[]>} */
    const readAll = () => Promise.all(opened.map((page) => board.read(page)));
    for (let i = 0; i < count; i++) {
      const page = `${who}-${swarm}-${i}`;
      opened.push(page);
      await browser.open(pages.address(who, behind, page, swarm));
      await new Promise((resolve) => setTimeout(resolve, JOIN_MS));
    }
    await until('all play', async () => (await readAll()).every(({ isReady }) => isReady), 60_000, () => board.errors.join('\n'));
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_S * 1000));
    const [before, counted, usage] = [await readAll(), origin.counts(), used()];
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, Number(values.seconds) * 1000));
    const [after, counts, usageAfter] = [await readAll(), origin.counts(), used()];
    const seconds = (performance.now() - began) / 1000;
    const gained = (/** @type {keyof Figures} */ of) => after.reduce((sum, row, i) => sum + Number(row[of]) - Number(before[i]?.[of] ?? 0), 0);
    const mean = (/** @type {keyof Figures} */ of) => after.reduce((sum, row) => sum + Number(row[of]), 0) / count;
    const bytes = counts.bytes - counted.bytes;
    return {
      who, behind, pages: count, seconds, share: gained('fromPeers') / (gained('fromPeers') + bytes), possible: 1 - 1 / count,
      requests: (counts.requests - counted.requests) / (counts.newest - counted.newest), stalls: gained('stalls'),
      startMs: mean('startMs'), delay: mean('delay'), late: gained('late'), hedged: gained('hedged'),
      cores: (usageAfter.cpuSeconds - usage.cpuSeconds) / seconds / count, megabytes: usageAfter.bytes / 1e6 / count,
    };
  } finally {
    await browser.close();
  }
}
