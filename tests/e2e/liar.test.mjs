// A node that lies is found out: typed errors, words on the page, and no false number.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { forgeAmount, startLiar } from './lab/liar.mjs';
import { startNetwork } from './lab/network.mjs';

/** What the faucet pays, and a pool's deposit of 1, in smallest units. */
const FAUCET = 10_000_000_000n;
const DEPOSIT = 100_000_000n;

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

/**
 * Opens the site with a lying node, and closes both at the end.
 * @param {import('./lab/liar.mjs').Lie} lie @param {(listener: Listener) => Promise<void>} story
 */
async function withLiar(lie, story) {
  const liar = await startLiar(network.page.node, lie);
  await network.configure({ node: liar.url });
  const listener = await Listener.open(browser, network.url, 'listener');
  try {
    await story(listener);
  } finally {
    await listener.close();
    await network.configure({ node: network.page.node });
    liar.close();
  }
}

/** @param {Listener} listener @param {RegExp} code */
async function refuses(listener, code) {
  const seen = await listener.sees(`a problem like ${code}`, ({ problems }) => problems.some((problem) => code.test(problem.code)), 40_000);
  assert.notEqual(await listener.page.getByTestId('problems').getAttribute('data-count'), '0', 'the page says it');
  return seen;
}

test('a forged balance is refused', async () => {
  await withLiar({ proof: (proof) => forgeAmount(proof, FAUCET, FAUCET * 10n) }, async (listener) => {
    await listener.sees('the chain is verified', ({ chain }) => chain.settled > 0, 30_000);
    await listener.page.getByTestId('faucet').click();
    const { wallet } = await refuses(listener, /^state-proof\//);
    assert.ok((wallet.account?.balance.value ?? 0n) < FAUCET, 'no forged number is shown');
  });
});

test('a forged pool is refused', async () => {
  await withLiar({ proof: (proof) => forgeAmount(proof, DEPOSIT, DEPOSIT * 10n) }, async (listener) => {
    await listener.play();
    await listener.sees('the chain is verified', ({ chain }) => chain.settled > 0, 30_000);
    await listener.page.getByTestId('faucet').click();
    await listener.sees('the balance is proven', ({ wallet }) => wallet.account?.balance.value === FAUCET, 30_000);
    await listener.page.getByTestId('open-pool').click();
    const { wallet } = await refuses(listener, /^state-proof\//);
    assert.equal(wallet.pool?.deposit ?? null, null, 'no forged deposit is shown');
  });
});

test('a checkpoint that too few guardians signed is refused', async () => {
  // Last come the bitmap of signers, one byte for seven guardians, and the signature of 96 bytes.
  const alone = (/** @type {string} */ path, /** @type {Buffer} */ body) => {
    if (path.startsWith('/light/checkpoint/') && body.length > 97) body[body.length - 97] = 1;
    return body;
  };
  await withLiar({ file: alone }, async (listener) => {
    const { chain } = await refuses(listener, /^certificate\/below-quorum$/);
    assert.equal(chain.final, 0, 'nothing is final');
  });
});

test('the spec of another chain is refused', async () => {
  const alter = (/** @type {string} */ path, /** @type {Buffer} */ body) => {
    if (path.startsWith('/light/spec/')) body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
    return body;
  };
  await withLiar({ file: alter }, async (listener) => {
    const { chain } = await refuses(listener, /^light\/wrong-(spec|chain|content)$/);
    assert.equal(chain.settled, 0, 'nothing is believed');
    await listener.play(); // And the music plays all the same, over HTTP.
  });
});
