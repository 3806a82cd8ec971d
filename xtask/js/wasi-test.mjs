// Runs a Rust program that was compiled to wasm32-wasip1, in Node's WebAssembly engine.
// Cargo calls it as the runner of that target: `node wasi-test.mjs PROGRAM.wasm [ARGUMENTS…]`.
// The folder that cargo starts tests in, and the workspace, are readable, so that tests find their vectors.
//
// The program runs in a process of its own. Node 20 was seen to crash at its end, after the tests had said that all of them passed:
// what counts is what they said, and the crash is told. A program of tests (cargo keeps them in `deps`) that is given no arguments is
// run some tests at a time.

import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { WASI } from 'node:wasi';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Tests that one process runs. */
const AT_ONCE = 100;

const here = fileURLToPath(import.meta.url);
const [program, ...rest] = process.argv.slice(2);

if (process.send !== undefined) {
  process.exitCode = await run();
  process.disconnect();
} else if (rest.length > 0 || !/[/\\]deps[/\\]/.test(program)) {
  process.exitCode = (await inChild(rest)).code;
} else {
  const listed = await inChild(['--list', '--format', 'terse'], true);
  const names = listed.text.split('\n').filter((line) => line.endsWith(': test')).map((line) => line.slice(0, -': test'.length));
  process.exitCode = listed.code === 0 && names.length > 0 ? 0 : (await inChild([])).code;
  for (let first = 0; first < names.length; first += AT_ONCE) {
    const { code } = await inChild(['--exact', ...names.slice(first, first + AT_ONCE)]);
    if (code !== 0) process.exitCode = code;
  }
}

/** Runs the program with these arguments in a process of its own. @param {string[]} words */
function inChild(words, isQuiet = false) {
  const child = fork(here, [program, ...words], { execArgv: process.execArgv, silent: true });
  let text = '';
  child.stderr?.pipe(process.stderr);
  child.stdout?.on('data', (bytes) => {
    text += bytes;
    if (!isQuiet) process.stdout.write(bytes);
  });
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      if (signal !== null) console.error(`Node was ended by ${signal}`);
      const hasPassed = signal === 'SIGSEGV' && /^test result: ok\. /m.test(text);
      done({ code: hasPassed ? 0 : (code ?? 1), text });
    });
  });
}

async function run() {
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
  return wasi.start(instance);
}
