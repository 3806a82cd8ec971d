/** Events to the application: by callback, or as an async iterable with a bounded queue. */

import type { AntiphonError } from './error.js';
import type { Snapshot } from './snapshot.js';

/** Something worth showing at once. */
export type AntiphonEvent =
  | { readonly type: 'changed'; readonly snapshot: Snapshot }
  | { readonly type: 'trouble'; readonly code: string }
  | { readonly type: 'recovered'; readonly code: string }
  | { readonly type: 'banned'; readonly code: string }
  /**
   * The chain is about to enforce a stale state of a field, or asks for a round: the client answers by itself, up to the block
   * `deadline`. Stay online; `isNear` says that it may not be in time.
   */
  | { readonly type: 'warning'; readonly field: string; readonly threat: 'close' | 'challenge'; readonly deadline: number; readonly isNear: boolean }
  /** Many name blocks that this client's chain does not have, or no longer: be careful with money. A hint, not a proof. */
  | { readonly type: 'forkAlarm'; readonly isRaised: boolean }
  /** Guardians signed two final blocks of one height; the client has stopped, and `forkProof()` has the proof. */
  | { readonly type: 'split' }
  /** The client crashed and was started again. */
  | { readonly type: 'restarted'; readonly code: string; readonly message: string }
  /** The client stays down; playback goes on over HTTP. */
  | { readonly type: 'fatal'; readonly error: AntiphonError }
  /** The reader was too slow and this many events were dropped; read `snapshot()`. */
  | { readonly type: 'lagged'; readonly count: number };

/** Names of events. */
export type EventType = AntiphonEvent['type'];
/** The event of a name. */
export type EventOf<T extends EventType> = Extract<AntiphonEvent, { type: T }>;

/** Every name, so that whoever passes all events on forgets none. */
const TYPES: Readonly<Record<EventType, true>> = {
  changed: true, trouble: true, recovered: true, banned: true, warning: true, forkAlarm: true, split: true, restarted: true, fatal: true, lagged: true,
};
export const EVENT_TYPES = Object.keys(TYPES) as readonly EventType[];

/** Events that a slow reader may have waiting. Chosen here. */
const MAX_QUEUED = 256;

type Listener = (event: AntiphonEvent) => void;

/** Hands events to listeners and readers. */
export class Emitter {
  readonly #listeners = new Set<Listener>();

  /** Calls every listener; one that throws does not stop the others. */
  emit(event: AntiphonEvent): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Calls `listener` for each event of this type until the returned function is called or the signal aborts. */
  on<T extends EventType>(type: T, listener: (event: EventOf<T>) => void, signal?: AbortSignal): () => void {
    const filtered: Listener = (event) => {
      if (isOf(event, type)) listener(event);
    };
    return this.#add(filtered, signal);
  }

  /** Yields every event from now on until the signal aborts. */
  async *read(signal?: AbortSignal): AsyncGenerator<AntiphonEvent, void, void> {
    const queue: AntiphonEvent[] = [];
    let dropped = 0;
    let wake: () => void = () => {};
    const remove = this.#add((event) => {
      if (queue.length >= MAX_QUEUED) {
        queue.shift();
        dropped += 1;
      }
      queue.push(event);
      wake();
    });
    const onAbort = (): void => wake();
    signal?.addEventListener('abort', onAbort);
    try {
      while (!signal?.aborted) {
        if (dropped > 0) {
          const count = dropped;
          dropped = 0;
          yield { type: 'lagged', count };
        }
        const next = queue.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      remove();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #add(listener: Listener, signal?: AbortSignal): () => void {
    const remove = (): void => void this.#listeners.delete(listener);
    if (signal?.aborted) return remove;
    this.#listeners.add(listener);
    signal?.addEventListener('abort', remove, { once: true });
    return remove;
  }
}

function isOf<T extends EventType>(event: AntiphonEvent, type: T): event is EventOf<T> {
  return event.type === type;
}
