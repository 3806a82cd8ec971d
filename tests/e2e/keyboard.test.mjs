// The page without a mouse: every control is reached with the tab key, and the keys that the footer names work.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { kill } from 'node:process';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { RoomPage } from './lab/room.mjs';
import { tour } from './lab/tour.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener} */ let listener;

before(async () => {
  network = await startNetwork({ stake: ['--stake'], blockTime: '500ms' });
  browser = await startBrowser();
  listener = await Listener.open(browser, network.url, 'listener');
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** What has the focus, inside the player, too. */
const focused = () => listener.page.evaluate(() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element?.getAttribute('data-testid') ?? element?.id ?? '';
});
const state = () => listener.page.evaluate(() => document.querySelector('antiphon-player')?.state);

test('the tab key leads through the player, the purse and the gifts, in the order of the page', async () => {
  await listener.sees('the purse is ready', ({ wallet }) => wallet.account !== null, 30_000);
  const seen = [];
  for (let i = 0; i < 27; i++) {
    await listener.page.keyboard.press('Tab');
    seen.push(await focused());
  }
  const wanted = ['view-listen', 'view-room', 'view-wallet', 'view-explore', 'view-docs', 'play', 'live', 'mute', 'volume', 'figures', 'peers', 'share-on', 'share-month', 'share-metered', 'purse-words', 'copy', 'faucet', 'deposit', 'open-pool', 'settlements', 'give-to', 'give-amount', 'give-purpose', 'give'];
  assert.deepEqual(seen.filter((id) => wanted.includes(id)), wanted, seen.join(' '));
});

test('the wallet is used without a mouse: in the order of the page, a payment confirmed with the enter key', async () => {
  const { page } = listener;
  await page.evaluate(() => { location.hash = '#/wallet'; });
  await page.getByTestId('wallet-words').waitFor();
  await page.getByTestId('restore-open').focus();
  await page.keyboard.press('Enter');
  await page.getByTestId('restore-words').waitFor();
  await page.evaluate(() => { if (document.activeElement instanceof HTMLElement) document.activeElement.blur(); });
  await page.locator('#view-wallet').focus();
  const seen = [];
  const wanted = [
    'view-explore', 'wallet-account', 'wallet-level', 'wallet-copy', 'wallet-faucet', 'send-to', 'send-amount', 'words-show', 'restore-open', 'restore-words', 'restore-go',
    'person-name', 'person-address', 'person-keep', 'backup-save', 'backup-file', 'find-pools',
  ];
  for (let i = 0; i < 40 && seen.at(-1) !== wanted.at(-1); i++) {
    await page.keyboard.press('Tab');
    seen.push(await focused());
  }
  assert.deepEqual(seen.filter((id) => wanted.includes(id)), wanted, seen.join(' '));
  await page.getByTestId('wallet-faucet').focus();
  await page.keyboard.press('Enter');
  await listener.sees('money', ({ wallet }) => (wallet.account?.balance.value ?? 0n) > 0n, 30_000);
  await page.getByTestId('send-to').focus();
  await page.keyboard.type((await listener.snapshot()).stream?.publisherAddress ?? '');
  await page.keyboard.press('Tab');
  await page.keyboard.type('1,5');
  await page.keyboard.press('Enter');
  await page.getByTestId('send-question').waitFor();
  assert.equal(await focused(), 'send-yes', 'the question has the focus');
  await page.keyboard.press('Enter');
  await listener.sees('the payment', ({ wallet }) => wallet.sent.some(({ amount }) => amount === 150_000_000n));
  await page.evaluate(() => { location.hash = '#/'; });
});

/**
 * Asserts that the tab key reaches all that a page shows, and that this is something. Meanwhile no block comes that would change it.
 * @param {import('playwright-core').Page} page @param {string} sign What is visible once the view is there. @param {number} least
 */
async function reachesAll(page, sign, least) {
  await page.locator(sign).first().waitFor({ timeout: 30_000 });
  const { pid } = network.chain;
  assert.ok(pid !== undefined);
  kill(pid, 'SIGSTOP');
  try {
    const { shown, missed } = await tour(page);
    assert.deepEqual(missed, [], sign);
    assert.ok(shown.length >= least, `${sign}: only ${shown.join(', ')}`);
  } finally {
    kill(pid, 'SIGCONT');
  }
}

test('the tab key reaches every control that a view shows', async () => {
  const { page } = listener;
  const turn = (/** @type {string} */ hash) => page.evaluate((to) => { location.hash = to; }, hash);
  await page.evaluate(() => document.querySelector('antiphon-player')?.showFigures());
  await reachesAll(page, '[data-testid=overlay]', 25);
  await page.evaluate(() => document.querySelector('antiphon-player')?.showFigures(false));
  await turn('#/wallet');
  await page.getByTestId('words-show').click();
  await reachesAll(page, '[data-testid=words]', 20);
  const { wallet } = await listener.snapshot();
  for (const [hash, sign] of /** @type {const} */ ([
    ['#/chain', '#overview-guardians .ring'], ['#/checkpoint/10', '#found h2:text("Checkpoint")'],
    [`#/account/${wallet.address}`, '#found h2:text("Your account")'], ['#/stakers', '[data-testid=own-bonds]'],
  ])) {
    await turn(hash);
    await reachesAll(page, sign, 12);
  }
  await turn('#/');
});

test('a head of the chain keeps the focus while blocks come, and so does a control of what is looked up again', async () => {
  const { page } = listener;
  await page.evaluate(() => { location.hash = '#/chain'; });
  await page.getByTestId('explore-final').locator('a').focus();
  const newest = async () => Number(await page.getByTestId('head-included').getAttribute('data-height'));
  const before = await newest();
  await until('two blocks more', async () => (await newest()) >= before + 2, 20_000, () => listener.explain());
  await page.keyboard.press('Enter');
  await page.locator('#found h2:text("Checkpoint")').waitFor();
  await page.evaluate(() => { location.hash = '#/stakers'; });
  await page.getByTestId('bond').focus();
  await page.getByTestId('own-bonds').evaluate((shown) => { shown.id = 'first'; });
  await until('the bonds are shown anew', async () => (await page.getByTestId('own-bonds').getAttribute('id')) !== 'first', 30_000, () => listener.explain());
  assert.equal(await focused(), 'bond');
  await page.evaluate(() => { location.hash = '#/'; });
});

test('the tab key reaches every control of a room, where somebody else is, and of a shop', async () => {
  const pages = await Promise.all(['ada', 'bel'].map((name) => RoomPage.enter(browser, network.url, 'keys', name)));
  await Promise.all(pages.map((page) => page.sees('the other', async () => (await page.around()) === 1)));
  await reachesAll(pages[0]?.page ?? listener.page, '#around input', 12);
  await Promise.all(pages.map((page) => page.close()));
  const shop = await openPage(browser, `${network.url}shop.html`, 'shop');
  await reachesAll(shop.page, '#pay', 1);
  await shop.close();
});

test('a control that the tab key passes over is noticed, inside the player, too', async () => {
  const { page } = listener;
  /** @param {number} order */
  const order = (order) => page.evaluate((order) => {
    const mute = document.querySelector('antiphon-player')?.shadowRoot?.querySelector('[part~=mute]');
    for (const button of [mute, document.querySelector('#copy')]) if (button instanceof HTMLElement) button.tabIndex = order;
  }, order);
  await order(-1);
  assert.deepEqual((await tour(page)).missed, ['button mute Mute', 'button copy']);
  await order(0);
});

test('the first stop of the tab key leads past everything to the player', async () => {
  await listener.page.reload();
  await until('the player is back', () => listener.hasClient());
  await listener.page.keyboard.press('Tab');
  await listener.page.keyboard.press('Enter');
  const at = await focused();
  if (at !== 'play') await listener.page.keyboard.press('Tab'); // The player itself, or its first control.
  assert.equal(await focused(), 'play', at);
});

test('space plays and pauses, m mutes', async () => {
  await listener.page.evaluate(() => { if (document.activeElement instanceof HTMLElement) document.activeElement.blur(); });
  await listener.page.keyboard.press('Space');
  await until('it plays', async () => (await state()) === 'playing', 20_000, () => listener.explain());
  await listener.page.keyboard.press('Space');
  await until('it pauses', async () => (await state()) === 'paused');
  await listener.page.keyboard.press('m');
  assert.equal(await listener.page.evaluate(() => document.querySelector('antiphon-player')?.media?.muted), true);
});

test('i shows the figures of what plays, saves them as a report, and takes them away', async () => {
  const overlay = listener.page.getByTestId('overlay');
  await listener.page.keyboard.press('i');
  await overlay.waitFor();
  await until('it shows the start', async () => /Start and stalls\s+\d+ ms/.test(await overlay.innerText()), 20_000, () => listener.explain());
  await listener.sees('what was fetched, and the account', ({ delivery, wallet }) => delivery.fromOrigin > 0 && wallet.account !== null);
  const balance = () => listener.page.evaluate(() => String(document.querySelector('antiphon-player')?.snapshot().wallet.account?.balance.value));
  const before = await balance();
  const [download] = await Promise.all([listener.page.waitForEvent('download'), listener.page.getByTestId('report').click()]);
  const report = JSON.parse(await readFile(await download.path(), 'utf8'));
  assert.equal(report.format, 'antiphon-report/1');
  assert.ok(report.delivery.fromOrigin > 0 && report.playback.startupMs > 0, JSON.stringify(report.playback));
  assert.ok([before, await balance()].includes(report.wallet.account.balance.value), `${before}: ${JSON.stringify(report.wallet.account)}`);
  await listener.page.keyboard.press('i');
  await overlay.waitFor({ state: 'detached' });
  assert.deepEqual(listener.diary.errors, []);
});
