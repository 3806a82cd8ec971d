// Runs a program compiled to wasm32-wasip1 in a worker of real Chromium and prints what it prints:
// `node bench/wasm.mjs PROGRAM.wasm`.

import { openPage, startBrowser, until } from '../lab/browser.mjs';
import { startLive } from '../lab/live.mjs';

const [program] = process.argv.slice(2);
if (program === undefined) throw new Error('give a program');

/** The few calls of WASI that a program without files makes. */
function work() {
  const ENOSYS = 52, EBADF = 8;
  /** @type {DataView} */ let view;
  /** @type {Uint8Array<ArrayBuffer>} */ let bytes;
  let text = '';
  const decoder = new TextDecoder();
  const look = (/** @type {WebAssembly.Memory} */ memory) => {
    view = new DataView(memory.buffer);
    bytes = new Uint8Array(/** @type {ArrayBuffer} */ (memory.buffer));
  };
  const calls = {
    args_sizes_get: (/** @type {number} */ count, /** @type {number} */ size) => { view.setUint32(count, 0, true); view.setUint32(size, 0, true); return 0; },
    args_get: () => 0,
    environ_sizes_get: (/** @type {number} */ count, /** @type {number} */ size) => { view.setUint32(count, 0, true); view.setUint32(size, 0, true); return 0; },
    environ_get: () => 0,
    fd_prestat_get: () => EBADF,
    clock_time_get: (/** @type {number} */ _id, /** @type {bigint} */ _precision, /** @type {number} */ out) => {
      view.setBigUint64(out, BigInt(Math.round(performance.now() * 1e6)), true);
      return 0;
    },
    random_get: (/** @type {number} */ at, /** @type {number} */ count) => { crypto.getRandomValues(bytes.subarray(at, at + count)); return 0; },
    fd_write: (/** @type {number} */ _fd, /** @type {number} */ list, /** @type {number} */ count, /** @type {number} */ out) => {
      let total = 0;
      for (let i = 0; i < count; i++) {
        const at = view.getUint32(list + 8 * i, true), size = view.getUint32(list + 8 * i + 4, true);
        text += decoder.decode(bytes.subarray(at, at + size));
        total += size;
      }
      view.setUint32(out, total, true);
      return 0;
    },
    proc_exit: (/** @type {number} */ code) => { throw new Error(`exit ${code}: ${text}`); },
  };
  WebAssembly.compileStreaming(fetch('/program.wasm')).then(async (module) => {
    const names = WebAssembly.Module.imports(module).map(({ name }) => name);
    const imports = Object.fromEntries(names.map((name) => [name, (/** @type {any[]} */ ...words) => {
      look(memory); // It may have grown since.
      return Reflect.get(calls, name)?.(...words) ?? ENOSYS;
    }]));
    const instance = await WebAssembly.instantiate(module, { wasi_snapshot_preview1: imports });
    const memory = /** @type {WebAssembly.Memory} */ (instance.exports.memory);
    /** @type {() => void} */ (instance.exports._start)();
    postMessage({ text });
  }).catch((error) => postMessage({ error: String(error) }));
}

const PAGE = `<!doctype html><script>
  const worker = new Worker('/worker.js');
  worker.onmessage = ({ data }) => { globalThis.result = data; };
</script>`;
const live = await startLive({
  '/page': PAGE,
  '/worker.js': { text: `(${work})()`, type: '.js' },
  '/program.wasm': { file: program },
});
const browser = await startBrowser();
try {
  const { page } = await openPage(browser, `${live.url}/page`);
  const result = await until('the program has ended', () => page.evaluate(() => Reflect.get(globalThis, 'result')), 600_000);
  if (result.error !== undefined) throw new Error(result.error);
  process.stdout.write(result.text);
} finally {
  await browser.close();
  live.close();
}
