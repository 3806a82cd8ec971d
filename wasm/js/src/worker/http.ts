/** HTTP for the client: whole files and byte ranges, bounded in time and size. */

import type { Id, Input, Output } from '../border.js';

/** How long one request may take. Chosen here: longer than any segment's deadline. */
const HTTP_PATIENCE_MS = 15_000;

type Order = Extract<Output, { kind: 'http' }>;

/** Requests under way, each abortable by its id. */
export class Http {
  readonly #feed: (input: Input) => void;
  readonly #running = new Map<Id, AbortController>();

  constructor(feed: (input: Input) => void) {
    this.#feed = feed;
  }

  /** Starts a request; its answer or failure is fed exactly once, unless it is cancelled. */
  start(order: Order): void {
    const abort = new AbortController();
    this.#running.set(order.id, abort);
    const timer = setTimeout(() => abort.abort(), HTTP_PATIENCE_MS);
    fetchBounded(order, abort.signal)
      .then(
        (answer): Input => ({ kind: 'httpDone', id: order.id, ...answer }),
        (): Input => ({ kind: 'httpFailed', id: order.id }),
      )
      .then((input) => {
        clearTimeout(timer);
        if (this.#running.delete(order.id)) this.#feed(input);
      });
  }

  /** Aborts a request; nothing is fed for it any more. */
  cancel(id: Id): void {
    const abort = this.#running.get(id);
    this.#running.delete(id);
    abort?.abort();
  }

  /** Aborts everything. */
  close(): void {
    for (const id of [...this.#running.keys()]) this.cancel(id);
  }
}

async function fetchBounded(order: Order, signal: AbortSignal): Promise<{ status: number; body: Uint8Array }> {
  const headers: Record<string, string> = {};
  if (order.from !== null && order.until !== null) headers['Range'] = `bytes=${order.from}-${order.until - 1}`;
  const response = await fetch(order.base === null ? order.url : new URL(order.url, order.base), {
    headers,
    signal,
    credentials: 'omit',
    cache: order.isImmutable ? 'default' : 'no-store',
  });
  return { status: response.status, body: await readBounded(response, order.maxBytes) };
}

/** Reads a body and gives up as soon as it is longer than allowed. */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new Error('longer than allowed');
    }
    parts.push(part.value);
  }
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const body = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return body;
}
