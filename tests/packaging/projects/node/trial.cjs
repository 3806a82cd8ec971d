'use strict';
// What both kinds of module try. Nothing of a browser is there.

const assert = require('node:assert/strict');

/** What each entry gives. */
const ENTRIES = {
  antiphon: ['Antiphon', 'AntiphonError', 'DECIMALS', 'EVENT_TYPES', 'REPORT_FORMAT', 'connect', 'formatAmount', 'helpFor', 'parseAmount', 'readAmount', 'toReport'],
  'antiphon/player': ['AntiphonPlayer', 'definePlayer'],
  'antiphon/hls': ['antiphonLoaders', 'bufferedAhead'],
  'antiphon/verify': ['checkProof', 'checkSafetyCode', 'safetyCode', 'safetyNumber'],
  'antiphon/codes': ['CODES', 'explain'],
  'antiphon/words': ['Words'],
  'antiphon/inline': ['inline'],
  'antiphon/vite': ['antiphon'],
  'antiphon/worker': [],
};

module.exports = async function trial(load, readWasm) {
  const before = Object.getOwnPropertyNames(globalThis).sort();
  const handles = process.getActiveResourcesInfo?.().length ?? 0;
  const loaded = {};
  for (const [name, names] of Object.entries(ENTRIES)) {
    loaded[name] = await load(name);
    const found = Object.keys(loaded[name]).filter((key) => !['default', 'module.exports', '__esModule'].includes(key)).sort();
    assert.deepEqual(found, names, name);
  }
  assert.deepEqual(Object.getOwnPropertyNames(globalThis).sort(), before, 'nothing became global');
  assert.ok((process.getActiveResourcesInfo?.().length ?? 0) <= handles, 'nothing runs');

  const { AntiphonError, connect } = loaded.antiphon;
  const codeOf = (promise) => promise.then(() => 'none', (error) => (assert.ok(error instanceof AntiphonError, String(error)), error.code));
  const options = { node: 'https://node.example', chain: '07'.repeat(32) };
  assert.equal(await codeOf(connect({ ...options, chain: 'short' })), 'options/invalid');
  assert.equal(await codeOf(connect({ ...options, integrity: 'md5-nothing' })), 'options/invalid');
  assert.equal(await codeOf(connect({ ...options, signal: AbortSignal.abort() })), 'client/aborted');
  // Node's workers are of another kind; where there are those of pages, there is a client.
  if (typeof Worker === 'undefined') assert.equal(await codeOf(connect(options)), 'worker/unsupported');
  else await prove(connect, ...process.argv.slice(2));

  // The verifier needs no page, and an error of one entry is one of the other.
  const { checkProof } = loaded['antiphon/verify'];
  const file = Uint8Array.of(...new TextEncoder().encode('antiphon-evidence\x01'), ...new Uint8Array(32), 2, 3);
  const nobody = { findBlocks: () => Promise.reject(new Error('it was asked')) };
  assert.equal(await codeOf(checkProof(nobody, file, { wasm: new Uint8Array(8) })), 'wasm/not-loaded');
  assert.equal(await codeOf(checkProof(nobody, file, { wasm: readWasm('antiphon/verify-wasm') })), 'codec/truncated');

  // What the facade has of a code's words is what all of them are.
  const { explain } = loaded['antiphon/codes'];
  assert.equal(explain('wasm/not-loaded').help, new AntiphonError('wasm/not-loaded').help);
  assert.equal(explain('no/such'), undefined);
  // Words need no page either.
  const { Words } = loaded['antiphon/words'];
  assert.equal(await codeOf(Words.restore('legal winner', { wasm: readWasm('antiphon/words-wasm') })), 'wallet/bad-word-count');

  const { wasm } = await loaded['antiphon/inline'].inline();
  assert.deepEqual(new Uint8Array(wasm), new Uint8Array(readWasm('antiphon/wasm')));
  console.log('all well');
};

/** A final block of a running chain, and what its faucet sends, proven here by a client that forgets its account. */
async function prove(connect, node, chain) {
  const antiphon = await connect({ node, chain, storage: 'memory' });
  while (antiphon.snapshot().chain.final < 1) await new Promise((resolve) => setTimeout(resolve, 50));
  const { proven } = await antiphon.findBlock(antiphon.snapshot().chain.final);
  assert.equal(proven.level, 'final');
  await antiphon.askFaucet();
  for await (const { call } of antiphon.moneyEvents()) {
    assert.deepEqual([call.kind, call.to, call.token, call.code], ['received', null, 'operational', null]);
    assert.ok(call.amount > 0n && call.payer.startsWith('A') && call.key.startsWith('sent/'), call.key);
    if (call.stage === 'final') break;
  }
  await antiphon.close();
}
