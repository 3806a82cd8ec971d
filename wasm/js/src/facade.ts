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

import type { Client, ClientEvents } from './client.js';
import { Engine } from './engine.js';
import { AntiphonError } from './error.js';
import { Emitter, type AntiphonEvent, type EventOf, type EventType } from './event.js';
import { connections, startOf, type ConnectOptions, type Own } from './facade/options.js';
import { WalletCalls } from './facade/wallet.js';
import { workerMaker } from './files.js';
import { Sharing, type SharingView, type UploadTerms } from './sharing.js';
import { addUnverified, EMPTY_SNAPSHOT, type ClientSnapshot, type Snapshot } from './snapshot.js';
import { between, surroundings } from './surroundings.js';
import { Tabs, type TabEvents } from './tabs.js';

export { formatAmount, parseAmount, readAmount, DECIMALS } from './amount.js';
export type { Token } from './border.js';
export type { Call, CallStage, ComingKind, MoneyEvent, Once } from './calls.js';
export type { SharingReason, SharingView, UploadTerms } from './sharing.js';
export { AntiphonError, helpFor } from './error.js';
export { EVENT_TYPES, type AntiphonEvent, type EventOf, type EventType } from './event.js';
export type { Abortable, ConnectOptions } from './facade/options.js';
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

/** Wait for the account that this page had before: a crashed worker or a page that reloads gives it back at once. Chosen here. */
const SAME_ACCOUNT_PATIENCE_MS = 500;
/** The same for an account of the application: there is no other to take. Chosen here. */
const OWN_ACCOUNT_PATIENCE_MS = 2_000;
/** The same where tabs share it: a busy browser may take a while to clear away the one that had it, and none must lead with other money. Chosen here. */
const LEADER_PATIENCE_MS = 10_000;

/** Starts a client and resolves when it has loaded; nothing is waited for on the network. */
export function connect(options: ConnectOptions): Promise<Antiphon> {
  return Antiphon.connect(options);
}

/** A running client. What it can be asked is written where it belongs: media, chain, money, rooms, wallet. */
export class Antiphon extends WalletCalls implements AsyncDisposable {
  readonly #emitter = new Emitter();
  readonly #stopWaking = new AbortController();
  /** @internal */
  protected override readonly client: Client;
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
    // Not waited for where it is there: a worker that begins in this very task is ahead of all else that a page loads.
    const given = startOf(options);
    const start = given instanceof Promise ? await given : given;
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
    super();
    const emit = (event: AntiphonEvent): void => this.#emitter.emit(event);
    this.#sharing = new Sharing(options.upload ?? {}, surroundings(start.storage), (policy) => {
      if (this.client.leads) this.client.command({ kind: 'setUpload', policy }).catch(() => {}); // Who starts anew is told again.
      emit({ type: 'changed', snapshot: this.snapshot() });
    });
    const make = workerMaker(options.worker);
    const begin = (account: number, patienceMs: number, events: ClientEvents): Client => {
      return new Engine(make, { ...start, account, patienceMs, upload: this.#sharing.start() }, wasm, connections(options), events);
    };
    const events: TabEvents = {
      ready: (account, isStored) => {
        if (this.client.leads) {
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
        if (this.client.leads) this.#sharing.served(snapshot.delivery.toPeers);
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
    this.client = tabs === null
      ? begin(-1, start.own === null ? SAME_ACCOUNT_PATIENCE_MS : OWN_ACCOUNT_PATIENCE_MS, events)
      : new Tabs(
        [start.chain, ...(start.own === null ? [] : [start.own.address]), options.shared].join('/'),
        (account, told) => begin(account, LEADER_PATIENCE_MS, told), events, tabs,
      );
    this.#wakeOn();
  }

  /** Everything there is to show, as of the last change. */
  override snapshot(): Snapshot {
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
    return this.client.leads;
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

  /** Changes what this listener gives away. What was given before counts. `snapshot().sharing` says what became of it. */
  async setUpload(terms: UploadTerms): Promise<void> {
    this.#sharing.agree(terms);
    this.client.agree(terms);
  }

  /** Counts bytes that the player loaded by itself over HTTP and that nobody verified. */
  countUnverified(bytes: number): void {
    this.#unverified += bytes;
    this.#emitter.emit({ type: 'changed', snapshot: this.snapshot() });
  }

  /** Puts the client to sleep: it says goodbye, and ends its worker. Calls reject with `client/suspended` until `resume()`. */
  suspend(): Promise<void> {
    return this.client.suspend();
  }

  /** Wakes it: stream and room are those of before, and what was on its way is waited for. Rejects with `client/closed`. */
  resume(): Promise<void> {
    return this.client.resume();
  }

  /** Says goodbye to peers, then ends the worker. May be called twice. */
  async close(): Promise<void> {
    this.#stopWaking.abort();
    this.#sharing.close();
    await this.client.close();
  }

  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  protected override renewed(): Promise<void> {
    return new Promise((resolve) => (this.#renewed = resolve));
  }

  #wakeOn(): void {
    // On a server nothing sleeps.
    if (typeof document === 'undefined') return;
    const { signal } = this.#stopWaking;
    const wake = (): void => this.client.wake();
    for (const type of ['online', 'pageshow', 'focus']) addEventListener(type, wake, { signal });
    for (const type of ['visibilitychange', 'resume']) document.addEventListener(type, wake, { signal });
    const rest = (): void => this.client.rest();
    addEventListener('pagehide', rest, { signal });
    document.addEventListener('freeze', rest, { signal });
  }
}
