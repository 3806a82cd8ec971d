/**
 * The worker and the wasm as text, for a page that is one file: `antiphon/inline`.
 *
 * ```ts
 * import { inline } from 'antiphon/inline';
 * await using antiphon = await connect({ node, chain, ...(await inline()) });
 * ```
 *
 * It costs a third more bytes than the files and is not compiled while it comes, and the worker needs `worker-src blob:`. Where a policy
 * forbids that, take `wasm` alone and serve `worker.js`.
 */

/** `worker.js`, and `antiphon_bg.wasm` after gzip in base64. The build puts them here. */
declare const WORKER: string;
declare const WASM: string;

/** What `connect()` takes. */
export interface Inline {
  readonly wasm: ArrayBuffer;
  readonly worker: () => Worker;
}

/** Unpacks both. Needs no network. */
export async function inline(): Promise<Inline> {
  const zipped = Uint8Array.from(atob(WASM), (letter) => letter.charCodeAt(0));
  const wasm = await new Response(new Blob([zipped]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  const worker = (): Worker => {
    const url = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
    const made = new Worker(url, { type: 'module', name: 'antiphon' });
    // The first word from it says that its script was read.
    made.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
    return made;
  };
  return { wasm, worker };
}
