/** JSON-RPC 2.0 to the node by `fetch`; objects are base64 on the wire, ids of transactions hexadecimal. */

import type { Id, Input, Query } from '../border.js';
import { readBounded } from './http.js';

/** How long the node may take for one answer. Chosen here. */
const NODE_PATIENCE_MS = 10_000;
/** Longest answer that is read, in bytes. Chosen here: a proof of 64 keys is below 200 kB. */
const MAX_ANSWER = 1 << 20;

/** Questions under way. */
export class Node {
  readonly #url: string;
  readonly #feed: (input: Input) => void;
  readonly #stop = new AbortController();

  constructor(base: string, feed: (input: Input) => void) {
    this.#url = `${base.replace(/\/+$/, '')}/rpc`;
    this.#feed = feed;
  }

  /** Asks; exactly one of `answered`, `refused`, `unreachable` follows. */
  ask(id: Id, query: Query): void {
    this.#call(id, query).then(
      (input) => this.#feed(input),
      () => {
        if (!this.#stop.signal.aborted) this.#feed({ kind: 'unreachable', id });
      },
    );
  }

  /** Gives up on everything asked. */
  close(): void {
    this.#stop.abort();
  }

  async #call(id: Id, query: Query): Promise<Input> {
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id, ...request(query) }),
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(NODE_PATIENCE_MS)]),
      credentials: 'omit',
      cache: 'no-store',
    });
    const text = new TextDecoder().decode(await readBounded(response, MAX_ANSWER));
    const answer: unknown = JSON.parse(text);
    if (typeof answer === 'object' && answer !== null) {
      if ('result' in answer && query.kind === 'watch') return { kind: 'answered', id, body: heldBytes(answer.result) };
      if ('result' in answer && typeof answer.result === 'string') {
        const isBase64 = query.kind === 'prove' || query.kind === 'closed';
        return { kind: 'answered', id, body: isBase64 ? fromBase64(answer.result) : fromHex(answer.result) };
      }
      if ('error' in answer && typeof answer.error === 'object' && answer.error !== null) {
        const code = 'code' in answer.error ? Number(answer.error.code) : 0;
        return { kind: 'refused', id, code: Number.isSafeInteger(code) ? code | 0 : 0 };
      }
    }
    throw new Error('not a JSON-RPC answer');
  }
}

function request(query: Query): { method: string; params: (string | number)[] } {
  switch (query.kind) {
    case 'prove':
      return { method: 'antiphon_prove', params: [query.height, toBase64(query.keys)] };
    case 'submit':
      return { method: 'antiphon_submit', params: [toBase64(query.transaction)] };
    case 'faucet':
      return { method: 'antiphon_faucet', params: [query.address] };
    case 'closed':
      return { method: 'antiphon_closedFields', params: [query.height] };
    case 'watch':
      return { method: 'antiphon_watch', params: [toBase64(query.sealed)] };
  }
}

/** What a tower says that it has, as the client reads it: field 32, version 4, round 4, the lowest byte first. */
function heldBytes(held: unknown): Uint8Array {
  const { field, version, round } = (held ?? {}) as Record<string, unknown>;
  const body = new Uint8Array(40);
  const counts = new DataView(body.buffer, 32);
  for (const [at, count] of [version, round].entries()) {
    if (typeof count !== 'number' || count !== count >>> 0) throw new Error('not a count');
    counts.setUint32(at * 4, count, true);
  }
  if (typeof field !== 'string' || field.length !== 64) throw new Error('not a field');
  body.set(fromHex(field));
  return body;
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}

function fromHex(text: string): Uint8Array {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw new Error('not hexadecimal');
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}
