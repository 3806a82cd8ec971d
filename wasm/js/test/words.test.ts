import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AntiphonError } from '../src/error.js';
import { Words, type SecretStore } from '../src/words.js';

const TEXT = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const wasm = await readFile(new URL('../../generated/antiphon_words_bg.wasm', import.meta.url));
const hasCode = (code: string) => (error: unknown): boolean => error instanceof AntiphonError && error.code === code;

/** Keeps secrets in memory. */
class Memory implements SecretStore {
  readonly kept = new Map<string, Uint8Array>();

  get(name: string): Uint8Array | null {
    return this.kept.get(name) ?? null;
  }

  put(name: string, secret: Uint8Array): void {
    this.kept.set(name, secret);
  }

  delete(name: string): void {
    this.kept.delete(name);
  }
}

test('words give the account that every language gives', async () => {
  const words = await Words.restore(`  ${TEXT.toUpperCase()} `, { wasm });
  assert.equal(words.reveal(), TEXT);
  const { address, key, secret } = words.account();
  // As `Words.restore(...).account(0)` in Python, Kotlin and Swift.
  assert.equal(address, 'AMsvm7Gf96GKLBna6WEjgw9r4xdsu5DyzD');
  assert.equal(key.length, 64);
  assert.equal(secret.length, 32);
  assert.ok(words.account(1).address !== address);
  assert.equal((await Words.generate()).reveal().split(' ').length, 12);
});

test('each mistake has its code', async () => {
  const cases = [
    ['legal winner', 'wallet/bad-word-count'],
    [TEXT.replace('yellow', 'winner'), 'wallet/bad-checksum'],
    [TEXT.replace('yellow', 'yelow'), 'wallet/unknown-word'],
    [`${TEXT} `.repeat(9), 'wallet/text-too-long'],
  ] as const;
  for (const [text, code] of cases) await assert.rejects(Words.restore(text, { wasm }), hasCode(code));
  const words = await Words.restore(TEXT, { wasm });
  for (const index of [2 ** 31, 2 ** 32, -1, 0.5, Number.NaN]) assert.throws(() => words.account(index), hasCode('wallet/index-out-of-range'));
});

test('words are kept once and found again, and what a store throws is not repeated', async () => {
  const store = new Memory();
  await assert.rejects(Words.load(store, 'main', { wasm }), hasCode('secret/missing'));
  const words = await Words.generate({ wasm });
  await words.save(store, 'main');
  assert.equal((await Words.load(store, 'main')).reveal(), words.reveal());
  await assert.rejects((await Words.generate()).save(store, 'main'), hasCode('secret/taken'));
  store.get = () => { throw new Error('the secret is 42'); };
  await assert.rejects(Words.load(store, 'main'), (error) => hasCode('secret/failed')(error) && !String(error).includes('42') && (error as AntiphonError).retryable);
});
