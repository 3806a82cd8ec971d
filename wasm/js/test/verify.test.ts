import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { AntiphonError } from '../src/error.js';
import { checkProof, checkSafetyCode, safetyCode, safetyNumber, type Believer } from '../src/verify.js';

/** A client that is never asked. */
const nobody: Believer = { findBlocks: () => Promise.reject(new Error('it was asked')) };
const hasCode = (code: string) => (error: unknown): boolean => error instanceof AntiphonError && error.code === code;
const BEGINNING = new TextEncoder().encode('antiphon-evidence\x01');
const file = (...rest: number[]): Uint8Array => Uint8Array.of(...BEGINNING, ...rest);

/** Serves the verifier as a site would. */
function serve(isThere: boolean): void {
  Object.assign(globalThis, {
    document: { baseURI: 'http://page.example/' },
    fetch: async () => {
      if (!isThere) return new Response(null, { status: 404 });
      const bytes = await readFile(new URL('../../generated/antiphon_verify_bg.wasm', import.meta.url));
      return new Response(bytes, { headers: { 'content-type': 'application/wasm' } });
    },
  });
}

test('a verifier that does not load is said, and asked for again', async () => {
  serve(false);
  await assert.rejects(checkProof(nobody, file(), { wasm: 'verify.wasm' }), hasCode('wasm/not-loaded'));
  serve(true);
  await assert.rejects(checkProof(nobody, file(), { wasm: 'verify.wasm' }), hasCode('codec/truncated'));
});

test('what is no file about a payment is refused before the chain is asked, in one code', async () => {
  serve(true);
  const cases: [Uint8Array | ArrayBuffer | Blob, string][] = [
    [new Uint8Array(), 'field/not-evidence'],
    [new Blob(['an email']), 'field/not-evidence'],
    [new ArrayBuffer((64 << 10) + 1), 'field/not-evidence'],
    [file(...Array<number>(32).fill(7), 2, 0), 'field/not-payment'],
    [file(...Array<number>(32).fill(7), 0, 3), 'field/not-payment'],
    [file(...Array<number>(32).fill(7), 2, 3), 'codec/truncated'],
    [file(...Array<number>(40_000).fill(2)), 'field/not-payment'],
    [file(...Array<number>(32).fill(7), 2, 3, ...Array<number>(40_000).fill(0)), 'codec/over-limit'],
  ];
  for (const [bytes, code] of cases) await assert.rejects(checkProof(nobody, bytes), hasCode(code));
});

test('two people read the same sixty digits, and a camera tells what differs', async () => {
  serve(true);
  const [ann, bob, mallory] = ['11', '22', '33'].map((byte) => byte.repeat(32)) as [string, string, string];
  const number = await safetyNumber(ann, bob);
  assert.ok(/^\d{60}$/.test(number));
  assert.equal(await safetyNumber(bob, ann), number);
  assert.ok((await safetyNumber(ann, mallory)) !== number);
  const shown = await safetyCode(bob, ann);
  await checkSafetyCode(ann, bob, shown);
  await assert.rejects(checkSafetyCode(ann, mallory, shown), hasCode('safety/other-people'));
  await assert.rejects(checkSafetyCode(ann, bob, await safetyCode(ann, bob)), hasCode('safety/other-people'));
  await assert.rejects(checkSafetyCode(ann, bob, `${shown}A`), hasCode('safety/not-code'));
  await assert.rejects(safetyNumber(ann, bob.slice(1)), hasCode('safety/bad-key'));
});
