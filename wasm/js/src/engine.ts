/**
 * Keeps one worker alive: starts it, routes its messages, and starts it again when it crashes.
 *
 * A crash costs what was asked and not yet answered (each such call fails with `client/restarted`); money does not
 * suffer, because vouchers are stored before they are sent and loaded again by the new worker.
 */

import type { Command, Id, Notice, PaymentAt, Question } from './border.js';
import { AntiphonError } from './error.js';
import type { Exhibit } from './field.js';
import type { Found } from './found.js';
import type { Start, ToPage, ToWorker } from './message.js';
import { RtcBridge } from './rtc.js';
import type { ClientSnapshot } from './snapshot.js';

/** Crashes within the window after which the client stays down. Chosen here. */
const MAX_CRASHES = 5;
const CRASH_WINDOW_MS = 60_000;
/** First wait before a restart; doubles with each crash in the window. */
const RESTART_WAIT_MS = 200;
/** How long a worker may take to say goodbye. */
const STOP_PATIENCE_MS = 1_000;

/** Longest part that a publisher can sign: `MAX_SEGMENT` of `core/src/delivery/chunk.rs`. */
const MAX_PART_BYTES = 16 << 20;

/** What the engine tells its owner. */
export interface EngineEvents {
  ready(account: number, isStored: boolean): void;
  snapshot(snapshot: ClientSnapshot): void;
  notice(notice: Notice): void;
  restarted(code: string, message: string): void;
  /** The client stays down; HTTP goes on. */
  fatal(error: AntiphonError): void;
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: AntiphonError): void;
}

/** Codes that a restart cannot cure. */
const INCURABLE = new Set(['wasm/blocked-by-csp', 'wasm/not-loaded', 'wasm/unsupported', 'worker/not-loaded', 'client/bad-input']);

/** One supervised worker. */
export class Engine {
  readonly #makeWorker: () => Worker;
  readonly #start: Start;
  readonly #events: EngineEvents;
  readonly #rtc: RtcBridge;
  readonly #commands = new Map<Id, Waiting<void>>();
  readonly #bytes = new Map<Id, Waiting<ArrayBuffer>>();
  readonly #lookups = new Map<Id, Waiting<Found | Exhibit>>();
  #worker: Worker | null = null;
  #nextId = 1;
  #crashes: number[] = [];
  #hasBeenReady = false;
  #account = 0;
  #isClosed = false;
  #onStopped: (() => void) | null = null;

  constructor(makeWorker: () => Worker, start: Start, configuration: RTCConfiguration, events: EngineEvents) {
    this.#makeWorker = makeWorker;
    this.#start = start;
    this.#events = events;
    this.#rtc = new RtcBridge(configuration, (message, transfer) => this.#post(message, transfer));
    this.#launch();
  }

  /** Whether a worker is there to ask. */
  get isUp(): boolean {
    return this.#worker !== null;
  }

  /** Resolves when the client has accepted the command; rejects with the client's code. */
  command(command: Command): Promise<void> {
    return this.#ask(this.#commands, (id) => ({ type: 'command', id, command }));
  }

  /** Resolves with a verified segment. */
  segment(sequence: number, bufferedMs: number, signal: AbortSignal): Promise<ArrayBuffer> {
    return this.#fetch(signal, (id) => ({ type: 'want', id, sequence, bufferedMs }));
  }

  /** Resolves with the same bytes if the publisher signed them; rejects with a refusal if it did not. */
  check(sequence: number | null, bytes: ArrayBuffer, signal: AbortSignal): Promise<ArrayBuffer> {
    // One byte more than can be signed is enough to be refused; all of it could make the client run out of memory.
    const body = bytes.byteLength > MAX_PART_BYTES ? bytes.slice(0, MAX_PART_BYTES + 1) : bytes;
    return this.#fetch(signal, (id) => ({ type: 'check', id, sequence, body }));
  }

  /** Resolves with what is proven; rejects with the code that says why it is not. */
  lookUp(question: Question): Promise<Found | Exhibit> {
    return this.#ask(this.#lookups, (id) => ({ type: 'lookUp', id, question }));
  }

  /** Resolves with a file that shows one payment. */
  prove(payment: PaymentAt): Promise<Found | Exhibit> {
    return this.#ask(this.#lookups, (id) => ({ type: 'prove', id, payment }));
  }

  /** Resolves with the newest sealed state of a field as a file. */
  evidence(field: string): Promise<ArrayBuffer> {
    return this.#ask(this.#bytes, (id) => ({ type: 'evidence', id, field }));
  }

  /** Resolves with the file that proves a split of the chain. */
  forkProof(): Promise<ArrayBuffer> {
    return this.#ask(this.#bytes, (id) => ({ type: 'forkProof', id }));
  }

