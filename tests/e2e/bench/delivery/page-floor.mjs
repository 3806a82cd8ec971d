// The page of a listener without peers: what any of those that are compared costs at least. `worker` has an empty worker beside it,
// `module` our wasm in that, compiled and started, of which nothing runs.

import Hls from 'hls.js';
import { probe, tell } from './page-probe.mjs';

const { config } = /** @type {{ config: Record<string, string> }} */ (/** @type {unknown} */ (globalThis));
const wanted = new URLSearchParams(location.search);
const who = wanted.get('who');
const audio = document.body.appendChild(document.createElement('audio'));
const seen = probe(() => audio);

/** The worker's script. What the module imports does nothing. */
const SCRIPT = `onmessage = async ({ data }) => {
  const imports = {};
  for (const { module, name } of data ? WebAssembly.Module.imports(data) : []) (imports[module] ??= {})[name] = () => 0;
  self.kept = data && await WebAssembly.instantiate(data, imports);
  postMessage('ready');
};`;

const hls = new Hls({ enableWorker: false, liveSyncDuration: Number(wanted.get('behind')), backBufferLength: 30 });
hls.attachMedia(audio);
hls.loadSource(config.stream ?? '');

/** Kept, or it would be collected. @type {Worker | null} */
let worker = null;
let isUp = who === 'alone';
if (!isUp) {
  worker = new Worker(URL.createObjectURL(new Blob([SCRIPT], { type: 'text/javascript' })));
  worker.onmessage = () => { isUp = true; };
  const module = who === 'module' ? WebAssembly.compileStreaming(fetch('/antiphon_bg.wasm')) : null;
  Promise.resolve(module).then((given) => worker?.postMessage(given));
}

void tell(() => ({ ...seen(), fromPeers: 0, fromOrigin: 0, late: 0, hedged: 0, delay: 0, isReady: isUp && seen().startMs > 0 }));
