// Runs a Rust test program that was compiled to wasm32-wasip1, in Node's WebAssembly engine.
// Cargo calls it as the runner of that target: `node wasi-test.mjs PROGRAM.wasm [ARGUMENTS…]`.
// The folder that cargo starts tests in, and the workspace, are readable, so that tests find their vectors.

import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [program, ...rest] = process.argv.slice(2);
const workspace = resolve(fileURLToPath(import.meta.url), '../../..');
const beside = resolve(workspace, '..');
const wasi = new WASI({
  version: 'preview1',
  args: [program, ...rest],
  env: { RUST_BACKTRACE: '1' },
  preopens: { [beside]: beside, '.': process.cwd() },
  returnOnExit: true,
});
const module = await WebAssembly.compile(await readFile(program));
// V8 calls Node's own functions past its guards, and some of them begin to collect garbage then: Node crashes (nodejs/node#46777).
// It does not call a function of ours that way.
const calls = Object.entries(wasi.wasiImport).map(([name, call]) => [name, (...words) => call(...words)]);
const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: Object.fromEntries(calls) });
process.exitCode = wasi.start(instance);
