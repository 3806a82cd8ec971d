// Three pages share a payment field: ten thousand payments off the chain, one close, and what the guardians make final of it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { RoomPage, units } from './lab/room.mjs';

/** How often each page pays each other one: with three pages, 10 002 payments. */
const TIMES = 1_667;
/** What each payment of each page is, in tokens and in smallest units: each gets another sum than it gives. */
const PRICES = /** @type {const} */ ([['0.00001', 1_000n], ['0.00002', 2_000n], ['0.00004', 4_000n]]);
/** What fees may cost a page: opening and closing, one for each signature. */
const FEES = units(1) / 100n;

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

/** Three pages in one room, with money. @param {string} room */
async function meet(room) {
  const pages = await Promise.all(['ada', 'bel', 'cyd'].map((name) => RoomPage.enter(browser, network.url, room, name)));
  await Promise.all(pages.map((page) => page.fund()));
  await Promise.all(pages.map((page) => page.sees('both others', async () => (await page.around()) === 2)));
  return pages;
}

/** Opens a field of one token each, led by the first. @param {RoomPage[]} pages */
async function share(pages) {
  const [leader, ...others] = pages;
  assert.ok(leader !== undefined);
  await leader.page.getByTestId('propose').click();
  for (const page of others) {
    await page.reaches('invited');
    await page.press('field-accept');
  }
  await Promise.all(pages.map((page) => page.reaches('open')));
}

test('three pages make ten thousand payments in a field, close it, and see every balance final', async (t) => {
  const pages = await meet('choir');
  const before = await Promise.all(pages.map(async (page) => {
    await page.sees('its money final', async () => (await page.finalBalance() ?? 0n) > 0n, 60_000);
    return (await page.finalBalance()) ?? 0n;
  }));
  await share(pages);
  const total = TIMES * pages.length * (pages.length - 1);
  const start = performance.now();
  await Promise.all(pages.map((page, index) => page.burst(PRICES[index]?.[0] ?? '', TIMES)));
  await Promise.all(pages.map((page) => page.sees(`${total} payments committed`, async () => (await page.field()).committed >= total, 180_000)));
  const seconds = (performance.now() - start) / 1000;
  t.diagnostic(`${total} payments committed by all of three pages in ${seconds.toFixed(1)} s: ${(total / seconds).toFixed(0)} a second`);
  const shown = await Promise.all(pages.map((page) => page.field()));
  assert.deepEqual(shown[1]?.balances, shown[0]?.balances);
  assert.deepEqual(shown[2]?.balances, shown[0]?.balances);
  const sum = (shown[0]?.balances ?? []).reduce((all, [, held]) => all + BigInt(held ?? 0), 0n);
  assert.equal(sum, units(3) + 1n, 'what was locked is what there is');
  const prices = PRICES.reduce((all, [, price]) => all + price, 0n);
  const gains = PRICES.map(([, price]) => BigInt(TIMES) * (prices - 3n * price));
  // The first leads, and has locked a unit more.
  for (const [index, field] of shown.entries()) assert.equal(BigInt(field.own), units(1) + (gains[index] ?? 0n) + (index === 0 ? 1n : 0n));
  await pages[1]?.press('field-close');
  await Promise.all(pages.map((page) => page.reaches('closed')));
  for (const [index, page] of pages.entries()) {
    const fair = (before[index] ?? 0n) + (gains[index] ?? 0n);
    await page.sees('what it was paid, final', async () => {
      const final = (await page.finalBalance()) ?? 0n;
      return final <= fair && fair - final < FEES;
    }, 90_000);
    await page.sees('the field final, too', async () => (await page.field()).level === 'final');
    assert.deepEqual(page.diary.errors, []);
  }
  await Promise.all(pages.map((page) => page.close()));
});

test('the leader is killed in mid-round: nobody loses a committed payment, and the others are paid by the chain', async (t) => {
  const pages = await meet('orphans');
  const [leader, bel, cyd] = pages;
  assert.ok(leader !== undefined && bel !== undefined && cyd !== undefined);
  await Promise.all([bel, cyd].map((page) => page.sees('its money final', async () => (await page.finalBalance() ?? 0n) > 0n, 60_000)));
  const before = await Promise.all([bel, cyd].map((page) => page.finalBalance()));
  await share(pages);
  await Promise.all(pages.map((page, index) => page.burst(PRICES[index]?.[0] ?? '', 500)));
  await bel.sees('a round committed', async () => (await bel.field()).committed > 0);
  await leader.page.close();
  const last = await until('both have the same newest state', async () => {
    const [one, two] = await Promise.all([bel.field(), cyd.field()]);
    return one.round === two.round && one.round > 0 ? one : null;
  }, 30_000, () => bel.diary.tail());
  t.diagnostic(`killed after round ${last.round}, ${last.committed} payments committed`);
  await bel.press('field-close');
  await Promise.all([bel, cyd].map((page) => page.reaches('closed', 180_000)));
  const [one, two] = await Promise.all([bel.field(), cyd.field()]);
  assert.ok(one.round >= last.round && one.round === two.round, 'the chain enforced what was committed');
  for (const [index, page] of [bel, cyd].entries()) {
    const fair = (before[index] ?? 0n) - units(1) + BigInt((await page.field()).own);
    await page.sees('what it was paid, final', async () => {
      const final = (await page.finalBalance()) ?? 0n;
      // Who closes alone is given its bond back.
      return (await page.field()).level === 'final' && final <= fair && fair - final < FEES;
    }, 90_000);
  }
  await Promise.all([bel, cyd].map((page) => page.close()));
});
