// How the page looks: every view, light and dark, on a phone and on a desk, has no violation that axe knows of, nothing that overlaps, and
// nothing that is wider than the screen. `LOOKS=folder` saves screenshots there.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { overlaps } from './lab/overlap.mjs';

const SIZES = /** @type {const} */ ({ phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 800 } });
const SCHEMES = /** @type {const} */ (['light', 'dark']);

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener} */ let listener;
let axe = '';

before(async () => {
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  network = await startNetwork({ stake: ['--stake'], blockTime: '500ms' });
  browser = await startBrowser();
  listener = await Listener.open(browser, network.url, 'viewer');
  await listener.fund('1');
  await listener.play();
  await listener.sees('the first checkpoint is final', ({ chain }) => chain.final >= 10, 60_000);
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** What is wrong with a page as it is shown now. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
async function faultsOf(page) {
  // By the protocol: the page's policy lets no other script in.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { violations } = await Reflect.get(globalThis, 'axe').run(document, { resultTypes: ['violations'] });
    return violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join('; ')}`);
  });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  return [...violations, ...(wide > 0 ? [`${wide} pixels wider than the screen`] : []), ...(await page.evaluate(overlaps))];
}

/**
 * Looks at what is shown in each size and scheme.
 * @param {string} name @param {import('playwright-core').Page} page
 */
async function look(name, page) {
  /** @type {string[]} */ const faults = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const scheme of SCHEMES) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const at = `${name}-${size}-${scheme}`;
      faults.push(...(await faultsOf(page)).map((text) => `${at}: ${text}`));
      if (process.env.LOOKS) await page.screenshot({ path: join(process.env.LOOKS, `${at}.png`), fullPage: true });
    }
  }
  assert.deepEqual(faults, []);
}

/** Opens a view. @param {string} hash @param {string} sign What is visible once it is there. */
async function open(hash, sign) {
  await listener.page.evaluate((hash) => { location.hash = hash; }, hash);
  await listener.page.locator(sign).first().waitFor({ timeout: 20_000 });
}

test('the player with its purse', async () => {
  await open('#/', '#listen:not([hidden])');
  await look('listen', listener.page);
});

test('the figures of what plays', async () => {
  await listener.page.evaluate(() => document.querySelector('antiphon-player')?.showFigures());
  await listener.page.getByTestId('overlay').waitFor();
  await look('figures', listener.page);
  await listener.page.evaluate(() => document.querySelector('antiphon-player')?.showFigures(false));
});

test('the wallet, with words, a question and a past', async () => {
  await open('#/wallet', '#wallet-words');
  const { page } = listener;
  await page.locator('[data-testid=entry]').first().waitFor({ timeout: 30_000 });
  await look('wallet', page);
  await page.getByTestId('words-show').click();
  await page.getByTestId('words').waitFor();
  await page.getByTestId('restore-open').click();
  const { stream } = await listener.snapshot();
  await page.getByTestId('person-name').fill('The evening choir of Sankt Gallen');
  await page.getByTestId('person-address').fill(stream?.publisherAddress ?? '');
  await page.getByTestId('person-keep').click();
  await page.getByTestId('person-remove').waitFor();
  await page.getByTestId('send-to').fill('the evening choir of sankt gallen');
  await page.getByTestId('send-amount').fill('2,5');
  await page.getByTestId('send-review').click();
  await page.getByTestId('send-question').waitFor();
  await look('wallet-busy', page);
});

test('what is faint, wide, or lies on something is noticed', async () => {
  const { page } = listener;
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('#wallet .soft { color: var(--line) !important; } #wallet .lead { margin-bottom: -1.5rem !important; } #wallet-title { width: 120vw; }');
    document.adoptedStyleSheets = [sheet];
  });
  const faults = (await faultsOf(page)).join('\n');
  await page.evaluate(() => { document.adoptedStyleSheets = []; });
  for (const fault of [/color-contrast: .*soft/, /pixels wider/, /lies on/]) assert.match(faults, fault);
});

test('the explorer: overview, checkpoint, block, account, stakers, and what is not there', async () => {
  await open('#/chain', '#overview-guardians .ring');
  await look('chain', listener.page);
  await open('#/checkpoint/10', '#found .heading');
  await look('checkpoint', listener.page);
  await open('#/block/9', '#found .heading');
  await look('block', listener.page);
  const { wallet } = await listener.snapshot();
  await open(`#/account/${wallet.address}`, '#found .heading');
  await look('account', listener.page);
  await open('#/stakers', '[data-testid=own-bonds]');
  await look('stakers', listener.page);
  await open('#/block/999999', '#found .refused');
  await look('refused', listener.page);
});

test('a room', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${network.url}#/room/choir`);
  await page.locator('#room-said').getByText('You are in').waitFor({ timeout: 30_000 });
  await look('room', page);
  await page.context().close();
});

test('a shop', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${network.url}shop.html`);
  await page.locator('#pay').waitFor({ timeout: 30_000 });
  await look('shop', page);
  await page.context().close();
});
