/**
 * The public API: `connect()` gives an `Antiphon`, which plays no audio itself but fetches, verifies, serves and pays.
 *
 * ```ts
 * await using antiphon = await connect({ node: 'https://node.example', chain: '…64 hex…' });
 * antiphon.on('changed', ({ snapshot }) => show(snapshot));
 * await antiphon.askFaucet();
 * ```
 *
 * Importing this touches neither window nor worker, so it is safe on a server.
 */

import type { Question, Token, UploadPolicy } from './border.js';
import { Engine } from './engine.js';
import { AntiphonError } from './error.js';
import { Emitter, type AntiphonEvent, type EventOf, type EventType } from './event.js';
import type { AccountFound, BlockFound, CheckpointFound, FieldFound, Found, HeaderFound, PoolFound, StakersFound } from './found.js';
import type { Start } from './message.js';
import { addUnverified, EMPTY_SNAPSHOT, type ClientSnapshot, type Level, type Snapshot } from './snapshot.js';

export { formatAmount, parseAmount, DECIMALS } from './amount.js';
export type { Token, UploadPolicy } from './border.js';
export { AntiphonError, helpFor } from './error.js';
export type { AntiphonEvent, EventOf, EventType } from './event.js';
export type * from './field.js';
export type * from './gift.js';
export type * from './found.js';
export type * from './snapshot.js';

/** Verified audio kept for neighbours by default, in bytes: four minutes at 256 kbit/s. Chosen here. */
const DEFAULT_CACHE_BYTES = 8 << 20;
const HEX_32 = /^[0-9a-f]{64}$/i;

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
  /** WebSocket URL of the tracker. Without it, the one that the signed stream names is used. */
  tracker?: string | undefined;
  /** Verified audio kept for neighbours, in bytes. */
  cacheBytes?: number | undefined;
  /** What this listener gives away. On by default, without caps. */
  upload?: UploadPolicy | undefined;
  /** STUN and TURN servers for connections between listeners. None by default. */
  iceServers?: RTCIceServer[] | undefined;
  /** `memory` forgets the account with the page. */
  storage?: 'indexeddb' | 'memory' | undefined;
  /** Where `worker.js` is, or a function that makes the worker. By default beside this script. */
  worker?: string | URL | (() => Worker) | undefined;
  /** Where `antiphon_bg.wasm` is. By default beside the worker. */
  wasm?: string | URL | undefined;
  /** Gives up connecting, and later closes. */
  signal?: AbortSignal | undefined;
}

/** Starts a client and resolves when it has loaded; nothing is waited for on the network. */
export function connect(options: ConnectOptions): Promise<Antiphon> {
  return Antiphon.connect(options);
}

/** A running client. */
export class Antiphon implements AsyncDisposable {
  readonly #emitter = new Emitter();
  readonly #stopWaking = new AbortController();
  readonly #engine: Engine;
  #verified: ClientSnapshot = EMPTY_SNAPSHOT;
  #unverified = 0;
  #account = -1;
  #isStored = false;

  /** As `connect()`. */
  static async connect(options: ConnectOptions): Promise<Antiphon> {
    const start = startOf(options);
    if (options.signal?.aborted) throw new AntiphonError('client/aborted');
    let settleReady: (error?: AntiphonError) => void = () => {};
    const ready = new Promise<void>((resolve, reject) => {
      settleReady = (error) => (error ? reject(error) : resolve());
    });
    const antiphon = new Antiphon(options, start, settleReady);
    options.signal?.addEventListener('abort', () => {
      settleReady(new AntiphonError('client/aborted'));
      void antiphon.close();
    }, { once: true });
    try {
      await ready;
    } catch (error) {
      await antiphon.close();
      throw error;
    }
    return antiphon;
  }

