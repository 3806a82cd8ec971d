/**
 * Keeps one worker alive: starts it, routes its messages, and starts it again when it crashes.
 *
 * A crash is a blip: the next worker is told the stream and the room, and asked once more what was asked and can be asked twice. Only
 * a command that was not answered fails, with `client/restarted`, for nobody knows whether it was done. What was asked twice and is not
 * answered fails, too: it may be what the client crashes of. What is of an account is asked only of a worker that has the same. Money
 * does not suffer, because vouchers are stored before they are sent and loaded again by the new worker.
 */

import type { Id } from './border.js';
import { Client, isOfAccount, isRepeatable, type ClientEvents } from './client.js';
import { AntiphonError } from './error.js';
import type { Asked, Start, ToPage, ToWorker } from './message.js';
import { RtcBridge } from './rtc.js';
import { Told } from './told.js';
import { compiled, type Carried } from './wasm.js';

/** Crashes within the window after which the client stays down. Chosen here. */
const MAX_CRASHES = 5;
const CRASH_WINDOW_MS = 60_000;
/** First wait before a restart; doubles with each crash in the window. */
const RESTART_WAIT_MS = 200;
/** How long a worker may take to say goodbye. */
const STOP_PATIENCE_MS = 1_000;
/** How often one thing is asked at most. */
const MAX_ASKED = 2;

/** What waits for an answer. */
interface Waiting {
  readonly asked: Asked;
  /** Of how many workers it was asked. */
  times: number;
  resolve(answer: unknown): void;
  reject(error: AntiphonError): void;
}

/** Codes that a restart cannot cure. */
const INCURABLE = new Set(['storage/in-use', 'wasm/blocked-by-csp', 'wasm/not-loaded', 'wasm/unsupported', 'worker/not-loaded', 'client/bad-input']);

/** One supervised worker. */
export class Engine extends Client {
  readonly #makeWorker: () => Worker;
  readonly #start: Start;
  readonly #wasm: Promise<Carried>;
  readonly #events: ClientEvents;
  readonly #rtc: RtcBridge;
  readonly #waiting = new Map<Id, Waiting>();
  readonly #told = new Told();
  #worker: Worker | null = null;
  #isRestarting = false;
  #nextId = 1;
  #crashes: number[] = [];
  #hasBeenReady = false;
  /** The account of the worker before, once one was ready; of the worker that runs, once that is. -1: kept nowhere, so never the same. */
  #account: number;
  /** Whether this worker may have another account than what is asked is meant for. */
  #isStrange = false;
  #isClosed = false;
  #isAsleep = false;
  /** While the worker says goodbye before it sleeps. */
  #leaving: Promise<void> | null = null;
  #onStopped: (() => void) | null = null;

  constructor(makeWorker: () => Worker, start: Start, wasm: Carried, configuration: RTCConfiguration, events: ClientEvents) {
    super();
    this.#makeWorker = makeWorker;
    this.#start = start;
    // Beside the worker's own start, and once for all workers.
    this.#wasm = compiled(wasm, start.integrity);
    this.#account = start.account;
    this.#events = events;
    this.#rtc = new RtcBridge(configuration, (message, transfer) => this.#post(message, transfer));
    this.#launch();
  }

  get isUp(): boolean {
    return this.#worker !== null && this.#leaving === null;
  }

  wake(): void {
    this.#post({ type: 'wake' });
  }

