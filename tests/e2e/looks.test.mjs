// How the page looks: every view, light and dark, on a phone and on a desk, has no violation that axe knows of, nothing that overlaps, and
// nothing that is wider than the screen.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { faultsOf, look } from './lab/looks.mjs';
import { startNetwork } from './lab/network.mjs';
import { RoomPage } from './lab/room.mjs';
import { tour } from './lab/tour.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener} */ let listener;

before(async () => {
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
  await open('#/checkpoint/10', '#found h2:text("Checkpoint")');
  await look('checkpoint', listener.page);
  await open('#/block/9', '#found h2:text("Block")');
  await look('block', listener.page);
  const { wallet } = await listener.snapshot();
  await open(`#/account/${wallet.address}`, '#found h2:text("Your account")');
  await look('account', listener.page);
  await open('#/stakers', '[data-testid=own-bonds]');
  await look('stakers', listener.page);
  await open('#/block/999999', '#found .refused');
  await look('refused', listener.page);
});

test('a room with a field: an invitation, members and payments, what the chain paid, and the proof of a payment; the tab key reaches all', async () => {
  const [ada, bel] = await Promise.all(['ada', 'bel'].map((name) => RoomPage.enter(browser, network.url, 'choir', name)));
  assert.ok(ada !== undefined && bel !== undefined);
  const pages = [ada, bel];
  /** @param {string} name */
  const see = async (name) => {
    await look(name, bel.page);
    assert.deepEqual((await tour(bel.page)).missed, [], name);
  };
  await Promise.all(pages.map((page) => page.fund()));
  await Promise.all(pages.map((page) => page.sees('the other', async () => (await page.around()) === 1)));
  await ada.page.getByTestId('propose').click();
  await bel.reaches('invited');
  await see('room-invited');
  await bel.press('field-accept');
  await Promise.all(pages.map((page) => page.reaches('open')));
  await Promise.all([ada.burst('0.00001', 3), bel.burst('0.00002', 3)]);
  await bel.sees('all payments committed', async () => (await bel.field()).committed >= 6);
  const field = bel.page.getByTestId('field').first();
  assert.deepEqual([await field.getByTestId('field-members').locator('li').count(), await field.getByTestId('field-payments').locator('li').count()], [2, 6]);
  await see('room-open');
  await bel.press('field-close');
  await bel.reaches('closed');
  await field.getByTestId('payment-prove').first().click();
  await bel.sees('its proof', async () => (await field.getByTestId('payment-shown').innerText()) !== '');
  await see('room-closed');
  for (const page of pages) assert.deepEqual(page.diary.errors, []);
  await Promise.all(pages.map((page) => page.close()));
});

test('a shop', async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${network.url}shop.html`);
  await page.locator('#pay').waitFor({ timeout: 30_000 });
  await look('shop', page);
  await page.context().close();
});
