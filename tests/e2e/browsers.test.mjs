// A page in Chromium and one in Firefox carry one stream for each other, and pay for it.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { startFirefox } from './lab/firefox.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { openPuppet } from './lab/puppet.mjs';

/** Bytes that each must get from the other: more than one lucky chunk. */
const CARRIED = 40_000;
/** Seconds behind the newest segment: on a slow machine, too, whoever is not drawn can wait until whoever is has looked at the playlist. */
const BEHIND_S = 12;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let chromium;
/** @type {Awaited<ReturnType<typeof startFirefox>>} */ let firefox;

before(async () => {
  network = await startNetwork();
  [chromium, firefox] = await Promise.all([startBrowser(), startFirefox()]);
});
after(async () => {
  await firefox?.close();
  await chromium?.close();
  await network?.close();
});

test('Chromium and Firefox carry chunks to each other, and each is paid', async (t) => {
  const pages = [
    await Listener.open(chromium, network.url, 'chromium'),
    await openPuppet(firefox.browser, network.url, 'firefox'),
  ];
  for (const page of pages) {
    await page.aim(BEHIND_S);
    await page.fund();
    await page.play();
  }
  for (const page of pages) {
    const { delivery, wallet } = await page.sees(
      'it was given chunks, gave some, and was paid for them',
      (shown) => shown.delivery.fromPeers > CARRIED && shown.delivery.chunksServed > 0 && shown.wallet.vouchersIn > 0n && shown.wallet.vouchersOut > 0n,
      180_000,
      pages.filter((other) => other !== page),
    );
    t.diagnostic(`${page.diary.name}: ${delivery.fromPeers} bytes from the other, ${delivery.toPeers} to it, ${wallet.vouchersIn} earned, ${wallet.vouchersOut} spent`);
    assert.equal(delivery.bad, 0);
    assert.deepEqual(page.diary.errors, []);
  }
  for (const page of pages) await page.close();
});
