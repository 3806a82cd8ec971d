/** What `connect()` is told, and what of it makes no sense. */

import { documentUrl, wasmBeside, type WorkerSource } from '../files.js';
import type { Start } from '../message.js';
import type { UploadTerms } from '../sharing.js';
import { carried, INTEGRITY, type Carried, type WasmSource } from '../wasm.js';
import type { Account } from '../words.js';
import { mustBeCount, mustBeHex, mustBeUrl, wrong } from './check.js';

/** Verified audio kept for neighbours by default, in bytes: four minutes at 256 kbit/s. Chosen here. */
const DEFAULT_CACHE_BYTES = 8 << 20;
/** Other listeners that a page is linked with by default, and at most: `DEFAULT_LINKS` and `MAX_LINKS` of `core/src/peer/swarm.rs`. */
const DEFAULT_PEERS = 16;
const MAX_PEERS = 100;
const TOKEN = /^[\w-]{1,400}$/;

/** What does not change while a page lives. */
export type Own = Omit<Start, 'upload' | 'account' | 'patienceMs'> & { wasm: Carried };

/** What to connect to. */
export interface ConnectOptions {
  /** Base URL of a node. It is asked, never believed. */
  node: string;
  /** Base URL of a node of another operator. Every final checkpoint is compared with what it has. */
  witness?: string | undefined;
  /** The chain's id, 64 hexadecimal digits: the one thing that is trusted. */
  chain: string;
  /** Id of a final checkpoint to start from, 64 hexadecimal digits. Genesis by default. */
  checkpoint?: string | undefined;
  /** The publisher's key, 64 hexadecimal digits. Without it, the key that comes with the playlist is used. */
  publisher?: string | undefined;
  /** WebSocket URL of the tracker, or those of several with spaces between: when one is lost, the next is dialled. Without it, the one that the signed stream names is used. */
  tracker?: string | undefined;
  /** The publisher's join token (`antiphon token`), where its tracker asks for one. Only the tracker sees it. */
  token?: string | undefined;
  /** Base URL of a node that is a watch-tower. It is told each newest state of a payment field, and shows it to the chain when this client is gone. */
  tower?: string | undefined;
  /** Verified audio kept for neighbours, in bytes. */
  cacheBytes?: number | undefined;
  /** What this listener gives away. On by default, without caps, but not where the network counts bytes. */
  upload?: UploadTerms | undefined;
  /** STUN and TURN servers for connections between listeners. None by default. */
  iceServers?: RTCIceServer[] | undefined;
  /** Connects through the TURN servers of `iceServers` alone, so that no listener learns another's address. Off by default. */
  relayOnly?: boolean | undefined;
  /** How many other listeners this one is linked with at most, 1 to 100; 16 by default. It dials 7 of 16, with 1 or 2 nobody, and leaves the rest to who dials it. */
  maxPeers?: number | undefined;
  /**
   * A name, by which all tabs of this origin share one client: one account, one connection to the chain and to each other listener. One tab
   * runs it, and when it goes the next one does. Give one name only to tabs that play the same stream with the same options.
   */
  shared?: string | undefined;
  /** The account, of `antiphon/words`. By default one that the browser makes, and keeps for this origin. */
  account?: Account | undefined;
  /** `memory` forgets the account with the page. */
  storage?: 'indexeddb' | 'memory' | undefined;
  /** Where `worker.js` is, a function that makes the worker, or one that was made: that can run once, and is not started again after a crash. By default beside this script. */
  worker?: WorkerSource | undefined;
  /** Where `antiphon_bg.wasm` is, or what it holds. By default beside this script, or beside the worker where `worker` says where that is. */
  wasm?: WasmSource | undefined;
  /** What the wasm file must be, as in `dist/integrity.json`: `sha384-…`. Only for a `wasm` that is fetched here: a URL. */
  integrity?: string | undefined;
  /** Gives up connecting, and later closes. */
  signal?: AbortSignal | undefined;
}

/** What may be given up: it rejects with `client/aborted` then. That ends the waiting; what was sent is not taken back. */
export interface Abortable {
  signal?: AbortSignal | undefined;
}

/** Reads what a client is started with; at once, unless its wasm has to be waited for. Fails with `options/invalid`. */
export function startOf(options: ConnectOptions): Own | Promise<Own> {
  const base = documentUrl();
  const url = (name: 'node' | 'witness' | 'tower'): string | null => {
    const text = options[name];
    return text === undefined ? null : mustBeUrl(name, text, base);
  };
  const hex = (name: 'publisher' | 'checkpoint'): string | null => {
    const text = options[name];
    if (text !== undefined) mustBeHex(name, text);
    return text?.toLowerCase() ?? null;
  };
  const { account, cacheBytes = DEFAULT_CACHE_BYTES, chain, integrity = null, maxPeers = DEFAULT_PEERS, token = null } = options;
  mustBeHex('chain', chain);
  mustBeCount('cacheBytes', cacheBytes);
  mustBeCount('maxPeers', maxPeers, MAX_PEERS, 1);
  if (token !== null && !TOKEN.test(token)) throw wrong('token is not what `antiphon token` prints');
  if (integrity !== null && !INTEGRITY.test(integrity)) throw wrong('integrity is not a hash as in dist/integrity.json');
  if (options.relayOnly && !options.iceServers?.some(isRelay)) throw wrong('relayOnly needs a TURN server among iceServers');
  const own = {
    node: mustBeUrl('node', options.node, base),
    witness: url('witness'),
    tower: url('tower'),
    chain: chain.toLowerCase(),
    checkpoint: hex('checkpoint'),
    publisher: hex('publisher'),
    tracker: options.tracker ?? null,
    token,
    cacheBytes,
    maxPeers,
    integrity,
    own: account === undefined ? null : { secret: account.secret, address: account.address },
    storage: options.storage ?? 'indexeddb',
  } as const;
  const wasm = carried(options.wasm ?? wasmBeside(options.worker), base);
  return wasm instanceof Promise ? wasm.then((wasm) => ({ ...own, wasm })) : { ...own, wasm };
}

/** How listeners are reached. */
export function connections({ iceServers = [], relayOnly = false }: ConnectOptions): RTCConfiguration {
  return { iceServers, iceTransportPolicy: relayOnly ? 'relay' : 'all' };
}

function isRelay({ urls }: RTCIceServer): boolean {
  return [urls].flat().some((url) => /^turns?:/.test(url));
}

