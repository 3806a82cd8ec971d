// What a wallet says of a past that it has not seen: blocks that passed while its page was closed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { Purse } from './lab/purse.mjs';

/** What one Tansen is in smallest units. */
const ONE = 100_000_000n;
/** More blocks than the wallet reads at once. */
const MANY = 250;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ blockTime: '100ms' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** The newest settled block that this page believes. @param {Purse} purse */
const settled = (purse) => purse.page.evaluate(() => document.querySelector('antiphon-player')?.antiphon?.snapshot().chain.settled ?? 0);

/** Its balance, in smallest units. @param {Purse} purse */
const worth = (purse) => purse.page.evaluate(() => document.querySelector('antiphon-player')?.antiphon?.snapshot().wallet.account?.balance.value ?? 0n);

test('what happened while the page was closed for too long is a gap with the balance before it, and what came after is read', async () => {
  const [ann, bob] = await Promise.all(['ann', 'bob'].map((name) => Purse.open(browser, network.url, name)));
  assert.ok(ann && bob);
  await Promise.all([ann, bob].map((purse) => purse.fund()));
  const [before, to] = [await ann.balance(), await ann.address()];
  await ann.sees('what it has read', async () => (await ann.get('past').locator('[data-testid=entry]').count()) === 1);
  assert.equal(await ann.get('past').getByTestId('gap').count(), 0);
  const left = await settled(ann);
  await ann.page.goto('about:blank');

  // Whoever pays has another view open, which reads no blocks of its own.
  await bob.page.locator('#view-listen').click();
  /** @param {bigint} amount */
  const pay = async (amount) => {
    const had = await worth(bob);
    await bob.page.evaluate(({ to, amount }) => document.querySelector('antiphon-player')?.antiphon?.transfer(to, amount, 'operational'), { to, amount: amount * ONE });
    await bob.sees(`that ${amount} have left`, async () => (await worth(bob)) < had, 60_000);
  };
  await pay(3n);
  const paid = await settled(bob);
  await bob.sees('many blocks', async () => (await settled(bob)) > paid + MANY, 120_000);
  await pay(4n);

  await ann.page.goto(`${network.url}#/wallet`);
  await ann.isUp();
  await ann.sees('both payments in the balance', async () => (await ann.balance()) === before + 7n * ONE, 60_000);
  const gap = ann.get('past').getByTestId('gap');
  await ann.sees('the gap', async () => (await gap.count()) === 1, 120_000);
  const [, from, until, was] = /^Blocks ([\d,]+) to ([\d,]+) were not read: .* The balance was ([\d.]+) before\.$/.exec(await gap.innerText()) ?? [];
  const height = (/** @type {string | undefined} */ text) => Number(text?.replaceAll(',', ''));
  assert.ok(height(from) <= left + 1 && height(until) >= paid, await gap.innerText());
  assert.equal(BigInt(was ?? 0) * ONE, before);
  // The gap is told first; the blocks behind it are read one after the other.
  await ann.sees('what came after', async () => (await ann.get('past').locator('[data-testid=entry]').count()) === 2, 60_000);
  const units = await ann.get('past').locator('[data-testid=entry]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-units')));
  assert.deepEqual(units, [String(4n * ONE), String(before)], 'what came in the gap is in no line');
  await ann.page.reload();
  await ann.isUp();
  await ann.sees('the gap again, and no other', async () => (await gap.count()) === 1);
  assert.deepEqual([ann, bob].flatMap(({ diary }) => diary.errors), []);
});
