// The wallet of `examples/words` in Node, whose workers are of another kind than a page's: there are no data channels, and nothing is
// stored. What a page has by `fetch`, Node reads from the disk.

import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { Worker } from 'node:worker_threads';

const DIST = new URL('../../../wasm/js/dist/', import.meta.url);

/** Finds the package without its being installed. */
const RESOLVE = `export const resolve = (name, context, next) => {
  const file = { antiphon: 'antiphon.js', 'antiphon/words': 'words.js' }[name];
  return file === undefined ? next(name, context) : { url: new URL(file, '${DIST}').href, shortCircuit: true };
};`;

/** What a worker of a page has, before its script runs. */
const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = class {};
const bus = new EventTarget();
for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent']) self[name] = bus[name].bind(bus);
self.postMessage = (message, options) => parentPort.postMessage(message, options?.transfer ?? []);
self.close = () => parentPort.close();
self.origin = 'null';
// What comes before the script listens, waits.
import(workerData).then(() => parentPort.on('message', (data) => bus.dispatchEvent(Object.assign(new Event('message'), { data }))));
`;

/** A worker as pages know it. */
class PageWorker {
  /** @type {((event: { data: unknown }) => void) | null} */ onmessage = null;
  /** @type {((event: { message: string, preventDefault(): void }) => void) | null} */ onerror = null;
  #worker = new Worker(WORKER, { eval: true, workerData: new URL('worker.js', DIST).href });

  constructor() {
    this.#worker.on('message', (data) => this.onmessage?.({ data }));
    this.#worker.on('error', (error) => this.onerror?.({ message: String(error), preventDefault() {} }));
  }

  /** @param {unknown} message @param {import('node:worker_threads').TransferListItem[]} transfer */
  postMessage(message, transfer) {
    this.#worker.postMessage(message, transfer);
  }

  terminate() {
    void this.#worker.terminate();
  }
}

/** Keeps secrets as long as the process lives. */
class Memory {
  /** @type {Map<string, Uint8Array>} */ #kept = new Map();

  /** @param {string} name */
  get(name) {
    return this.#kept.get(name) ?? null;
  }

  /** @param {string} name @param {Uint8Array} secret */
  put(name, secret) {
    this.#kept.set(name, secret);
  }

  /** @param {string} name */
  delete(name) {
    this.#kept.delete(name);
  }
}

/** @param {{ node?: string, chain?: string, tracker?: string }} config @returns {Promise<import('./wallet.mjs').Opened>} */
export async function openNodeWallet(config) {
  register(`data:text/javascript,${encodeURIComponent(RESOLVE)}`);
  const load = (/** @type {string} */ name) => import(String(new URL(`../../../examples/words/${name}.js`, import.meta.url)));
  const [{ Program }, { Wallet }] = await Promise.all([load('program'), load('wallet')]);
  const [wasm, words] = await Promise.all(['antiphon_bg.wasm', 'antiphon_words_bg.wasm'].map((name) => readFile(new URL(name, DIST))));
  const options = { ...config, worker: () => new PageWorker(), wasm, storage: 'memory' };
  return new Program(new Wallet(options, new Memory(), { wasm: words }));
}
