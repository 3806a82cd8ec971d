// The wallet of `examples/words` as a program: `node wallet.mjs chromium|firefox|node FOLDER NODE CHAIN TRACKER`, then one line in, one out.
// `cargo xtask scenario` starts it.

import { createInterface } from 'node:readline';
import { openNodeWallet } from './node-wallet.mjs';
import { openBrowser } from './place.mjs';

/** How long Chromium's IndexedDB goes by the room that there was when it last asked. Measured: half a minute. */
const QUOTA_CACHE_MS = 31_000;

/** Examples have no types; named so, none are asked for. @param {string} file */
const load = (file) => import(String(new URL(`../../../examples/${file}`, import.meta.url)));

/** @typedef {{ answer(line: string): Promise<string>, fill?(isFull: boolean): Promise<string>, end(): Promise<void> }} Opened */

const [place, , node, chain, tracker] = process.argv.slice(2);
const config = { node, chain, tracker };
const wallet = await (place === 'node' ? openNodeWallet(config) : openPageWallet());
for await (const line of createInterface({ input: process.stdin })) {
  const room = /^disk (full|free)$/.exec(line)?.[1];
  console.log(await (room === undefined ? wallet.answer(line) : wallet.fill?.(room === 'full')));
}
await wallet.end();
process.exit(0);

/** @returns {Promise<Opened>} */
async function openPageWallet() {
  const { serve } = await load('serve.mjs');
  const site = await serve('words', config);
  const { browser, close } = await openBrowser(place);
  const page = await browser.newPage();
  page.on('console', (/** @type {{ text(): string }} */ message) => console.error(message.text()));
  await page.goto(site.url);
  await page.waitForFunction('globalThis.wallet');
  return {
    answer: (line) => page.evaluate(`wallet.answer(${JSON.stringify(line)})`),
    async fill(isFull) {
      const tools = await page.context().newCDPSession(page);
      await tools.send('Storage.overrideQuotaForOrigin', { origin: site.url, ...(isFull ? { quotaSize: 1 } : {}) });
      if (isFull) await new Promise((resolve) => setTimeout(resolve, QUOTA_CACHE_MS));
      return 'done';
    },
    async end() {
      await page.evaluate('wallet.end()');
      await close();
      site.close();
    },
  };
}
