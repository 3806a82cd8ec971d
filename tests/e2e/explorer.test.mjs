// The explorer shows the chain live, each value with what proves it; a node that lies is refused, and its numbers are not shown.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { forgeAmount, startLiar } from './lab/liar.mjs';
import { startNetwork } from './lab/network.mjs';

/** What the faucet pays of either token, in smallest units. */
const FAUCET = 10_000_000_000n;
const FAUCET_STAKE = 1_000_000_000n;
/** Blocks for which a leaving bond is held in this test. */
const UNBOND = 60;

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener} */ let listener;
/** @type {import('playwright-core').Page} */ let page;

before(async () => {
  network = await startNetwork({ stake: ['--stake', '--unbond', String(UNBOND)], blockTime: '500ms' });
  browser = await startBrowser();
  listener = await Listener.open(browser, network.url, 'explorer');
  page = listener.page;
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** Opens a place of the explorer and waits for what is found there. @param {string} hash @param {Listener} [at] */
async function open(hash, at = listener) {
  await at.page.evaluate((hash) => { location.hash = hash; }, hash);
  await at.page.locator('#found .heading, #found .refused').first().waitFor({ timeout: 20_000 });
}

/** What a find says it rests on. @param {Listener} [at] */
async function proven(at = listener) {
  const box = at.page.getByTestId('proven');
  const [level, height, root, way] = await Promise.all([
    box.getAttribute('data-level'), box.getAttribute('data-height'), box.getAttribute('data-root'), at.page.getByTestId('way').innerText(),
  ]);
  return { level, height: Number(height), root, way };
}

test('the staff and the three heads move while one looks', async () => {
  await page.evaluate(() => { location.hash = '#/chain'; });
  await listener.sees('the first checkpoint is final', ({ chain }) => chain.final >= 10, 60_000);
  const head = async (/** @type {string} */ level) => {
    const shown = page.getByTestId(`explore-${level}`);
    return (await shown.count()) === 0 ? 0 : Number(await shown.getAttribute('data-height'));
  };
  const before = { final: await head('final'), settled: await head('settled') };
  await until('the settled head moves', async () => (await head('settled')) > before.settled + 2, 20_000, () => listener.explain());
  await until('the final head moves', async () => (await head('final')) > before.final, 40_000, () => listener.explain());
  const levels = () => page.locator('#staff .note').evaluateAll((notes) => notes.map((note) => note.getAttribute('data-level')));
  await until('the staff tells levels apart', async () => (await levels()).includes('final') && (await levels()).includes('settled'), 20_000, () => listener.explain());
  assert.match(await page.getByTestId('hint').innerText(), /The node says/, 'what cannot be proven is named a hint');
  const { chain } = await listener.snapshot();
  for (const { level, height, block, root, how } of chain.heads) {
    assert.ok(level && height > 0 && /^[0-9a-f]{64}$/.test(block) && /^[0-9a-f]{64}$/.test(root) && how, 'a head says all that it rests on');
  }
});

test('a checkpoint shows who signed it, their weight and the quorum', async () => {
  await open('#/checkpoint/10');
  const ring = page.locator('#found [data-testid=guardians]');
  const number = async (/** @type {string} */ name) => BigInt((await ring.getAttribute(`data-${name}`)) ?? '0');
  const [signed, quorum, total] = await Promise.all([number('signed'), number('quorum'), number('total')]);
  assert.equal(quorum, (total * 2n) / 3n + 1n);
  assert.ok(signed >= quorum && signed <= total, `${signed} of ${total}`);
  assert.equal(await ring.locator('.arc').count(), 7);
  const { level, height, root } = await proven();
  assert.deepEqual([level, height], ['final', 10]);
  assert.match(root ?? '', /^[0-9a-f]{64}$/);
});

test('a block below the checkpoints is found by certificate and hashes, with its signers', async () => {
  await listener.sees('there are two checkpoints', ({ chain }) => chain.final >= 20, 60_000);
  await open('#/block/13');
  const { level, height, way } = await proven();
  assert.deepEqual([level, height], ['final', 13]);
  assert.match(way, /chain id[^]*final head[^]*7 blocks down[^]*block 13/);
  const ring = page.locator('#found [data-testid=validators]');
  assert.ok(BigInt((await ring.getAttribute('data-signed')) ?? '0') >= BigInt((await ring.getAttribute('data-quorum')) ?? '1'));
});

test('an account, and the transaction that endowed it, are shown with their proofs', async () => {
  await page.evaluate(() => { location.hash = '#/'; });
  await page.getByTestId('faucet').click();
  const { wallet } = await listener.sees('the faucet has paid', ({ wallet: { account } }) => account?.balance.value === FAUCET, 30_000);
  const balance = wallet.account?.balance;
  assert.match(balance?.root ?? '', /^[0-9a-f]{64}$/);
  assert.equal(balance?.how, 'state-proof');
  await open(`#/account/${wallet.address}`);
  await until('the account is there', async () => (await page.getByTestId('found-balance').getAttribute('data-units')) === String(FAUCET), 20_000, () => listener.explain());
  assert.equal(await page.getByTestId('found-staking').getAttribute('data-units'), String(FAUCET_STAKE));
  assert.ok((await page.locator('.climb .knot').count()) > 2, 'its path is drawn');
  const { level, height: top } = await proven();
  assert.equal(level === 'included', false);
  // The block in which it happened, at or below the head that proves it.
  const height = await page.evaluate(async ([own, top]) => {
    const client = document.querySelector('antiphon-player')?.antiphon;
    for (let height = top; height > 0; height -= 1) {
      const { transactions } = await client?.findBlock(height) ?? { transactions: [] };
      if (transactions?.some(({ messages }) => messages.some((message) => message.kind === 'transfer' && message.to === own))) return height;
    }
    return 0;
  }, /** @type {const} */ ([wallet.address ?? '', top]));
  await open(`#/block/${height}`);
  assert.equal(await page.getByTestId('transactions').getAttribute('data-count'), '1');
  assert.match(await page.getByTestId('transactions').innerText(), /100 Tansen to[^]*10 staking tokens to/);
  const id = await page.locator('.transactions li').getAttribute('data-id');
  await page.getByTestId('query').fill(id ?? '');
  await page.getByTestId('query').press('Enter');
  await page.locator('.transactions li[aria-current]').waitFor({ timeout: 10_000 });
});

test('one bonds with a staker, and lets a part leave; elections see it', async () => {
  await open('#/stakers');
  assert.equal(await page.getByTestId('stakers').getAttribute('data-count'), '7');
  const own = page.getByTestId('own-bond');
  const units = async () => ((await own.count()) === 0 ? null : own.first().getAttribute('data-units'));
  const leaving = async () => ((await own.count()) === 0 ? null : own.first().getAttribute('data-leaving'));
  await page.getByTestId('bond-amount').fill('4');
  await page.getByTestId('bond').click();
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await until('four are bonded', async () => (await units()) === '400000000', 40_000, () => listener.explain());
  await page.getByTestId('bond-amount').fill('1.5');
  await page.getByTestId('unbond').click();
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  await until('a part is leaving', async () => (await units()) === '250000000' && (await leaving()) === '1', 40_000, () => listener.explain());
  assert.match(await own.first().innerText(), /1\.5 leaves at block [\d,]+, in about \d+ (s|min)/);
  // A weight that has our half token in it.
  await until('a checkpoint elects anew', () => page.evaluate(async () => {
    const client = document.querySelector('antiphon-player')?.antiphon;
    const { chain } = client?.snapshot() ?? { chain: { final: 0 } };
    const found = chain.final > 0 ? await client?.findCheckpoint(chain.final) : null;
    return found != null && found.guardians.since > 0 && found.guardians.members.some(({ weight }) => weight % 100_000_000n === 50_000_000n);
  }), 60_000, () => listener.explain());
  // Blocks before the election are still found: by hashes, as the old set's signatures prove nothing by themselves.
  await open('#/block/3');
  assert.equal((await proven()).level, 'final');
});

test('the explorer without a mouse, and on a phone', async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  for (const hash of ['#/chain', '#/block/13', '#/checkpoint/10', '#/stakers', '#/']) {
    await page.evaluate((hash) => { location.hash = hash; }, hash);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const [wide, narrow] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(Number(wide) <= Number(narrow), `${hash} is ${wide} wide on a screen of ${narrow}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.evaluate(() => { location.hash = '#/chain'; });
  await page.getByTestId('query').focus();
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-height') ?? document.activeElement?.id ?? document.activeElement?.tagName ?? '');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  const note = await focused();
  assert.match(note, /^\d+$/, 'the first note of the staff');
  await page.keyboard.press('Enter');
  await page.locator('#found .heading').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H2', 'what was found is read next');
  await page.getByTestId('query').fill('');
  await page.getByTestId('query').focus();
  await page.keyboard.type('12');
  await page.keyboard.press('Enter');
  await until('block 12', async () => (await page.getByTestId('found').innerText()) === 'Block 12');
  assert.deepEqual(listener.diary.errors, []);
});

/**
 * Opens the site with a lying node at a place of the explorer.
 * @param {import('./lab/liar.mjs').Lie} lie @param {(liar: Listener) => Promise<void>} story
 */
async function withLiar(lie, story) {
  const server = await startLiar(network.page.node, lie);
  await network.configure({ node: server.url });
  const victim = await Listener.open(browser, network.url, 'victim');
  try {
    await victim.sees('the chain is verified', ({ chain }) => chain.final >= 20, 60_000);
    await story(victim);
  } finally {
    await victim.close();
    await network.configure({ node: network.page.node });
    server.close();
  }
}

/** @param {Listener} victim @param {string} hash @param {RegExp} code */
async function refuses(victim, hash, code) {
  await open(hash, victim);
  const refused = victim.page.getByTestId('refused');
  assert.match((await refused.getAttribute('data-code')) ?? 'shown', code);
  assert.equal(await victim.page.locator('#found dl, #found .committee').count(), 0, 'no value is shown');
}

test('a forged balance is refused in the explorer, too', async () => {
  const own = (await listener.snapshot()).wallet.address;
  await withLiar({ proof: (proof) => forgeAmount(proof, FAUCET, FAUCET * 10n) }, async (victim) => {
    const spent = (await listener.snapshot()).wallet.account?.balance.value ?? 0n;
    assert.notEqual(spent, FAUCET, 'fees were paid, so look at another account');
    const faucet = String(network.chain.ready.faucet);
    await open(`#/account/${faucet}`, victim);
    assert.equal(await victim.page.getByTestId('refused').count(), 0, 'what is not altered is shown');
  });
  const balance = (await listener.snapshot()).wallet.account?.balance.value ?? 0n;
  await withLiar({ proof: (proof) => forgeAmount(proof, balance, balance * 10n) }, (victim) => refuses(victim, `#/account/${own}`, /^state-proof\//));
});

test('a forged header, span, certificate and body are refused', async () => {
  const alter = (/** @type {RegExp} */ path, /** @type {(body: Buffer) => void} */ change) => ({
    file: (/** @type {string} */ name, /** @type {Buffer} */ body) => {
      if (path.test(name) && body.length > 97) change(body);
      return body;
    },
  });
  const flip = (/** @type {Buffer} */ body) => { body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1; };
  // A span that is altered is of no use; the headers are then asked for one by one.
  await withLiar(alter(/^\/light\/(span|header)\//, flip), (victim) => refuses(victim, '#/block/13', /^(light|codec)\//));
  await withLiar(alter(/^\/light\/final\//, (body) => { body[body.length - 97] = 1; }), (victim) => refuses(victim, '#/checkpoint/10', /^certificate\//));
  const height = await page.evaluate(async () => {
    const client = document.querySelector('antiphon-player')?.antiphon;
    const settled = client?.snapshot().chain.settled ?? 0;
    for (let height = settled; height > 0; height -= 1) {
      const { transactions } = await client?.findBlock(height) ?? { transactions: [] };
      if ((transactions?.length ?? 0) > 0) return height;
    }
    return 0;
  });
  await withLiar(alter(/^\/light\/body\//, flip), (victim) => refuses(victim, `#/block/${height}`, /^(lookup\/wrong-body|codec\/)/));
});

test('a second node is compared with, and one that lies is no witness', async () => {
  const honest = await startLiar(network.page.node, {});
  await network.configure({ witness: honest.url });
  const seen = await Listener.open(browser, network.url, 'witnessed');
  try {
    await seen.sees('the witness has the same chain', ({ chain }) => chain.witnesses === 1 && chain.witnessed !== null && chain.witnessed >= 10, 60_000);
    await open('#/checkpoint/10', seen);
    assert.match(await seen.page.getByTestId('proven').innerText(), /has the same checkpoint/);
    assert.equal(await seen.page.evaluate(() => document.querySelector('antiphon-player')?.antiphon?.forkProof()), null, 'nothing has split');
  } finally {
    await seen.close();
    honest.close();
  }
  // Another block at each final height, with the certificate of the right one: it proves no split, and witnesses nothing.
  const lie = (/** @type {string} */ path, /** @type {Buffer} */ body) => {
    if (path.startsWith('/light/final/') && body.length > 97) body[60] = (body[60] ?? 0) ^ 1;
    return body;
  };
  const liar = await startLiar(network.page.node, { file: lie });
  await network.configure({ witness: liar.url });
  const doubtful = await Listener.open(browser, network.url, 'doubtful');
  try {
    const { chain } = await doubtful.sees('the lie is refused', ({ problems }) => problems.some(({ code }) => code.startsWith('light/') || code.startsWith('codec/')), 60_000);
    assert.deepEqual([chain.standing, chain.witnessed], ['good', null]);
    assert.equal(await doubtful.page.getByTestId('save-fork').isVisible(), false);
  } finally {
    await doubtful.close();
    liar.close();
    await network.configure({ witness: '' });
  }
});
