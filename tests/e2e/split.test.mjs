// A chain that has really split: the same guardians go on twice from one copy of their disk, and sign two blocks of one height.

import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { freePort, Service, startNetwork } from './lab/network.mjs';
import { Purse } from './lab/purse.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {Service} */ let twin;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork({ blockTime: '300ms' });
  const [data, copy, port] = [join(network.data, 'chain'), join(network.data, 'twin'), await freePort()];
  await network.chain.stop();
  await cp(data, copy, { recursive: true });
  twin = new Service(network.chain.words.map((word) => (word === data ? copy : word.startsWith('127.0.0.1:') ? `127.0.0.1:${port}` : word)));
  await Promise.all([network.chain.start(), twin.start()]);
  await network.configure({ witness: String(twin.ready.base) });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await twin?.stop();
  await network?.close();
});

/** A checkpoint as a node serves it to everybody. @param {unknown} base @param {number} height */
async function checkpoint(base, height) {
  const response = await fetch(`${base}/light/final/${height}`);
  return response.ok ? Buffer.from(await response.arrayBuffer()) : null;
}

test('a wallet shows that its chain has split, and saves the proof: both checkpoints, as the two nodes serve them', async () => {
  const ann = await Purse.open(browser, network.url, 'ann');
  const button = ann.get('evidence-split');
  await until('the wallet says so', () => button.isVisible(), 90_000, () => ann.diary.tail());
  assert.match(await ann.get('evidence').innerText(), /two certificates that cannot both be honest/);
  const { chain } = await ann.page.evaluate(() => /** @type {any} */ (document.querySelector('antiphon-player')).snapshot());
  assert.equal(chain.standing, 'split');

  const [download] = await Promise.all([ann.page.waitForEvent('download'), button.click()]);
  assert.equal(download.suggestedFilename(), `antiphon-split-${chain.id.slice(0, 8)}.bin`);
  const proof = await readFile(await download.path());
  let shown = 0;
  for (let height = chain.spec.interval; shown === 0; height += chain.spec.interval) {
    const [one, other] = await Promise.all([network.chain.ready.base, twin.ready.base].map((base) => checkpoint(base, height)));
    assert.ok(one && other, `no checkpoint at ${height}, and none before is in the proof`);
    if (!one.equals(other) && proof.includes(one) && proof.includes(other)) shown = height;
  }

  // Nothing more is signed on such a chain.
  const refusal = await ann.page.evaluate(() => {
    const { antiphon } = /** @type {any} */ (document.querySelector('antiphon-player'));
    return antiphon.transfer(antiphon.snapshot().wallet.address, 1n, 'operational').then(() => 'sent', (/** @type {any} */ error) => error.code);
  });
  assert.equal(refusal, 'client/stale', 'no block of it is believed');
  assert.deepEqual(ann.diary.errors, []);
});
