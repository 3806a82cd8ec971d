// A pool that was opened in a browser that is lost: the words alone find it, and what is left in it comes back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { Purse } from './lab/purse.mjs';

/** How long a pool of an hour of one-second blocks may take here: two minutes, and as much again. */
const POOL_MS = 300_000;
/** Why nothing is signed for a pool of another device. */
const FROZEN = 'payer/frozen-other-device';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ blockTime: '30ms' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** What the list of locked pools says of the one in it. @param {Purse} purse */
const freeze = (purse) => purse.get('locked-pool').getAttribute('data-freeze', { timeout: 1_000 }).catch(() => null);

test('words alone find the pool of a lost browser, frozen, and take back what is left in it', async () => {
  const ann = await Purse.open(browser, network.url, 'ann');
  await ann.fund();
  const funded = await ann.balance();
  const words = await ann.writeDown();
  await ann.page.locator('#view-listen').click();
  await ann.sees('the stream', () => ann.page.evaluate(() => document.querySelector('antiphon-player')?.snapshot().stream !== null));
  await ann.page.getByTestId('deposit').fill('1');
  await ann.page.getByTestId('open-pool').click();
  await ann.page.locator('#view-wallet').click();
  await ann.sees('the pool, proven', async () => /comes back from block/.test(await ann.get('locked-pool').innerText({ timeout: 1_000 }).catch(() => '')), 60_000);
  await ann.sees('what it cost', async () => (await ann.balance()) < funded);
  const left = await ann.balance();
  const pool = await ann.get('locked-pool').locator('a').getAttribute('href');
  assert.deepEqual(ann.diary.errors, []);
  // All that this browser stored goes with its context.
  await ann.close();

  const cy = await Purse.open(browser, network.url, 'cy');
  await cy.sees('a proven balance', async () => (await cy.balance()) === 0n);
  await cy.get('find-pools').click();
  await cy.sees('that a newcomer has none', async () => /^No other pool .* All that it has sent was read/.test(await cy.said('backup-said')));
  assert.match(await cy.bringBack(words.join(' ')), /Words do not know of pools/);
  await cy.sees("Ann's money", async () => (await cy.balance()) === left);
  assert.equal(await cy.get('locked').getAttribute('data-count'), '0', 'words alone know no pool');
  await cy.get('find-pools').click();
  await cy.sees('that one is found', async () => /^One pool found, frozen/.test(await cy.said('backup-said')), 60_000);
  await cy.sees('the pool, frozen', async () => (await freeze(cy)) === FROZEN);
  assert.equal(await cy.get('locked-pool').locator('a').getAttribute('href'), pool);
  await cy.sees('when it comes back', async () => /comes back from block/.test(await cy.get('locked-pool').innerText()));
  await cy.page.reload();
  await cy.isUp();
  await cy.sees('it after a reload, frozen still', async () => (await freeze(cy)) === FROZEN);
  await cy.get('find-pools').click();
  await cy.sees('that there is no other', async () => /^No other pool/.test(await cy.said('backup-said')), 60_000);

  await cy.sees('that it is free', () => cy.get('release').isEnabled(), POOL_MS);
  await cy.get('release').click();
  await cy.sees('nothing locked', async () => (await cy.get('locked').getAttribute('data-count')) === '0', 60_000);
  await cy.sees('the money back', async () => (await cy.balance()) > left, 60_000);
  const fees = funded - (await cy.balance());
  assert.ok(fees > 0n && fees < 10_000n, `all but two fees: ${fees}`);
  await cy.get('find-pools').click();
  // All blocks of this test are read once more.
  await cy.sees('that nothing is left to find', async () => /^No other pool .* All that it has sent was read/.test(await cy.said('backup-said')), POOL_MS);
  assert.deepEqual(cy.diary.errors, []);
  await cy.close();
});
