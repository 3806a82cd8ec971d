// What a page was told of its money and did not handle, it is told again: after a crash, too, until it says that it has handled it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { watch } from './lab/watch.mjs';

const KEY = 'rent-2026-12';
/** Account 0 of the first vector of BIP-39. */
const PAYEE = 'AcvxeUY82zoa74X4nwaf8y1YntQKmrTh42';
const AMOUNT = 12_345n;
/** How long nothing more is told once everything is handled. */
const QUIET_MS = 3_000;

/** @typedef {{ id: number, stage: string, amount: bigint | null }} Told */

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ blockTime: '500ms' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** Reads on to the next change of our call, and handles what others there are on the way; `null` if none comes in time. @param {import('playwright-core').Page} page @param {number} patienceMs @returns {Promise<Told | null>} */
function next(page, patienceMs) {
  return page.evaluate(async ({ key, patienceMs }) => {
    const antiphon = document.querySelector('antiphon-player')?.antiphon;
    if (antiphon == null) throw new Error('no client');
    const signal = AbortSignal.timeout(patienceMs);
    for (;;) {
      const event = await antiphon.nextEvent({ signal }).catch(() => null);
      if (event === null) return null;
      if (event.call.key === key) return { id: event.id, stage: event.call.stage, amount: event.call.amount };
      await antiphon.eventHandled(event.id);
    }
  }, { key: KEY, patienceMs });
}

/** @param {import('playwright-core').Page} page @param {number} id */
function handle(page, id) {
  return page.evaluate((id) => document.querySelector('antiphon-player')?.antiphon?.eventHandled(id), id);
}

test('a change that a page did not handle before it crashed is told to the next one, and once it is handled to none', async () => {
  const payer = await Listener.open(browser, network.url, 'payer');
  await payer.fund();
  const pay = (/** @type {import('playwright-core').Page} */ page) => page.evaluate(async ({ key, payee, amount }) => {
    const call = await document.querySelector('antiphon-player')?.antiphon?.once(key).transfer(payee, amount);
    return call?.stage;
  }, { key: KEY, payee: PAYEE, amount: AMOUNT });
  await pay(payer.page);
  const told = await next(payer.page, 20_000);
  assert.equal(told?.amount, AMOUNT);

  // Its process dies as it would for want of memory: no goodbye, and nothing was handled.
  const context = payer.page.context();
  const crashed = payer.page.waitForEvent('crash');
  payer.page.goto('chrome://crash').catch(() => {});
  await crashed;
  const page = await context.newPage();
  await page.addInitScript(watch);
  await page.goto(network.url);
  const again = new Listener({ page, diary: payer.diary, close: payer.close });
  await until('the next page has a client', () => again.hasClient(), 20_000, () => again.explain());

  // Who calls once more with the key is told how far it is, and pays nothing.
  assert.ok(['pending', 'included', 'settled', 'final'].includes(String(await pay(page))));
  const first = await next(page, 20_000);
  assert.ok(first !== null && first.id >= (told?.id ?? 0) && first.amount === AMOUNT, 'it is told again');
  for (let change = first; change.stage !== 'final';) {
    await handle(page, change.id);
    const more = await next(page, 20_000);
    assert.ok(more !== null && more.id > change.id, `after ${change.stage} something comes`);
    change = more;
    if (change.stage === 'final') await handle(page, change.id);
  }
  if (first.stage === 'final') await handle(page, first.id);

  await page.reload();
  await until('the page has a client again', () => again.hasClient(), 20_000, () => again.explain());
  assert.equal(await next(page, QUIET_MS), null, 'what is handled is not told again');
  const sent = await page.evaluate((key) => document.querySelector('antiphon-player')?.antiphon?.calls().then((calls) => calls.filter((call) => call.key === key).map(({ stage }) => stage)), KEY);
  assert.deepEqual(sent, ['final'], 'one call, and it is paid');
  const found = await page.evaluate((payee) => document.querySelector('antiphon-player')?.antiphon?.findAccount(payee, 'final').then(({ operational }) => operational), PAYEE);
  assert.equal(found, AMOUNT, 'and once');
  await payer.close();
});
