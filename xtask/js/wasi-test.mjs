// Runs a Rust test program that was compiled to wasm32-wasip1, in Node's WebAssembly engine.
// Cargo calls it as the runner of that target: `node wasi-test.mjs PROGRAM.wasm [ARGUMENTS…]`.
// The folder that cargo starts tests in, and the workspace, are readable, so that tests find their vectors.
//
// The program runs in a process of its own, which tells how the tests ended before it ends itself: Node was seen to crash while
// it took the engine down after a minute of tests that had all passed.

import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

if (process.send === undefined) {
  const child = fork(here, process.argv.slice(2), { execArgv: process.execArgv });
  /** @type {number | null} */ let said = null;
  child.on('message', (code) => { said = Number(code); });
  child.on('close', (code, signal) => {
    if (said === null) console.error(`the tests ended with ${code ?? signal} before they were through`);
    process.exitCode = said ?? 1;
  });
} else {
  const [program, ...rest] = process.argv.slice(2);
  const workspace = resolve(here, '../../..');
  const beside = resolve(workspace, '..');
  const wasi = new WASI({
    version: 'preview1',
    args: [program, ...rest],
    env: { RUST_BACKTRACE: '1' },
    preopens: { [beside]: beside, '.': process.cwd() },
    returnOnExit: true,
  });
  const module = await WebAssembly.compile(await readFile(program));
  const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
  const code = wasi.start(instance);
  process.exitCode = code;
  process.send(code, () => process.disconnect());
}
