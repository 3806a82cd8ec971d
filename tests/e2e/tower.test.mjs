// All honest pages are gone, and the one that is left closes the field with an old state: the watch-tower shows the newest one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { copyOfDisk, restoreDisk, RoomPage, units } from './lab/room.mjs';

/** What fees and the bond of a closer that was superseded may cost a page. */
const FEES = units(1) / 100n;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ blockTime: '300ms' });
  await network.configure({ stream: '' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** What a page would have after a close with what it has now. @param {RoomPage} page @param {bigint} before */
async function fairOf(page, before) {
  return before - units(1) + BigInt((await page.field()).own);
}

test('a stale close while all honest pages are gone ends with the newest state that the tower was told', async (t) => {
  const { url, page: { chain } } = network;
  const pages = await Promise.all(['ada', 'bel', 'eve'].map((name) => RoomPage.enter(browser, url, 'deserted', name)));
  const [ada, bel, eve] = pages;
  assert.ok(ada !== undefined && bel !== undefined && eve !== undefined);
  await Promise.all(pages.map((page) => page.fund()));
  const before = await Promise.all(pages.map((page) => page.finalBalanceSettled()));
  await Promise.all(pages.map((page) => page.sees('both others', async () => (await page.around()) === 2)));
  await ada.page.getByTestId('propose').click();
  for (const page of [bel, eve]) {
    await page.reaches('invited');
    await page.press('field-accept');
  }
  await Promise.all(pages.map((page) => page.reaches('open')));

  await ada.burst('0.00001', 1);
  await Promise.all(pages.map((page) => page.sees('the first round', async () => (await page.field()).committed >= 2)));
  const backup = await copyOfDisk(eve.page, chain);
  const old = await eve.field();
  // What Eve pays from now on, she would like not to have paid.
  await eve.burst('0.002', 100);
  await Promise.all(pages.map((page) => page.sees('what Eve pays', async () => (await page.field()).committed >= 202)));
  const last = await bel.field();
  await bel.sees('that the tower has it', async () => (await bel.watched()) >= last.round);
  assert.ok(BigInt(old.own) - BigInt((await eve.field()).own) === units(4) / 10n, 'a stale close would be worth it');
  const fair = await Promise.all(pages.map((page, at) => fairOf(page, before[at] ?? 0n)));

  await bel.close();
  await ada.page.goto('about:blank');
  await eve.page.goto(`${url}config.json`);
  await restoreDisk(eve.page, chain, backup);
  await eve.page.goto(`${url}#/room/deserted`);
  await eve.reaches('open');
  const restored = await eve.field();
  assert.deepEqual([restored.round, restored.own], [old.round, old.own], 'Eve has forgotten');
  assert.equal(await eve.around(), 0);
  const closing = performance.now();
  await eve.press('field-close');
  await eve.reaches('closing', 90_000);
  await eve.reaches('closed', 180_000);
  t.diagnostic(`closed ${((performance.now() - closing) / 1000).toFixed(1)} s after it was asked for, with Eve alone`);
  await eve.sees('the newest state enforced, final', async () => {
    const final = (await eve.finalBalance()) ?? 0n;
    return final <= (fair[2] ?? 0n) && (fair[2] ?? 0n) - final < FEES;
  }, 90_000);

  // Ada comes back when all is over.
  await ada.page.goto(`${url}#/room/deserted`);
  await ada.reaches('closed');
  await ada.sees('all that Eve paid her, final', async () => {
    const final = (await ada.finalBalance()) ?? 0n;
    return final <= (fair[0] ?? 0n) && (fair[0] ?? 0n) - final < FEES;
  }, 90_000);
  assert.deepEqual([...ada.diary.errors, ...eve.diary.errors], []);
  await Promise.all([ada, eve].map((page) => page.close()));
});
