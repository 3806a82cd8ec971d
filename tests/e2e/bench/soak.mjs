// Three pages listen, carry and pay for so many minutes: `node bench/soak.mjs [--minutes 60]`. Prints a line of JSON a minute,
// and one at the end that says whether the vouchers add up. Ends with 1 if the sound stopped, a chunk was bad, a page erred or memory grew.
//
// Nobody debugs the pages: a driver keeps what they load, which is most of what a browser with one grows by in an hour.

import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { until } from '../lab/browser.mjs';
import { startNetwork } from '../lab/network.mjs';
import { startBoard } from './delivery/board.mjs';
import { used } from './delivery/usage.mjs';
import { minutesOf, wrongs } from './soak/verdict.mjs';

/** @typedef {{ position: number, stalls: number, gapMs: number, fromPeers: number, fromOrigin: number, bad: number, served: number, given: string, held: string, paid: string, price: string }} Figures */

const MINUTE_MS = 60_000;
/** Until all pages have pools and play. */
const START_MS = 60_000;
const PAGES = ['first', 'second', 'third'];

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = minutesOf(values.minutes);
// What it is started with is not in the tests' own packages: whoever mistypes the minutes is told without it.
const { startBrowser } = await import('./delivery/browser.mjs');

const network = await startNetwork();
const board = await startBoard();
const browser = await startBrowser();
/** @returns {Promise<Figures[]>} */
const all = (word = '') => Promise.all(PAGES.map((page) => board.read(page, word)));
try {
  const site = await network.alteredSite(await script(board.url), 'main.js');
  for (const page of PAGES) await browser.open(`${site}?page=${page}`);
  await until('all play', async () => (await all()).every(({ position }) => position > 0), START_MS, () => board.errors.join('\n'));
  const began = performance.now();
  let last = { stalls: NaN, bad: NaN };
  /** @type {number[]} */ const megabytes = [];
  for (let minute = 1; minute <= minutes; minute++) {
    await new Promise((resolve) => setTimeout(resolve, began + minute * MINUTE_MS - performance.now()));
    const figures = await all();
    const sum = (/** @type {'stalls' | 'fromPeers' | 'fromOrigin' | 'bad'} */ of) => figures.reduce((total, one) => total + one[of], 0);
    const fromPeers = sum('fromPeers');
    last = { stalls: sum('stalls'), bad: sum('bad') };
    const gapMs = Math.max(...figures.map((one) => one.gapMs));
    const { bytes, pageBytes } = used();
    megabytes.push(pageBytes / 1e6);
    const share = fromPeers / (fromPeers + sum('fromOrigin'));
    console.log(JSON.stringify({ minute, megabytes: bytes / 1e6, pageMegabytes: pageBytes / 1e6, gapMs, ...last, share }));
  }
  await all('pause');
  let given = 0n, held = 0n, paid = 0n, served = 0n, price = 0n;
  const agree = async () => {
    given = held = paid = served = 0n;
    for (const one of await all()) {
      price = BigInt(one.price);
      given += BigInt(one.given);
      held += BigInt(one.held);
      paid += BigInt(one.paid);
      served += BigInt(one.served);
    }
    // Neither side counts what the chain has paid.
    return served > 0n && held + paid === served * price && given === held;
  };
  await until('the sums agree', agree, 30_000, () => `${given} given, ${held} held, ${paid} paid, ${served} served at ${price}`);
  console.log(JSON.stringify({ chunks: Number(served), vouchers: String(held + paid), settled: String(paid), errors: board.errors }));
  for (const wrong of wrongs(last, board.errors, megabytes)) {
    console.error(wrong);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
  board.close();
  await network.close();
}

/** What each page runs before the site's own script. @param {string} url The board's. */
async function script(url) {
  const { outputFiles: [built] } = await build({
    entryPoints: [fileURLToPath(new URL('soak/page.mjs', import.meta.url))], bundle: true, write: false, format: 'iife', target: 'es2022',
  });
  if (built === undefined) throw new Error('nothing was built');
  return `globalThis.config = ${JSON.stringify({ board: url })};\n${built.text}`;
}
