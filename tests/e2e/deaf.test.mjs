// A browser that has no decoder for the stream, as Firefox is without the libavcodec of its system.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { startNetwork } from './lab/network.mjs';

/** @typedef {import('antiphon/player').AntiphonPlayer} Player */
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

/** Lets every decoder be refused; runs in the page. */
function refuseDecoders() {
  MediaSource.prototype.addSourceBuffer = () => {
    throw new DOMException('no decoder', 'NotSupportedError');
  };
}

test('a page that cannot decode the stream says so, instead of waiting', async () => {
  const { page, close } = await openPage(browser, network.url, 'deaf', refuseDecoders);
  const player = page.locator('antiphon-player');
  await player.evaluate((/** @type {Player} */ element) => void element.play().catch(() => {}));
  await until('the player gives up', () => player.evaluate((/** @type {Player} */ element) => element.state === 'failed'));
  assert.match(await page.getByTestId('problems').innerText(), /cannot decode/);
  await close();
});
