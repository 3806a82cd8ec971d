/**
 * The loop around the wasm client: one input in, its orders carried out in sequence, one timer for its deadline.
 *
 * It decides nothing. An order that itself causes an input (a socket that cannot be opened) queues it, so the
 * client is never entered twice.
 */

import type { WasmClient } from '../../generated/antiphon.js';
import type { Command, Id, Input, Output } from '../border.js';
import type { Start, ToPage } from '../message.js';
import type { ClientSnapshot } from '../snapshot.js';
import { codeOf } from '../wasm.js';
import { Http } from './http.js';
import { Links } from './links.js';
import { Node } from './node.js';
import type { Storage } from './storage.js';
import { Tracker } from './tracker.js';

/** Mean time between snapshots sent to the page. Chosen here: one a second looks alive, and two would be a tenth of what a listener costs. */
const SNAPSHOT_INTERVAL_MS = 1000;
/** Snapshots that go at once after a quiet while: at a start, a head must not wait behind the news that there is a node. */
const SNAPSHOT_BURST = 4;
/** By how much they may be ahead of even time. */
const SNAPSHOT_AHEAD_MS = (SNAPSHOT_BURST - 1) * SNAPSHOT_INTERVAL_MS;

type Post = (message: ToPage, transfer?: Transferable[]) => void;

/** One client and its sockets. */
export class Host {
  readonly links: Links;
  readonly #client: WasmClient;
  readonly #storage: Storage;
  readonly #post: Post;
  readonly #http: Http;
  readonly #node: Node;
  /** A watch-tower, if there is one. */
  readonly #tower: Node | null;
  readonly #tracker: Tracker;
  readonly #queue: Input[] = [];
  #isBusy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** What the timer waits for: most of what happens moves no deadline. */
  #armedFor: number | undefined;
  /** Sends the next snapshot. */
  #showing: ReturnType<typeof setTimeout> | undefined;
  /** When that one goes: never while nothing is new. */
  #showsAt = Infinity;
  /** When the next snapshot would go if all went evenly. */
  #nextSnapshot = -Infinity;
  /** When somebody who acted was last shown at once what comes of it. */
  #hastened = -Infinity;
  #isClosed = false;

  constructor(client: WasmClient, storage: Storage, start: Start, post: Post) {
    this.#client = client;
    this.#storage = storage;
    this.#post = post;
    const feed = (input: Input): void => this.feed(input);
    this.#http = new Http(feed);
    this.#node = new Node(start.node, feed);
    this.#tower = start.tower === null ? null : new Node(start.tower, feed);
    this.#tracker = new Tracker(feed, start.token);
    this.links = new Links(feed, post, (link) => this.#client.awaitsDrained({ link }));
  }

  /** Gives one input to the client and carries out what it orders. */
  feed(input: Input): void {
    if (this.#isClosed) return;
    this.#queue.push(input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        this.#act(this.#client.handle(now(), unixMs(), next) as Output[]);
      }
    } finally {
      this.#isBusy = false;
    }
    this.#arm();
  }

  /** Gives what the application asks; what of it cannot be read is answered with its code. */
  ask(input: Input & { readonly id: Id }): void {
    if (input.kind === 'begin') this.#hasten();
    try {
      this.feed(input);
    } catch (error) {
      const code = codeOf(error);
      if (code === null || code === 'client/panicked') throw error;
      this.#post({ type: 'lost', id: input.id, code });
    }
  }

  /** Gives one command; a refusal is answered with its code. */
  command(id: Id, command: Command): void {
    if (this.#isClosed) return;
    let outputs: Output[];
    try {
      outputs = this.#client.command(now(), unixMs(), command) as Output[];
    } catch (error) {
      const code = codeOf(error);
      if (code === null) throw error;
      this.#post({ type: 'commandFailed', id, code });
      return;
    }
    if (command.kind !== 'follow') this.#hasten();
    this.#order(() => outputs);
    this.#post({ type: 'commandDone', id });
    this.feed({ kind: 'tick' });
  }

  /** Answers with the file that proves a split, or with the code that there is none. */
  forkProof(id: Id): void {
    this.#deliver(id, this.#client.forkProof(), 'light/no-fork');
  }

  /** Answers with the newest sealed state of a field as a file, or with the code that there is none. */
  evidence(id: Id, field: string): void {
    this.#deliver(id, this.#client.evidence({ field }), 'field/nothing-sealed');
  }

  /** Signs the account in at the origin that this worker is of, whatever the page says. Answers with the bytes of `SignedIn`. */
  signIn(id: Id, nonce: string, expires: number): void {
    try {
      this.#deliver(id, this.#client.signIn({ origin: self.origin, nonce, expires }, unixMs()), 'sign-in/bad-origin');
    } catch (error) {
      this.#post({ type: 'failed', id, code: codeOf(error) ?? 'client/bad-input' });
    }
  }

  #deliver(id: Id, file: Uint8Array | undefined, missing: string): void {
    const body = file?.buffer as ArrayBuffer | undefined;
    if (body === undefined) this.#post({ type: 'failed', id, code: missing });
    else this.#post({ type: 'delivered', id, body }, [body]);
  }

