// A room that lives on: a page that comes later is let in, one that goes takes its money along, and the others play on.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { RoomPage, units } from './lab/room.mjs';

/** What fees and a leader's bond may move, beside a token that is at stake. */
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

test('a later page joins a running field, one leaves it with its money, and the others play on', async (t) => {
  const enter = (/** @type {string} */ name) => RoomPage.enter(browser, network.url, 'choir', name);
  const [ada, bel, cyd] = await Promise.all(['ada', 'bel', 'cyd'].map(enter));
  assert.ok(ada !== undefined && bel !== undefined && cyd !== undefined);
  const first = [ada, bel, cyd];
  await Promise.all(first.map((page) => page.fund()));
  await Promise.all(first.map((page) => page.sees('both others', async () => (await page.around()) === 2)));
  await ada.page.getByTestId('propose').click();
  for (const page of [bel, cyd]) {
    await page.reaches('invited');
    await page.press('field-accept');
  }
  await Promise.all(first.map((page) => page.reaches('open')));
  await ada.burst('0.00001', 20);
  await bel.sees('forty payments committed', async () => (await bel.field()).committed >= 40);

  const dot = await enter('dot');
  await dot.fund();
  const rich = await dot.finalBalanceSettled();
  await ada.sees('three others', async () => (await ada.around()) === 3);
  // In the middle of a burst: the round is closed, and what is not in it waits.
  await Promise.all(first.map((page) => page.burst('0.00001', 200)));
  await ada.press('field-admit');
  await dot.reaches('invited');
  for (const page of [bel, cyd]) {
    await page.sees('what it is asked', () => page.isAsked());
    await page.press('field-agree');
  }
  const asked = performance.now();
  await dot.press('field-accept');
  const all = [...first, dot];
  await Promise.all(all.map((page) => page.begins(1)));
  t.diagnostic(`joined ${((performance.now() - asked) / 1000).toFixed(1)} s after the last signature`);
  assert.equal((await dot.field()).own, String(units(1)));
  const total = 40 + 200 * 2 * 3;
  await Promise.all(all.map((page) => page.sees(`${total} payments committed`, async () => (await page.field()).committed >= total, 60_000)));
  await dot.burst('0.00002', 50);
  await Promise.all(all.map((page) => page.sees('what the newcomer paid', async () => (await page.field()).committed >= total + 150)));

  // Bel leaves: nobody is asked but who comes to lead, if that is another one.
  const has = BigInt((await bel.field()).own);
  const before = (await bel.finalBalance()) ?? 0n;
  await bel.press('field-leave');
  const staying = [ada, cyd, dot];
  /** @type {RoomPage | undefined} */ let next;
  await until('the field of three', async () => {
    const waits = await Promise.all(staying.map((page) => page.isAsked()));
    if (next === undefined) {
      next = staying.find((_, at) => waits[at]);
      await next?.press('field-agree');
    }
    // What the others may not be: asked.
    assert.ok(staying.every((page, at) => page === next || !waits[at]), 'only who comes to lead is asked');
    return (await Promise.all(staying.map((page) => page.field()))).every(({ version }) => version === 2);
  }, 60_000, () => bel.diary.tail());
  await bel.reaches('left');
  // If Bel led, its bond comes back with it, and it has paid for the signatures.
  await bel.sees('what it had, final', async () => {
    const more = ((await bel.finalBalance()) ?? 0n) - before - has;
    return more < FEES && more > -FEES;
  }, 90_000);
  await dot.burst('0.00001', 10);
  await Promise.all(staying.map((page) => page.sees('what is paid without Bel', async () => (await page.field()).committed >= total + 170)));
  const shown = await Promise.all(staying.map((page) => page.field()));
  assert.deepEqual(shown[1]?.balances, shown[0]?.balances);
  assert.deepEqual(shown[2]?.balances, shown[0]?.balances);
  const sum = (shown[0]?.balances ?? []).reduce((sum, [, held]) => sum + BigInt(held ?? 0), 0n);
  assert.equal(sum, units(4) + 1n - has, 'what Bel took is what is gone');

  const own = BigInt((await dot.field()).own);
  await cyd.press('field-close');
  await Promise.all(staying.map((page) => page.reaches('closed')));
  await dot.sees('its money final', async () => {
    const final = (await dot.finalBalance()) ?? 0n;
    const fair = rich - units(1) + own;
    return final <= fair && fair - final < FEES;
  }, 90_000);
  for (const page of all) assert.deepEqual(page.diary.errors, []);
  await Promise.all(all.map((page) => page.close()));
});
