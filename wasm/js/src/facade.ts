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

import type { Question, Token } from './border.js';
import { Once, type Call, type MoneyEvent } from './calls.js';
import type { Client, ClientEvents } from './client.js';
import { Engine } from './engine.js';
import { AntiphonError } from './error.js';
import type { Exhibit } from './field.js';
import { Emitter, type AntiphonEvent, type EventOf, type EventType } from './event.js';
import { documentUrl, wasmBeside, workerMaker, type WorkerSource } from './files.js';
import type { AccountFound, BlockFound, CheckpointFound, FieldFound, Found, HeaderFound, PoolFound, StakersFound } from './found.js';
import type { Start } from './message.js';
import { Sharing, type SharingView, type UploadTerms } from './sharing.js';
import { checkChallenge, toSignedIn, type Challenge, type SignedIn } from './sign-in.js';
import { addUnverified, EMPTY_SNAPSHOT, type ClientSnapshot, type Level, type Snapshot } from './snapshot.js';
import { between, surroundings } from './surroundings.js';
import { Tabs, type TabEvents } from './tabs.js';
import { isChange, type WalletAct, type WalletAnswer, type WalletInfo } from './wallet.js';
import { carried, INTEGRITY, type Carried, type WasmSource } from './wasm.js';
import type { Account } from './words.js';

export { formatAmount, parseAmount, readAmount, DECIMALS } from './amount.js';
export type { Token } from './border.js';
export type { Call, CallStage, MoneyEvent, Once } from './calls.js';
export type { SharingReason, SharingView, UploadTerms } from './sharing.js';
export { AntiphonError, helpFor } from './error.js';
export { EVENT_TYPES, type AntiphonEvent, type EventOf, type EventType } from './event.js';
export type * from './field.js';
export type * from './gift.js';
export type * from './found.js';
export type { PlaybackView } from './heard.js';
export { REPORT_FORMAT, toReport } from './report.js';
export type { Challenge, SignedIn } from './sign-in.js';
export type * from './snapshot.js';
export type { WalletInfo } from './wallet.js';
export type { WorkerSource } from './files.js';
export type { WasmSource } from './wasm.js';
export type { Account } from './words.js';

/** Verified audio kept for neighbours by default, in bytes: four minutes at 256 kbit/s. Chosen here. */
const DEFAULT_CACHE_BYTES = 8 << 20;
/** Longest name of a room, and longest purpose of a gift, in bytes of UTF-8. Source: `core/src/client/room.rs`, `payment::reservation`. */
const MAX_ROOM_NAME = 64;
const MAX_PURPOSE = 32;
/** Wait for the account that this page had before: a crashed worker or a page that reloads gives it back at once. Chosen here. */
const SAME_ACCOUNT_PATIENCE_MS = 500;
/** The same for an account of the application: there is no other to take. Chosen here. */
const OWN_ACCOUNT_PATIENCE_MS = 2_000;
/** The same where tabs share it: a busy browser may take a while to clear away the one that had it, and none must lead with other money. Chosen here. */
const LEADER_PATIENCE_MS = 10_000;
/** Rounds and places are counted in 32 bits. */
const MAX_COUNT = 0xffff_ffff;
const HEX_32 = /^[0-9a-f]{64}$/i;
const TOKEN = /^[\w-]{1,400}$/;

/** What does not change while a page lives. */
type Own = Omit<Start, 'upload' | 'account' | 'patienceMs'> & { wasm: Carried };

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

/** What may be given up: it rejects with `client/aborted` then. */
export interface Abortable {
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
  readonly #engine: Client;
  readonly #sharing: Sharing;
  /** What the tab that leads gives, while this one does not. */
  #followed: SharingView | null = null;
  #verified: ClientSnapshot = EMPTY_SNAPSHOT;
  #unverified = 0;
  #account = -1;
  /** Called when the client that was waited for runs. */
  #renewed: () => void = () => {};
  #isStored = false;