  /** Says goodbye and closes every socket. */
  close(): void {
    if (this.#isClosed) return;
    try {
      this.#act(this.#client.command(now(), unixMs(), { kind: 'stop' }) as Output[]);
    } finally {
      this.#isClosed = true;
      clearTimeout(this.#timer);
      this.#http.close();
      this.#node.close();
      this.#tower?.close();
      this.#tracker.close();
      this.links.closeAll();
    }
  }

  /** Carries out what is ordered beside the queue. */
  #order(orders: () => unknown[]): void {
    this.#isBusy = true;
    try {
      this.#act(orders() as Output[]);
    } finally {
      this.#isBusy = false;
    }
  }

  #arm(): void {
    const deadline = this.#client.deadlineMs();
    if (deadline === this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = deadline;
    if (deadline === undefined) return;
    this.#timer = setTimeout(() => {
      this.#armedFor = undefined;
      this.feed({ kind: 'tick' });
    }, Math.max(0, deadline - now()));
  }

  #act(outputs: Output[]): void {
    for (const output of outputs) this.#carryOut(output);
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case 'http': return this.#http.start(output);
      case 'cancelHttp': return this.#http.cancel(output.id);
      case 'ask': {
        const asked = output.query.kind === 'watch' ? this.#tower : this.#node;
        // The client asks a tower only if it was told that there is one.
        if (asked === null) return this.feed({ kind: 'unreachable', id: output.id });
        return asked.ask(output.id, output.query);
      }
      case 'connectTracker': return this.#tracker.connect(output.url);
      case 'trackerSend': return this.#tracker.send(output.body);
      case 'closeTracker': return this.#tracker.close();
      case 'createLink': return this.links.create(output.link, output.offer);
      case 'acceptAnswer': return this.links.accept(output.link, output.sdp);
      case 'addCandidates': return this.links.add(output.link, output.lines);
      case 'closeLink': return this.links.close(output.link);
      case 'send': return this.links.send(output.link, output.body);
      case 'store': return this.#store(output.token, output.name, output.value);
      case 'deliver': {
        const body = output.body.buffer as ArrayBuffer;
        return this.#post({ type: 'delivered', id: output.id, body }, [body]);
      }
      case 'refuse': return this.#post({ type: 'refused', id: output.id, code: output.code });
      case 'fail': return this.#post({ type: 'failed', id: output.id, code: output.code });
      case 'found': return this.#post({ type: 'found', id: output.id, found: output.found });
      case 'lost': return this.#post({ type: 'lost', id: output.id, code: output.code });
      case 'notify':
        this.#offerSnapshot();
        if (output.notice.kind !== 'changed') this.#post({ type: 'notice', notice: output.notice });
    }
  }

  /** `stored` is said only when the write is durable: money that waits for it must not move before. */
  #store(token: Id, name: string, value: Uint8Array | null): void {
    this.#storage.write([[name, value]]).then(
      () => this.feed({ kind: 'stored', token }),
      () => {
        this.#post({ type: 'notice', notice: { kind: 'trouble', code: 'storage/write-failed' } });
        this.feed({ kind: 'notStored', token });
      },
    );
  }

  /** Whoever acts sees what comes of it at once: the next thing that is new goes then, and no more. Who acts again and again, once in {@link SNAPSHOT_INTERVAL_MS}. */
  #hasten(): void {
    if (now() - this.#hastened < SNAPSHOT_INTERVAL_MS) return;
    this.#hastened = now();
    this.#nextSnapshot = Math.min(this.#nextSnapshot, now() + SNAPSHOT_AHEAD_MS);
  }

  #offerSnapshot(): void {
    const present = now();
    const at = Math.max(present, this.#nextSnapshot - SNAPSHOT_AHEAD_MS);
    if (at >= this.#showsAt) return;
    clearTimeout(this.#showing);
    this.#showsAt = at;
    this.#showing = setTimeout(() => {
      this.#showsAt = Infinity;
      this.#nextSnapshot = Math.max(this.#nextSnapshot, now()) + SNAPSHOT_INTERVAL_MS;
      if (this.#isClosed) return;
      this.#order(() => this.#client.look());
      this.#post({ type: 'snapshot', snapshot: this.#client.snapshot() as ClientSnapshot });
    }, at - present);
  }
}

function now(): number {
  return Math.floor(performance.now());
}

function unixMs(): number {
  return Date.now();
}
