/**
 * The files that a page needs beside its script.
 *
 * Both are named in the one form that bundlers understand, `new URL('./name', import.meta.url)`, and on the page alone: what a worker
 * names by itself is copied by some bundlers and not by others.
 */

import { AntiphonError } from './error.js';

/** A worker, what makes one, or where its script is. */
export type WorkerSource = string | URL | Worker | (() => Worker);

/** Returns what starts a worker, each time that one is needed. Throws `worker/unsupported` on a server. */
export function workerMaker(source: WorkerSource | undefined): () => Worker {
  if (typeof source === 'function') return source;
  if (typeof Worker === 'undefined') throw new AntiphonError('worker/unsupported');
  if (source === undefined) return () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'antiphon' });
  if (typeof source === 'object' && 'postMessage' in source) return once(source);
  return () => new Worker(new URL(source, documentUrl()), { type: 'module', name: 'antiphon' });
}

/** Where the wasm is if nobody said it: beside the worker, if somebody said where that is. */
export function wasmBeside(worker: WorkerSource | undefined): URL {
  if (typeof worker === 'string' || worker instanceof URL) return new URL('antiphon_bg.wasm', new URL(worker, documentUrl()));
  return new URL('./antiphon_bg.wasm', import.meta.url);
}

/** Where relative addresses of the application begin; nothing where there is no page. */
export function documentUrl(): string | undefined {
  return typeof document === 'undefined' ? undefined : document.baseURI;
}

/** A worker that has crashed is gone; whoever made it alone can make another. */
function once(worker: Worker): () => Worker {
  let isUsed = false;
  return () => {
    if (isUsed) throw new AntiphonError('worker/used');
    isUsed = true;
    return worker;
  };
}
