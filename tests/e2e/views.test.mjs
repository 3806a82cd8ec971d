// One page is a listener or in a room; either may look at the chain and come back.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';
import { RoomPage } from './lab/room.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

test('a page in a room looks at the chain and is in its room still; only listening begins anew', async () => {
  const ada = await RoomPage.enter(browser, network.url, 'a room', 'ada');
  const { page } = ada;
  await page.evaluate(() => Object.assign(window, { isOld: true }));
  const isOld = () => page.evaluate(() => 'isOld' in window);
  await page.locator('#view-explore').click();
  await ada.sees('the chain', () => page.locator('#explore').isVisible());
  assert.ok(await isOld(), 'it was not loaded again');
  await page.locator('#view-room').click();
  await ada.sees('its room', () => page.locator('#room').isVisible());
  assert.equal(new URL(page.url()).hash, '#/room/a%20room');
  assert.ok(await isOld());
  assert.ok((await page.locator('#room-said').innerText()).startsWith('You are in a room'));
  await page.locator('#view-listen').click();
  // While it is being left, nobody answers.
  await ada.sees('that it has begun anew', async () => !(await isOld().catch(() => true)));
  await ada.sees('the stream', async () => (await page.locator('antiphon-player').getAttribute('src')) !== null);
  assert.deepEqual(ada.diary.errors, []);
  await ada.close();
});
