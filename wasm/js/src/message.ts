/**
 * What the page and the worker say to each other.
 *
 * ```text
 * page                         worker
 *  |------ start ---------------->|   loads wasm, opens storage, takes the account's lock
 *  |<----- ready -----------------|
 *  |------ want, playlist ------->|
 *  |<----- delivered | failed ----|
 *  |------ check ---------------->|   the page loaded it by itself; `sequence` is null for a map
 *  |<- delivered|failed|refused --|
 *  |<----- createLink ------------|   RTCPeerConnection exists on pages only
 *  |------ channel [transferred] >|   from here on chunks do not touch the page
 * ```
 */

import type { Answer, Command, Id, Notice, PaymentAt, Question, UploadPolicy } from './border.js';
import type { ClientSnapshot } from './snapshot.js';
import type { WalletAct, WalletAnswer } from './wallet.js';
import type { Carried } from './wasm.js';

/** What a client is started with. */
export interface Start {
  /** Base URL of the node: light data below `/light/`, JSON-RPC at `/rpc`. */
  node: string;
  /** Base URL of another operator's light data, or `null`: every checkpoint is compared with it. */
  witness: string | null;
  /** The chain's id in hexadecimal: the only thing that is trusted. */
  chain: string;
  /** Id of the checkpoint to start from, in hexadecimal, or `null` for genesis. */
  checkpoint: string | null;
  /** The publisher's key in hexadecimal, or `null` to take it from the playlist. */
  publisher: string | null;
  /** WebSocket URL of the tracker, or `null` to take it from the signed stream. */
  tracker: string | null;
  /** What the publisher gave this listener for trackers that ask for it, or `null`. */
  token: string | null;
  /** Base URL of a node that is a watch-tower, or `null`. */
  tower: string | null;
  cacheBytes: number;
  /** Other listeners to be linked with, at most. */
  maxPeers: number;
  upload: UploadPolicy;
  /** What a wasm file that is fetched must be, as Subresource Integrity writes it, or `null`. */
  integrity: string | null;
  /** The account's key and address, or `null` for one that is made here. */
  own: { secret: Uint8Array; address: string } | null;
  /** `memory` forgets the account with the page. */
  storage: 'indexeddb' | 'memory';
  /** The account that this page had before a restart; -1 at first: the one that was used last. */
  account: number;
  /** How long that account may still be held by the worker before, in milliseconds. */
  patienceMs: number;
}

/** From the page. */
export type ToWorker =
  | { type: 'start'; start: Start }
  /** Where the wasm is, or what it holds: compiled on the page's side while the worker starts. */
  | { type: 'wasm'; wasm: Carried }
  | { type: 'command'; id: Id; command: Command }
  | { type: 'playlist'; id: Id; url: string; text: string }
  | { type: 'check'; id: Id; sequence: number | null; body: ArrayBuffer }
  | { type: 'want'; id: Id; sequence: number; bufferedMs: number }
  | { type: 'unwant'; id: Id }
  | { type: 'lookUp'; id: Id; question: Question }
  | { type: 'prove'; id: Id; payment: PaymentAt }
  | { type: 'forkProof'; id: Id }
  | { type: 'evidence'; id: Id; field: string }
  | { type: 'signIn'; id: Id; nonce: string; expires: number }
  | { type: 'wallet'; id: Id; act: WalletAct }
  | { type: 'begin'; id: Id; key: string; command: Command }
  | { type: 'call'; id: Id; key: string }
  | { type: 'calls' | 'nextEvent'; id: Id }
  | { type: 'handled'; id: Id; event: number }
  | { type: 'wake' }
  | { type: 'stop' }
  | { type: 'described'; link: Id; sdp: string }
  | { type: 'candidates'; link: Id; lines: string }
  | { type: 'channel'; link: Id; channel: RTCDataChannel }
  | { type: 'relay'; link: Id }
  | { type: 'relayed'; link: Id; event: 'open' | 'drained' | 'closed' }
  | { type: 'relayedMessage'; link: Id; body: ArrayBuffer };

/** What is answered once, without the id that the answer will name. */
export type Asked = Unnamed<Exclude<Extract<ToWorker, { id: Id }>, { type: 'unwant' }>>;
type Unnamed<T> = T extends { id: Id } ? Omit<T, 'id'> : never;

/** From the worker. */
export type ToPage =
  | { type: 'ready'; account: number; isStored: boolean }
  | { type: 'fatal'; code: string; message: string }
  | { type: 'commandDone'; id: Id }
  | { type: 'commandFailed'; id: Id; code: string }
  | { type: 'snapshot'; snapshot: ClientSnapshot }
  | { type: 'notice'; notice: Notice }
  | { type: 'delivered'; id: Id; body: ArrayBuffer }
  | { type: 'refused'; id: Id; code: string }
  | { type: 'failed'; id: Id; code: string; message?: string }
  | { type: 'told'; id: Id; told: WalletAnswer }
  | { type: 'renew'; account: number }
  | { type: 'found'; id: Id; found: Answer }
  | { type: 'lost'; id: Id; code: string }
  | { type: 'createLink'; link: Id; offer: string | null }
  | { type: 'acceptAnswer'; link: Id; sdp: string }
  | { type: 'addCandidates'; link: Id; lines: string }
  | { type: 'closeLink'; link: Id }
  | { type: 'relaySend'; link: Id; body: ArrayBuffer }
  | { type: 'stopped' };