  /** Resolves if the player may follow this playlist; rejects with a refusal if it must not. */
  async playlist(url: string, text: string, signal: AbortSignal): Promise<void> {
    await this.#fetch(signal, (id) => ({ type: 'playlist', id, url, text }));
  }

  /** Tells the client that the page woke up or the network came back. */
  wake(): void {
    this.#post({ type: 'wake' });
  }

  /** Says goodbye and ends the worker. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#worker !== null) {
      await new Promise<void>((resolve) => {
        this.#onStopped = resolve;
        setTimeout(resolve, STOP_PATIENCE_MS);
        this.#post({ type: 'stop' });
      });
    }
    this.#end('client/closed');
  }

  /** Asks for bytes, and tells the client when they are wanted no more. */
  #fetch(signal: AbortSignal, message: (id: Id) => ToWorker): Promise<ArrayBuffer> {
    let name = 0;
    const drop = (): void => {
      const waiting = this.#bytes.get(name);
      if (!this.#bytes.delete(name)) return;
      this.#post({ type: 'unwant', id: name });
      waiting?.reject(new AntiphonError('client/aborted'));
    };
    const answer = this.#ask(this.#bytes, (id) => {
      name = id;
      return message(id);
    });
    signal.addEventListener('abort', drop, { once: true });
    return answer.finally(() => signal.removeEventListener('abort', drop));
  }

  #ask<T>(table: Map<Id, Waiting<T>>, message: (id: Id) => ToWorker): Promise<T> {
    if (this.#worker === null) {
      return Promise.reject(new AntiphonError(this.#isClosed ? 'client/closed' : 'client/restarted'));
    }
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise<T>((resolve, reject) => {
      table.set(id, { resolve, reject });
      this.#post(message(id));
    });
  }

  #post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker?.postMessage(message, transfer);
  }

  #launch(): void {
    let worker: Worker;
    try {
      worker = this.#makeWorker();
    } catch (cause) {
      this.#events.fatal(new AntiphonError('worker/not-loaded', String(cause), cause));
      return;
    }
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<ToPage>) => {
      if (this.#worker === worker) this.#take(event.data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      // A worker script that cannot be fetched gives an event without a message.
      if (this.#worker === worker) this.#crash(event.message ? 'client/panicked' : 'worker/not-loaded', event.message ?? '');
    };
    this.#post({ type: 'start', start: { ...this.#start, account: this.#account } });
  }

  #take(message: ToPage): void {
    switch (message.type) {
      case 'ready':
        this.#hasBeenReady = true;
        this.#account = Math.max(0, message.account);
        return this.#events.ready(message.account, message.isStored);
      case 'fatal': return this.#crash(message.code, message.message);
      case 'commandDone': return settle(this.#commands, message.id, (w) => w.resolve());
      case 'commandFailed': return settle(this.#commands, message.id, (w) => w.reject(new AntiphonError(message.code)));
      case 'delivered': return settle(this.#bytes, message.id, (w) => w.resolve(message.body));
      case 'refused':
        return settle(this.#bytes, message.id, (w) => w.reject(new AntiphonError(message.code, undefined, undefined, true)));
      case 'failed': return settle(this.#bytes, message.id, (w) => w.reject(new AntiphonError(message.code)));
      case 'found': return settle(this.#lookups, message.id, (w) => w.resolve(message.found));
      case 'lost': return settle(this.#lookups, message.id, (w) => w.reject(new AntiphonError(message.code)));
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

  #crash(code: string, message: string): void {
    this.#end('client/restarted');
    if (this.#isClosed) return;
    const at = performance.now();
    this.#crashes = [...this.#crashes.filter((time) => at - time < CRASH_WINDOW_MS), at];
    if (INCURABLE.has(code) && !this.#hasBeenReady) {
      this.#events.fatal(new AntiphonError(code, message || undefined));
    } else if (this.#crashes.length > MAX_CRASHES) {
      this.#events.fatal(new AntiphonError('client/gave-up', message || undefined));
    } else {
      setTimeout(() => {
        if (this.#isClosed) return;
        this.#launch();
        this.#events.restarted(code, message);
      }, RESTART_WAIT_MS * 2 ** (this.#crashes.length - 1));
    }
  }

  #end(code: string): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#rtc.closeAll();
    for (const table of [this.#commands, this.#bytes, this.#lookups]) {
      const waiting = [...table.values()];
      table.clear();
      for (const one of waiting) one.reject(new AntiphonError(code));
    }
  }
}

function settle<T>(table: Map<Id, Waiting<T>>, id: Id, act: (waiting: Waiting<T>) => void): void {
  const waiting = table.get(id);
  table.delete(id);
  if (waiting !== undefined) act(waiting);
}
