// A gift: sure in the receiver's page before the block that pays it, then final; and a shop that says so.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { RoomPage, units } from './lab/room.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ blockTime: '500ms' });
  await network.configure({ stream: '' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** Notes when a page first shows each stage of its gift. @param {import('playwright-core').Page} page */
function watchStages(page) {
  return page.evaluate(() => {
    const seen = /** @type {Record<string, number>} */ ({});
    Reflect.set(globalThis, 'stages', seen);
    const look = () => {
      const stage = document.querySelector('[data-testid=gift]')?.getAttribute('data-stage');
      if (stage) seen[stage] ??= performance.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });
}

/** @param {import('playwright-core').Page} page @returns {Promise<Record<string, number>>} */
const stages = (page) => page.evaluate(() => Reflect.get(globalThis, 'stages'));

test('a gift is sure in the receiver\'s page before the block that pays it, then final', async (t) => {
  const [giver, payee] = await Promise.all(['giver', 'payee'].map((name) => RoomPage.enter(browser, network.url, 'gifts', name)));
  assert.ok(giver !== undefined && payee !== undefined);
  await Promise.all([giver.fund(), payee.fund()]);
  await Promise.all([giver, payee].map((page) => page.sees('the other', async () => (await page.around()) === 1)));
  const before = await payee.finalBalanceSettled();
  await watchStages(payee.page);
  await giver.page.getByTestId('give-amount').fill('0.25');
  await giver.page.getByTestId('give-purpose').fill('a song');
  await giver.page.getByTestId('give').click();
  await payee.sees('the gift final', async () => (await payee.page.locator('[data-testid=gift][data-stage=final]').count()) === 1, 90_000);
  const gift = payee.page.getByTestId('gift').first();
  assert.equal(await gift.getAttribute('data-purpose'), 'a song');
  assert.equal(await gift.getAttribute('data-given'), 'false');
  assert.equal(BigInt((await gift.getAttribute('data-units')) ?? 0), units(1) / 4n);
  const { sure, settled, final } = await stages(payee.page);
  assert.ok(sure !== undefined && settled !== undefined && final !== undefined, 'each stage was shown');
  assert.ok(sure < settled && settled < final);
  t.diagnostic(`paid by a settled block ${Math.round(settled - sure)} ms after it was sure, final after ${Math.round(final - sure)} ms`);
  await giver.sees('its gift final', async () => (await giver.page.locator('[data-testid=gift][data-stage=final]').count()) === 1);
  await payee.sees('the money', async () => ((await payee.finalBalance()) ?? 0n) > before + units(1) / 4n - units(1) / 100n, 60_000);
  for (const page of [giver, payee]) assert.deepEqual(page.diary.errors, []);
  await Promise.all([giver.close(), payee.close()]);
});

test('a shop hands over when the payment is sure, beside a stream and whoever else is in its room', async (t) => {
  const { stream } = network.page;
  await network.configure({ stream });
  const shop = await openPage(browser, `${network.url}shop.html`, 'shop');
  const order = shop.page.getByTestId('order');
  const pay = shop.page.getByTestId('pay');
  await until('the shop is open', () => pay.isVisible(), 30_000, () => shop.diary.tail());
  const link = await pay.evaluate((element) => /** @type {HTMLAnchorElement} */ (element).href);
  const name = new URL(link).hash.split('/')[2] ?? '';
  const bystander = await RoomPage.enter(browser, network.url, name, 'bystander');
  const customer = new RoomPage(await openPage(browser, link, 'customer'), 'customer');
  await customer.fund();
  await customer.finalBalanceSettled();
  await customer.sees('the shop and a bystander', async () => (await customer.around()) === 2);
  assert.equal(await customer.page.getByTestId('give-to').inputValue(), new URL(link).hash.split('/')[4]);
  assert.equal(await customer.page.getByTestId('give-purpose').inputValue(), await shop.page.getByTestId('purpose').innerText());
  await customer.page.getByTestId('give').click();
  await until('the shop is sure', async () => (await order.getAttribute('data-ms')) !== null, 60_000, () => shop.diary.tail());
  assert.match(await order.innerText(), /^Paid/);
  t.diagnostic(`sure ${await order.getAttribute('data-ms')} ms after it was offered`);
  await until('the shop has it for good', async () => (await order.getAttribute('data-stage')) === 'final', 90_000, () => shop.diary.tail());
  assert.equal(await bystander.page.getByTestId('gift').count(), 0);
  // From the room to the player is from one page to another.
  await customer.page.locator('#view-listen').click();
  await customer.page.locator(`antiphon-player[src="${stream}"]`).waitFor({ state: 'attached' });
  await Promise.all([shop.close(), bystander.close(), customer.close()]);
});