  /** As `connect()`. */
  static async connect(options: ConnectOptions): Promise<Antiphon> {
    if (options.signal?.aborted) throw new AntiphonError('client/aborted');
    const start = await startOf(options);
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

  private constructor(options: ConnectOptions, { wasm, ...start }: Own, settleReady: (error?: AntiphonError) => void) {
    const emit = (event: AntiphonEvent): void => this.#emitter.emit(event);
    this.#sharing = new Sharing(options.upload ?? {}, surroundings(start.storage), (policy) => {
      if (this.#engine.leads) this.#engine.command({ kind: 'setUpload', policy }).catch(() => {}); // Who starts anew is told again.
      emit({ type: 'changed', snapshot: this.snapshot() });
    });
    const make = workerMaker(options.worker);
    const begin = (account: number, patienceMs: number, events: ClientEvents): Client => {
      return new Engine(make, { ...start, account, patienceMs, upload: this.#sharing.policy }, wasm, connections(options), events);
    };
    const events: TabEvents = {
      ready: (account, isStored) => {
        if (this.#engine.leads) {
          this.#followed = null;
          this.#sharing.begin();
        }
        this.#account = account;
        this.#isStored = isStored;
        settleReady();
        this.#renewed();
        if (!isStored && start.storage === 'indexeddb') emit({ type: 'trouble', code: 'storage/unavailable' });
      },
      snapshot: (snapshot) => {
        const before = this.#verified.chain;
        const { isAlarmed, standing } = snapshot.chain;
        this.#verified = snapshot;
        if (this.#engine.leads) this.#sharing.served(snapshot.delivery.toPeers);
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
      restarted: (code, message) => {
        // Nothing of the account before is this one's.
        if (code === 'client/renewed') this.#verified = EMPTY_SNAPSHOT;
        emit({ type: 'restarted', code, message });
      },
      fatal: (error) => {
        settleReady(error);
        this.#renewed();
        emit({ type: 'fatal', error });
      },
      followed: (sharing) => {
        this.#followed = sharing;
      },
      rested: () => this.#sharing.rest(),
      agreed: (terms) => this.#sharing.agree(terms),
      given: () => ({ sharing: this.#sharing.view, terms: this.#sharing.terms }),
    };
    const tabs = options.shared === undefined ? null : between();
    this.#engine = tabs === null
      ? begin(-1, start.own === null ? SAME_ACCOUNT_PATIENCE_MS : OWN_ACCOUNT_PATIENCE_MS, events)
      : new Tabs(
        [start.chain, ...(start.own === null ? [] : [start.own.address]), options.shared].join('/'),
        (account, told) => begin(account, LEADER_PATIENCE_MS, told), events, tabs,
      );
    this.#wakeOn();
  }

  /** Everything there is to show, as of the last change. */
  snapshot(): Snapshot {
    const { delivery } = this.#verified;
    const whole = { ...this.#verified, delivery: { ...delivery, unverified: 0 }, sharing: this.#followed ?? this.#sharing.view, playback: null };
    return addUnverified(whole, this.#unverified);
  }

  /** Which account of this browser's wallet it is: the one that was used last, in a second tab beside it the next, -1 if nothing is stored. */
  get account(): number {
    return this.#account;
  }

  /** Whether the client runs in this tab. Among tabs that share one, it runs in one of them. */
  get isLeading(): boolean {
    return this.#engine.leads;
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

  /**
   * What moves money once by this key: any text of at most 64 bytes that stands for one thing wanted once. Each resolves with how far it
   * is; called again with the key, it pays nothing. Rejects with the client's code, and then nothing was done and the key is free, or
   * with `call/key-reused`. Who gives up by `signal` stops waiting, not the call.
   */
  once(key: string, options?: Abortable): Once {
    return new Once((command) => {
      if (command.kind === 'give' && isLonger(command.purpose, MAX_PURPOSE)) return invalid(`the purpose is longer than ${MAX_PURPOSE} bytes`);
      return this.#engine.begin(key, command, options?.signal);
    });
  }

  /** How far a call is. Rejects with `call/unknown-key`. */
  call(key: string): Promise<Call> {
    return this.#engine.call(key);
  }

  /** Every call that is remembered, the one that changed last at the end. */
  calls(): Promise<readonly Call[]> {
    return this.#engine.calls();
  }

  /**
   * The oldest change of a call that is not handled yet. It is told again, to a page that is opened later too, until `eventHandled()` has
   * been called with its number; of a call that moves on meanwhile only the newest change is.
   */
  nextEvent(options?: Abortable): Promise<MoneyEvent> {
    return this.#engine.nextEvent(options?.signal);
  }

  /** Says that a change was handled, durably. */
  eventHandled(id: number): Promise<void> {
    return this.#engine.eventHandled(id);
  }

  /** Yields each change of a call, and says that it was handled when the next one is asked for. */
  async *moneyEvents(options?: Abortable): AsyncGenerator<MoneyEvent, void, undefined> {
    for (;;) {
      const event = await this.nextEvent(options);
      yield event;
      await this.eventHandled(event.id);
    }
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
    if (isLonger(name, MAX_ROOM_NAME)) return invalid(`the room's name is longer than ${MAX_ROOM_NAME} bytes`);
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

  /**
   * Signs the terms of an invitation, or the next version of a field (`amendment` of `snapshot().fields`): the deposit may be locked from
   * now on.
   */
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
   * Asks all members of a field that this client leads to let somebody in, by key (`snapshot().around`), who locks `deposit`. Who joins
   * and who is in already `acceptField()`. Payments wait until all have, or until the last block that may begin the new version.
   */
  admitMember(field: string, key: string, deposit: bigint): Promise<void> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    if (!HEX_32.test(key)) return invalid('a key is not 64 hexadecimal digits');
    return this.#engine.command({ kind: 'admitMember', field, key, deposit });
  }

  /**
   * Leaves a field of three or more with what this client has in it: the chain pays that when its phase is `left`, and the others go on.
   * Their clients agree by themselves; only who comes to lead is asked, for it locks a bond.
   */
  leaveField(field: string): Promise<void> {
    return this.#fieldCommand('leaveField', field);
  }

  /**
   * Reserves `amount` on the chain for one payee alone, for a purpose of at most 32 bytes. The payee is sure of it at once, if it is
   * around; otherwise it waits, and comes back when its period is over. Watch `snapshot().gifts`.
   */
  give(to: string, amount: bigint, purpose: string): Promise<void> {
    if (isLonger(purpose, MAX_PURPOSE)) return invalid(`the purpose is longer than ${MAX_PURPOSE} bytes`);
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

  /**
   * Proves one payment of a closed field: `round` and `index` as `snapshot().fields` shows them. The file shows who paid whom how
   * much, under which block, and nothing else of the field.
   */
  async provePayment(field: string, round: number, index: number, options?: Abortable): Promise<Exhibit> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    for (const count of [round, index]) if (!Number.isInteger(count) || count < 0 || count > MAX_COUNT) return invalid('not a place of a payment');
    return this.#engine.prove({ field, round, index }, options?.signal);
  }

  /** The newest state of a field that all members have signed, as a file of evidence; `null` while there is none. */
  async fieldEvidence(field: string): Promise<Blob | null> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    return this.#file(() => this.#engine.evidence(field), 'field/nothing-sealed');
  }

  /**
   * Signs in at the site that this page is of, with the account's key. What is signed counts at this origin alone, and the site
   * checks it as `examples/sign-in/site.mjs` does, in 20 lines of any language. Rejects with `sign-in/bad-expiry`; `sign-in/bad-origin`
   * where the page has no origin, such as a file.
   */
  async signIn(challenge: Challenge): Promise<SignedIn> {
    checkChallenge(challenge);
    const bytes = await this.#engine.signIn(challenge.nonce, challenge.expires);
    return toSignedIn(new Uint8Array(bytes), challenge, this.snapshot().wallet.address);
  }

  /** The block at a height: header, who signed it, its transactions. */
  async findBlock(height: number, options?: Abortable): Promise<BlockFound> {
    return this.#find({ question: 'block', height: whole(height) }, options);
  }

  /** Headers from a height down to the checkpoint below it, the highest first. */
  async findBlocks(height: number, options?: Abortable): Promise<readonly HeaderFound[]> {
    return this.#find({ question: 'blocks', height: whole(height) }, options);
  }

  /** The checkpoint at a height: which guardians signed it. */
  async findCheckpoint(height: number, options?: Abortable): Promise<CheckpointFound> {
    return this.#find({ question: 'checkpoint', height: whole(height) }, options);
  }

  /** An account and its bonds under the newest head believed at least to `level`. */
  findAccount(address: string, level: Level = 'settled', options?: Abortable): Promise<AccountFound> {
    return this.#find({ question: 'account', address, level }, options);
  }

  /** A pool by its id, 64 hexadecimal digits, under the newest head believed at least to `level`. */
  findPool(pool: string, level: Level = 'settled', options?: Abortable): Promise<PoolFound> {
    if (!HEX_32.test(pool)) return invalid('pool is not 64 hexadecimal digits');
    return this.#find({ question: 'pool', pool, level }, options);
  }

  /** A payment field by its id, 64 hexadecimal digits, under the newest head believed at least to `level`. */
  findField(field: string, level: Level = 'settled', options?: Abortable): Promise<FieldFound> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    return this.#find({ question: 'field', field, level }, options);
  }

  /** Everybody who stakes under the newest head believed at least to `level`. */
  findStakers(level: Level = 'settled', options?: Abortable): Promise<StakersFound> {
    return this.#find({ question: 'stakers', level }, options);
  }

  /** The wallet of this browser, from which each account's key comes. */
  wallet(): Promise<WalletInfo> {
    return this.#wallet({ kind: 'show' });
  }

  /**
   * The twelve words that bring every account back, on a phone, too, to be written down on paper. Rejects with `wallet/words-forgotten` once
   * they were: from then on they are nowhere in this browser.
   */
  words(): Promise<string> {
    return this.#wallet({ kind: 'words' });
  }

  /** Forgets the words here, which somebody typed from paper. Rejects with `wallet/words-differ`, or what is wrong with them. */
  async wordsWrittenDown(text: string): Promise<void> {
    await this.#wallet({ kind: 'writtenDown', text });
  }

  /**
   * Becomes the first account of the wallet of these words: 12 or 24, case and spaces do not matter. Rejects with what is wrong with them (`wallet/…`), and
   * with `wallet/not-written-down` where the words of the wallet here were not: `forget` gives it up.
   */
  async restoreWords(text: string, options?: { forget?: boolean }): Promise<void> {
    await this.#wallet({ kind: 'restore', text, forget: options?.forget ?? false });
  }

  /** Becomes another account of the wallet, from 0 to 31; the stream plays on. Rejects with `wallet/account-in-use` where another tab has it. */
  async useAccount(account: number): Promise<void> {
    await this.#wallet({ kind: 'use', account });
  }

  /** Resolves if a text is an address; rejects with what is wrong with it (`address/…`). */
  async checkAddress(address: string): Promise<void> {
    await this.#wallet({ kind: 'check', address });
  }

  /**
   * What words do not bring back of this account, as a file: pools and what was promised from them, vouchers and gifts held, fields, and
   * `notes` of the application. There is no key in it.
   */
  async backup(notes: Uint8Array = new Uint8Array()): Promise<Blob> {
    const file = await this.#wallet<Uint8Array<ArrayBuffer>>({ kind: 'backup', notes });
    return new Blob([file], { type: 'application/octet-stream' });
  }

  /**
   * Takes a backup of this account, and returns its notes. From then on this client is another device: nothing is signed any more for
   * pools and fields that were there before, whoever made them; what is left in them is had back by `release()` in time. Rejects with `backup/…`.
   */
  async restoreBackup(file: Blob): Promise<Uint8Array> {
    return this.#wallet({ kind: 'takeBackup', file: new Uint8Array(await file.arrayBuffer()) });
  }

  /** The file that proves that the chain has split and who split it; `null` while there is none. */
  forkProof(): Promise<Blob | null> {
    return this.#file(() => this.#engine.forkProof(), 'light/no-fork');
  }

  /**
   * For half a minute, heads follow the chain block by block. While nothing waits for the chain, a client looks at every fourth
   * block: a page that shows heads moving says this again and again, for as long as it does.
   */
  follow(): Promise<void> {
    return this.#engine.command({ kind: 'follow' });
  }

  /** Changes what this listener gives away. What was given before counts. `snapshot().sharing` says what became of it. */
  async setUpload(terms: UploadTerms): Promise<void> {
    this.#sharing.agree(terms);
    this.#engine.agree(terms);
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

  /**
   * Tells the client which media playlist the player loaded: its absolute URL and its text. Rejects with `isRefusal` if
   * the stream that plays is another one, or its publisher did not sign what is listed: it must not be followed. Any
   * other rejection says that nobody can tell.
   */
  playlist(url: string, text: string, options: { signal: AbortSignal }): Promise<void> {
    return this.#engine.playlist(url, text, options.signal);
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

  /** Puts the client to sleep: it says goodbye, and ends its worker. Calls reject with `client/suspended` until `resume()`. */
  suspend(): Promise<void> {
    return this.#engine.suspend();
  }

  /** Wakes it: stream and room are those of before, and what was on its way is waited for. Rejects with `client/closed`. */
  resume(): Promise<void> {
    return this.#engine.resume();
  }

  /** Says goodbye to peers, then ends the worker. May be called twice. */
  async close(): Promise<void> {
    this.#stopWaking.abort();
    this.#sharing.close();
    await this.#engine.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #wallet<T extends WalletAnswer>(act: WalletAct): Promise<T> {
    const told = (await this.#engine.wallet(act)) as T;
    // It was this client's last word; the next one is about to run.
    if (isChange(act)) await new Promise<void>((resolve) => (this.#renewed = resolve));
    return told;
  }

  /** The client answers each question with its own kind of answer. */
  async #find<T extends Found>(question: Question, options: Abortable | undefined): Promise<T> {
    return (await this.#engine.lookUp(question, options?.signal)) as T;
  }

  async #file(bytes: () => Promise<ArrayBuffer>, missing: string): Promise<Blob | null> {
    try {
      return new Blob([await bytes()], { type: 'application/octet-stream' });
    } catch (error) {
      if (error instanceof AntiphonError && error.code === missing) return null;
      throw error;
    }
  }

  #fieldCommand(kind: 'acceptField' | 'declineField' | 'closeField' | 'leaveField' | 'forgetField', field: string): Promise<void> {
    if (!HEX_32.test(field)) return invalid('field is not 64 hexadecimal digits');
    return this.#engine.command({ kind, field });
  }

  #wakeOn(): void {
    // On a server nothing sleeps.
    if (typeof document === 'undefined') return;
    const { signal } = this.#stopWaking;
    const wake = (): void => this.#engine.wake();
    for (const type of ['online', 'pageshow', 'focus']) addEventListener(type, wake, { signal });
    for (const type of ['visibilitychange', 'resume']) document.addEventListener(type, wake, { signal });
    const rest = (): void => this.#engine.rest();
    addEventListener('pagehide', rest, { signal });
    document.addEventListener('freeze', rest, { signal });
  }
}

/** Whether a text has more bytes of UTF-8 than this. */
function isLonger(text: string, bytes: number): boolean {
  return new TextEncoder().encode(text).length > bytes;
}

function invalid(what: string): Promise<never> {
  return Promise.reject(new AntiphonError('options/invalid', what));
}

/** A height as the client reads it: a fraction or a negative number is the caller's mistake. */
function whole(height: number): number {
  if (!Number.isSafeInteger(height) || height < 0) throw new AntiphonError('options/invalid', 'height is not a block height');
  return height;
}

async function startOf(options: ConnectOptions): Promise<Own> {
  const wrong = (what: string): AntiphonError => new AntiphonError('options/invalid', what);
  if (!URL.canParse(options.node, documentUrl())) throw wrong('node is not a URL');
  if (options.witness !== undefined && !URL.canParse(options.witness, documentUrl())) throw wrong('witness is not a URL');
  if (options.tower !== undefined && !URL.canParse(options.tower, documentUrl())) throw wrong('tower is not a URL');
  if (!HEX_32.test(options.chain)) throw wrong('chain is not 64 hexadecimal digits');
  for (const name of ['publisher', 'checkpoint'] as const) {
    const value = options[name];
    if (value !== undefined && !HEX_32.test(value)) throw wrong(`${name} is not 64 hexadecimal digits`);
  }
  if (options.token !== undefined && !TOKEN.test(options.token)) throw wrong('token is not what `antiphon token` prints');
  const cacheBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
  if (options.integrity !== undefined && !INTEGRITY.test(options.integrity)) throw wrong('integrity is not a hash as in dist/integrity.json');
  if (options.relayOnly && !options.iceServers?.some(isRelay)) throw wrong('relayOnly needs a TURN server among iceServers');
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) throw wrong('cacheBytes is not a count of bytes');
  return {
    node: new URL(options.node, documentUrl()).href,
    witness: options.witness === undefined ? null : new URL(options.witness, documentUrl()).href,
    chain: options.chain.toLowerCase(),
    checkpoint: options.checkpoint?.toLowerCase() ?? null,
    publisher: options.publisher?.toLowerCase() ?? null,
    tracker: options.tracker ?? null,
    token: options.token ?? null,
    tower: options.tower === undefined ? null : new URL(options.tower, documentUrl()).href,
    cacheBytes,
    wasm: await carried(options.wasm ?? wasmBeside(options.worker), documentUrl()),
    integrity: options.integrity ?? null,
    own: options.account === undefined ? null : { secret: options.account.secret, address: options.account.address },
    storage: options.storage ?? 'indexeddb',
  };
}

function connections({ iceServers = [], relayOnly = false }: ConnectOptions): RTCConfiguration {
  return { iceServers, iceTransportPolicy: relayOnly ? 'relay' : 'all' };
}

function isRelay({ urls }: RTCIceServer): boolean {
  return [urls].flat().some((url) => /^turns?:/.test(url));
}