  async close(isHasty = false): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!isHasty) await this.#sayGoodbye();
    this.#end();
    this.#fail('client/closed');
  }

  async suspend(): Promise<void> {
    if (this.#isClosed || this.#isAsleep) return;
    this.#isAsleep = true;
    await (this.#leaving ??= this.#leave());
  }

  async resume(): Promise<void> {
    if (this.#isClosed) throw new AntiphonError('client/closed');
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    if (this.#leaving === null) this.#launch();
    else await this.#leaving;
  }

  /** Ends the worker with a goodbye. Who was resumed meanwhile starts the next one then. */
  async #leave(): Promise<void> {
    await this.#sayGoodbye();
    this.#leaving = null;
    this.#end();
    this.#fail('client/suspended');
    if (!this.#isAsleep && !this.#isClosed) this.#launch();
  }

  /** Resolves when the worker has said what it had to say. */
  async #sayGoodbye(): Promise<void> {
    if (this.#worker === null) return;
    await new Promise<void>((resolve) => {
      this.#onStopped = resolve;
      setTimeout(resolve, STOP_PATIENCE_MS);
      this.#post({ type: 'stop' });
    });
  }

  async ask(asked: Asked, signal?: AbortSignal): Promise<unknown> {
    if (signal?.aborted) throw new AntiphonError('client/aborted');
    if (this.#isClosed) throw new AntiphonError('client/closed');
    if (this.#isAsleep || this.#leaving !== null) throw new AntiphonError('client/suspended');
    if (this.#worker === null && !(this.#isRestarting && isRepeatable(asked))) throw new AntiphonError('client/restarted');
    const id = this.#nextId;
    this.#nextId += 1;
    const drop = (): void => {
      const waiting = this.#waiting.get(id);
      if (!this.#waiting.delete(id)) return;
      // A command that was sent is carried out all the same.
      if (asked.type === 'command' && waiting?.times) this.#told.took(asked);
      this.#post({ type: 'unwant', id });
      waiting?.reject(new AntiphonError('client/aborted'));
    };
    signal?.addEventListener('abort', drop, { once: true });
    try {
      return await new Promise<unknown>((resolve, reject) => {
        const waiting = { asked, times: 0, resolve, reject };
        this.#waiting.set(id, waiting);
        if (this.#worker !== null) this.#put(id, waiting);
      });
    } finally {
      signal?.removeEventListener('abort', drop);
    }
  }

  /** Says once more, and for the last time, what nobody waits for. */
  #putAgain(asked: Asked): void {
    const waiting = { asked, times: MAX_ASKED - 1, resolve: () => {}, reject: () => {} };
    this.#waiting.set(this.#nextId, waiting);
    this.#put(this.#nextId, waiting);
    this.#nextId += 1;
  }

  #put(id: Id, waiting: Waiting): void {
    // It waits for the worker to say whose it is.
    if (this.#isStrange && isOfAccount(waiting.asked)) return;
    waiting.times += 1;
    this.#post({ ...waiting.asked, id });
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #launch(): void {
    let worker: Worker;
    try {
      worker = this.#makeWorker();
    } catch (cause) {
      const error = cause instanceof AntiphonError ? cause : new AntiphonError('worker/not-loaded', String(cause), cause);
      this.#fail(error.code);
      this.#events.fatal(error);
      return;
    }
    this.#worker = worker;
    this.#isStrange = this.#hasBeenReady || this.#account >= 0;
    worker.onmessage = (event: MessageEvent<ToPage>) => {
      if (this.#worker === worker) this.#take(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      // A worker script that cannot be fetched gives an event without a message.
      if (this.#worker === worker) this.#crash(event.message ? 'client/panicked' : 'worker/not-loaded', event.message ?? '');
    };
    this.#post({ type: 'start', start: { ...this.#start, account: this.#account } });
    void this.#wasm.then((wasm) => {
      if (this.#worker === worker) this.#post({ type: 'wasm', wasm });
    });
    const isTold = ({ asked }: Waiting): boolean => asked.type === 'playlist' || asked.type === 'command';
    const asked = [...this.#waiting];
    // What the client must know goes first, and of that the oldest.
    for (const told of this.#told.take()) this.#putAgain(told);
    for (const [id, waiting] of asked) if (isTold(waiting)) this.#put(id, waiting);
    for (const [id, waiting] of asked) if (!isTold(waiting)) this.#put(id, waiting);
  }

  #take(message: ToPage): void {
    switch (message.type) {
      case 'ready': return this.#meet(message.account, message.isStored);
      case 'fatal': return this.#crash(message.code, message.message);
      case 'commandDone': return this.#resolve(message.id, undefined);
      case 'delivered': return this.#resolve(message.id, message.body);
      case 'found': return this.#resolve(message.id, message.found);
      case 'told': return this.#resolve(message.id, message.told);
      case 'renew': return this.#renew(message.account);
      case 'refused': return this.#reject(message.id, new AntiphonError(message.code, undefined, undefined, true));
      case 'failed': return this.#reject(message.id, new AntiphonError(message.code, message.message || undefined));
      case 'commandFailed': case 'lost': return this.#reject(message.id, new AntiphonError(message.code));
      case 'snapshot': return this.#events.snapshot(message.snapshot);
      case 'notice': return this.#events.notice(message.notice);
      case 'createLink': return this.#rtc.create(message.link, message.offer);
      case 'acceptAnswer': return this.#rtc.acceptAnswer(message.link, message.sdp);
      case 'addCandidates': return this.#rtc.addCandidates(message.link, message.lines);
      case 'closeLink': return this.#rtc.close(message.link);
      case 'relaySend': return this.#rtc.send(message.link, message.body);
      case 'stopped': return this.#onStopped?.();
    }
  }

  /** The worker says which account it has: what waited for the same one is asked. */
  #meet(account: number, isStored: boolean): void {
    const isMet = this.#isStrange;
    const isSame = account >= 0 && account === this.#account;
    this.#hasBeenReady = true;
    this.#account = account;
    this.#isStrange = false;
    if (isMet && !isSame) this.#fail('client/restarted', ({ asked }) => isOfAccount(asked));
    else if (isMet) for (const [id, waiting] of this.#waiting) if (isOfAccount(waiting.asked)) this.#put(id, waiting);
    this.#events.ready(account, isStored);
  }

  #resolve(id: Id, answer: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting === undefined) return;
    this.#told.took(waiting.asked);
    waiting.resolve(answer);
  }

  #reject(id: Id, error: AntiphonError): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.reject(error);
  }

  #crash(code: string, message: string): void {
    this.#end();
    if (this.#isClosed || this.#isAsleep || this.#leaving !== null) return;
    const at = performance.now();
    this.#crashes = [...this.#crashes.filter((time) => at - time < CRASH_WINDOW_MS), at];
    if (INCURABLE.has(code) && !this.#hasBeenReady) {
      this.#fail('client/restarted');
      this.#events.fatal(new AntiphonError(code, message || undefined));
    } else if (this.#crashes.length > MAX_CRASHES) {
      this.#fail('client/restarted');
      this.#events.fatal(new AntiphonError('client/gave-up', message || undefined));
    } else {
      this.#fail('client/restarted', ({ asked, times }) => !isRepeatable(asked) || times >= MAX_ASKED);
      this.#isRestarting = true;
      setTimeout(() => {
        this.#isRestarting = false;
        // Who slept and was resumed meanwhile has its worker.
        if (this.#isClosed || this.#isAsleep || this.#worker !== null) return;
        this.#launch();
        if (this.#worker !== null) this.#events.restarted(code, message);
      }, RESTART_WAIT_MS * 2 ** (this.#crashes.length - 1));
    }
  }

  /** Another account, or another device: a new worker takes over, and nothing has crashed. */
  #renew(account: number): void {
    this.#end();
    this.#fail('client/renewed', ({ asked }) => isOfAccount(asked));
    this.#account = account;
    this.#launch();
    if (this.#worker !== null) this.#events.restarted('client/renewed', '');
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#rtc.closeAll();
  }

  /** Fails what waits, all of it or what is not to be asked again. */
  #fail(code: string, which: (waiting: Waiting) => boolean = () => true): void {
    for (const [id, waiting] of [...this.#waiting]) {
      if (which(waiting)) this.#reject(id, new AntiphonError(code));
    }
  }
}
