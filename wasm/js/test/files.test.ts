import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AntiphonError } from '../src/error.js';
import { wasmBeside, workerMaker } from '../src/files.js';
import { carried, INTEGRITY } from '../src/wasm.js';

/** The smallest valid module. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const hasCode = (code: string) => (error: unknown): boolean => error instanceof AntiphonError && error.code === code;

test('whatever the wasm is given as, it reaches the worker as an address, bytes or a module', async () => {
  const base = 'https://page.example/app/';
  assert.equal(await carried('a.wasm', base), 'https://page.example/app/a.wasm');
  assert.equal(await carried(new URL('https://cdn.example/a.wasm'), base), 'https://cdn.example/a.wasm');
  assert.equal(await carried(EMPTY, base), EMPTY);
  const module = await WebAssembly.compile(EMPTY);
  assert.equal(await carried(module, base), module);
  assert.deepEqual(new Uint8Array((await carried(Promise.resolve(new Response(EMPTY)), base)) as ArrayBuffer), EMPTY);
});

test('a response that is no file, and an address that is none, are said in one code', async () => {
  await assert.rejects(Promise.resolve(carried(new Response('gone', { status: 404 }), undefined)), hasCode('wasm/not-loaded'));
  assert.throws(() => carried('a.wasm', undefined), hasCode('wasm/not-loaded'));
  await assert.rejects(Promise.resolve(carried(Promise.reject(new Error('offline')), undefined)), hasCode('wasm/not-loaded'));
});

test('a hash is one of three kinds, in base64', () => {
  for (const good of ['sha384-AbC+/w==', 'sha256-a sha512-b=']) assert.equal(INTEGRITY.test(good), true);
  for (const bad of ['', 'md5-a', 'sha384-', 'sha384-a\n', 'sha384-a  sha384-b', 'sha384-ü']) assert.equal(INTEGRITY.test(bad), false);
});

test('the wasm is beside the worker where somebody says where that is, and beside the script if not', () => {
  Object.assign(globalThis, { document: { baseURI: 'https://page.example/app/' } });
  assert.equal(wasmBeside('w/worker.js').href, 'https://page.example/app/w/antiphon_bg.wasm');
  assert.equal(wasmBeside(new URL('https://cdn.example/v1/worker.js')).href, 'https://cdn.example/v1/antiphon_bg.wasm');
  const here = new URL('./antiphon_bg.wasm', import.meta.url).href;
  for (const source of [undefined, () => ({}) as Worker]) assert.equal(wasmBeside(source).href, here);
});

test('a worker that was made runs once; what makes workers, as often as one is needed', () => {
  Object.assign(globalThis, { Worker: class {} });
  const made = { postMessage: () => {} } as unknown as Worker;
  const once = workerMaker(made);
  assert.equal(once(), made);
  let code = '';
  try {
    once();
  } catch (error) {
    code = error instanceof AntiphonError ? error.code : String(error);
  }
  assert.equal(code, 'worker/used');
  const often = workerMaker(() => made);
  assert.equal(often(), often());
});