  private constructor(options: ConnectOptions, start: Start, settleReady: (error?: AntiphonError) => void) {
    const emit = (event: AntiphonEvent): void => this.#emitter.emit(event);
    this.#engine = new Engine(() => makeWorker(options.worker), start, options.iceServers ?? [], {
      ready: (account, isStored) => {
        this.#account = account;
        this.#isStored = isStored;
        settleReady();
        if (!isStored && start.storage === 'indexeddb') emit({ type: 'trouble', code: 'storage/unavailable' });
      },
      snapshot: (snapshot) => {
        const before = this.#verified.chain;
        const { isAlarmed, standing } = snapshot.chain;
        this.#verified = snapshot;
        if (isAlarmed !== before.isAlarmed) emit({ type: 'forkAlarm', isRaised: isAlarmed });
        if (standing === 'split' && before.standing !== 'split') emit({ type: 'split' });
        emit({ type: 'changed', snapshot: this.snapshot() });
      },
      notice: (notice) => {
        if (notice.kind === 'warning') {
          const { kind, ...warning } = notice;
          emit({ type: kind, ...warning });
        } else if (notice.kind !== 'changed') emit({ type: notice.kind, code: notice.code });
      },
      restarted: (code, message) => emit({ type: 'restarted', code, message }),
      fatal: (error) => {
        settleReady(error);
        emit({ type: 'fatal', error });
      },
    });
    this.#wakeOn();
  }

  /** Everything there is to show, as of the last change. */
  snapshot(): Snapshot {
    return addUnverified(this.#verified, this.#unverified);
  }

  /** Which account of this browser it is: 0 in the first tab, 1 in a second one beside it, -1 if nothing is stored. */
  get account(): number {
    return this.#account;
  }

  /** Whether the account outlives the page. */
  get isStored(): boolean {
    return this.#isStored;
  }

  /** Calls `listener` for each event of this type; returns a function that stops it. */
  on<T extends EventType>(
    type: T, listener: (event: EventOf<T>) => void, options?: { signal?: AbortSignal },
  ): () => void {
    return this.#emitter.on(type, listener, options?.signal);
  }

  /** Yields every event from now on. A slow reader gets a `lagged` event instead of what it missed. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<AntiphonEvent> {
    return this.#emitter.read(options?.signal);
  }

  /** Locks `deposit` smallest units on chain to pay for this stream. Resolves when the transaction is on its way. */
  openPool(deposit: bigint): Promise<void> {
    return this.#engine.command({ kind: 'openPool', deposit });
  }

  /** Sends the best voucher of every pool to the chain. Watch `snapshot().wallet.settlements`. */
  settle(): Promise<void> {
    return this.#engine.command({ kind: 'settle' });
  }

  /** Takes back what is left in pools that have ended. */
  release(): Promise<void> {
    return this.#engine.command({ kind: 'release' });
  }

  /** Asks the faucet of a development chain for tokens. */
  askFaucet(): Promise<void> {
    return this.#engine.command({ kind: 'askFaucet' });
  }

  /** Sends `amount` smallest units to an address. */
  transfer(to: string, amount: bigint, token: Token = 'operational'): Promise<void> {
    return this.#engine.command({ kind: 'transfer', token, to, amount });
  }

  /** Bonds `amount` smallest units of the staking token with a staker. */
  bond(staker: string, amount: bigint): Promise<void> {
    return this.#engine.command({ kind: 'bond', staker, amount });
  }

  /** Lets a part of a bond leave; it can be withdrawn after `snapshot().chain.spec.unbonding` blocks. */
  unbond(staker: string, amount: bigint): Promise<void> {
    return this.#engine.command({ kind: 'unbond', staker, amount });
  }

  /** Takes what has left a bond, and the rewards that wait. */
  withdraw(staker: string): Promise<void> {
    return this.#engine.command({ kind: 'withdraw', staker });
  }

  /** Meets whoever else enters the room of this name; needs a `tracker`. Listeners of a stream have met already. */
  enterRoom(name: string): Promise<void> {
    return this.#engine.command({ kind: 'enterRoom', name });
  }

  /** Leaves the room. Fields go on. */
  leaveRoom(): Promise<void> {
    return this.#engine.command({ kind: 'leaveRoom' });
  }

  /**
   * Invites others, by key (`snapshot().around`), to a payment field in which each locks `deposit`. This client leads it. A stale
   * close can be disputed for `dispute` blocks, the chain's least by default. Watch `snapshot().fields`.
   */
  proposeField(others: readonly string[], deposit: bigint, dispute?: number): Promise<void> {
    for (const key of others) if (!HEX_32.test(key)) return invalid('a key is not 64 hexadecimal digits');
    return this.#engine.command({ kind: 'proposeField', others, deposit, dispute: dispute ?? null });
  }

  /** Signs the terms of an invitation: the deposit may be locked from now on. */
  acceptField(field: string): Promise<void> {
    return this.#fieldCommand('acceptField', field);
  }

  /** Forgets an invitation. */
  declineField(field: string): Promise<void> {
    return this.#fieldCommand('declineField', field);
  }

  /** Pays a member of a field. It is money once `snapshot().fields` shows it committed. */
  payMember(field: string, payee: string, amount: bigint): Promise<void> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    return this.#engine.command({ kind: 'payMember', field, payee, amount });
  }

  /**
   * Reserves `amount` on the chain for one payee alone, for a purpose of at most 32 bytes. The payee is sure of it at once, if it is
   * around; otherwise it waits, and comes back when its period is over. Watch `snapshot().gifts`.
   */
  give(to: string, amount: bigint, purpose: string): Promise<void> {
    return this.#engine.command({ kind: 'give', to, amount, purpose });
  }

  /** Closes a field: at once if every member signs, alone if one is silent. */
  closeField(field: string): Promise<void> {
    return this.#fieldCommand('closeField', field);
  }

  /** Removes what is kept of a field that is over. */
  forgetField(field: string): Promise<void> {
    return this.#fieldCommand('forgetField', field);
  }

  /** The block at a height: header, who signed it, its transactions. */
  async findBlock(height: number): Promise<BlockFound> {
    return this.#find({ question: 'block', height: whole(height) });
  }

  /** Headers from a height down to the checkpoint below it, the highest first. */
  async findBlocks(height: number): Promise<readonly HeaderFound[]> {
    return this.#find({ question: 'blocks', height: whole(height) });
  }

  /** The checkpoint at a height: which guardians signed it. */
  async findCheckpoint(height: number): Promise<CheckpointFound> {
    return this.#find({ question: 'checkpoint', height: whole(height) });
  }

  /** An account and its bonds under the newest head believed at least to `level`. */
  findAccount(address: string, level: Level = 'settled'): Promise<AccountFound> {
    return this.#find({ question: 'account', address, level });
  }

  /** A pool by its id, 64 hexadecimal digits, under the newest head believed at least to `level`. */
  findPool(pool: string, level: Level = 'settled'): Promise<PoolFound> {
    if (!HEX_32.test(pool)) return invalid('pool is not 64 hexadecimal digits');
    return this.#find({ question: 'pool', pool, level });
  }

  /** A payment field by its id, 64 hexadecimal digits, under the newest head believed at least to `level`. */
  findField(field: string, level: Level = 'settled'): Promise<FieldFound> {
    if (!HEX_32.test(field)) return Promise.reject(new AntiphonError('options/invalid', 'field is not 64 hexadecimal digits'));
    return this.#find({ question: 'field', field, level });
  }

  /** Everybody who stakes under the newest head believed at least to `level`. */
  findStakers(level: Level = 'settled'): Promise<StakersFound> {
    return this.#find({ question: 'stakers', level });
  }

  /** The file that proves that the chain has split and who split it; `null` while there is none. */
  async forkProof(): Promise<Blob | null> {
    try {
      return new Blob([await this.#engine.forkProof()], { type: 'application/octet-stream' });
    } catch (error) {
      if (error instanceof AntiphonError && error.code === 'light/no-fork') return null;
      throw error;
    }
  }

  /** Changes what this listener gives away. */
  setUpload(policy: UploadPolicy): Promise<void> {
    return this.#engine.command({ kind: 'setUpload', policy });
  }

  /** Resolves with the segment of this media sequence number, checked against its signed record. */
  segment(sequence: number, options: { bufferedMs: number; signal: AbortSignal }): Promise<ArrayBuffer> {
    return this.#engine.segment(sequence, options.bufferedMs, options.signal);
  }

  /**
   * Judges what the player loaded by itself: the segment of this media sequence number, or with `null` a map
   * (`EXT-X-MAP`). Resolves with the same bytes if the publisher signed them. Rejects with `isRefusal` if it did
   * not: they must not be played. Any other rejection says that nobody can tell.
   */
  check(sequence: number | null, bytes: ArrayBuffer, options: { signal: AbortSignal }): Promise<ArrayBuffer> {
    return this.#engine.check(sequence, bytes, options.signal);
  }

  /** Tells the client which media playlist the player loaded: its absolute URL and its text. */
  playlist(url: string, text: string): void {
    this.#engine.playlist(url, text);
  }

  /** Counts bytes that the player loaded by itself over HTTP and that nobody verified. */
  countUnverified(bytes: number): void {
    this.#unverified += bytes;
    this.#emitter.emit({ type: 'changed', snapshot: this.snapshot() });
  }

  /** Whether the client is up; while it is not, play over HTTP. */
  get isUp(): boolean {
    return this.#engine.isUp;
  }

  /** Says goodbye to peers, then ends the worker. May be called twice. */
  async close(): Promise<void> {
    this.#stopWaking.abort();
    await this.#engine.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The client answers each question with its own kind of answer. */
  async #find<T extends Found>(question: Question): Promise<T> {
    return (await this.#engine.lookUp(question)) as T;
  }

  #fieldCommand(kind: 'acceptField' | 'declineField' | 'closeField' | 'forgetField', field: string): Promise<void> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    return this.#engine.command({ kind, field });
  }

  #wakeOn(): void {
    const { signal } = this.#stopWaking;
    const wake = (): void => this.#engine.wake();
    for (const type of ['online', 'pageshow', 'focus']) addEventListener(type, wake, { signal });
    for (const type of ['visibilitychange', 'resume']) document.addEventListener(type, wake, { signal });
  }
}

function invalid(what: string): Promise<never> {
  return Promise.reject(new AntiphonError('options/invalid', what));
}

/** A height as the client reads it: a fraction or a negative number is the caller's mistake. */
function whole(height: number): number {
  if (!Number.isSafeInteger(height) || height < 0) throw new AntiphonError('options/invalid', 'height is not a block height');
  return height;
}

function startOf(options: ConnectOptions): Start {
  const wrong = (what: string): AntiphonError => new AntiphonError('options/invalid', what);
  if (!URL.canParse(options.node, baseUrl())) throw wrong('node is not a URL');
  if (options.witness !== undefined && !URL.canParse(options.witness, baseUrl())) throw wrong('witness is not a URL');
  if (!HEX_32.test(options.chain)) throw wrong('chain is not 64 hexadecimal digits');
  for (const name of ['publisher', 'checkpoint'] as const) {
    const value = options[name];
    if (value !== undefined && !HEX_32.test(value)) throw wrong(`${name} is not 64 hexadecimal digits`);
  }
  const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) throw wrong('cacheBytes is not a count of bytes');
  return {
    node: new URL(options.node, baseUrl()).href,
    witness: options.witness === undefined ? null : new URL(options.witness, baseUrl()).href,
    chain: options.chain.toLowerCase(),
    checkpoint: options.checkpoint?.toLowerCase() ?? null,
    publisher: options.publisher?.toLowerCase() ?? null,
    tracker: options.tracker ?? null,
    cacheBytes,
    upload: options.upload ?? { isEnabled: true, rate: null, total: null },
    wasm: options.wasm === undefined ? null : new URL(options.wasm, baseUrl()).href,
    storage: options.storage ?? 'indexeddb',
    account: 0,
  };
}

function makeWorker(worker: ConnectOptions['worker']): Worker {
  if (typeof worker === 'function') return worker();
  if (worker !== undefined) return new Worker(new URL(worker, baseUrl()), { type: 'module', name: 'antiphon' });
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'antiphon' });
}

function baseUrl(): string | undefined {
  return typeof document === 'undefined' ? undefined : document.baseURI;
}
