/**
 * One client for all tabs of an origin that name it: one of them leads, with the worker and all its sockets, the others ask it.
 *
 * ```text
 * lock NAME         held by who leads; all others wait for it. A tab that dies loses it, and the next one leads.
 * lock NAME/TAB     held by each tab as long as it lives: who leads waits for it, and forgets the tab when it gets it.
 * ```
 *
 * Two clients never run at once, for the lock is one; and the account's own lock (`worker/storage.ts`) keeps two workers from signing with
 * one key even then. What was asked and not answered when a leader goes is asked again of the next, unless doing it twice were not doing it once.
 */

import type { Id } from './border.js';
import { Client, isOfAccount, isRepeatable, type ClientEvents } from './client.js';
import { AntiphonError } from './error.js';
import type { Asked } from './message.js';
import type { UploadTerms } from './sharing.js';
import type { ClientSnapshot } from './snapshot.js';
import type { Between, Channel, Line, Shout, Shown, TabEvents } from './tabs/speech.js';
import { Told } from './told.js';

export type { Between, TabEvents } from './tabs/speech.js';

interface Waiting {
  readonly asked: Asked;
  /** Ends what was asked of the client of this tab. */
  readonly stop: AbortController;
  isAsked: boolean;
  resolve(answer: unknown): void;
  reject(error: AntiphonError): void;
}

/** A tab's time as the one that leads. */
interface Lead {
  readonly name: string;
  readonly client: Client;
  readonly over: AbortSignal;
  /** To each tab that follows. */
  readonly lines: Map<string, Channel>;
  /** How often whose client it is has changed: what is of the account before is not asked of the next. */
  turn: number;
  /** Once its client runs. */
  shown: { account: number; isStored: boolean; snapshot: ClientSnapshot | null } | null;
}

/** Starts the client of this tab, with the account of the one before. */
type Begin = (account: number, events: ClientEvents) => Client;

/** This tab among the others. */
export class Tabs extends Client {
  readonly #name: string;
  readonly #begin: Begin;
  readonly #events: TabEvents;
  readonly #between: Between;
  readonly #tab = crypto.randomUUID();
  readonly #stop = new AbortController();
  readonly #all: Channel;
  readonly #own: Channel;
  readonly #waiting = new Map<Id, Waiting>();
  readonly #told = new Told();
  #nextId = 1;
  /** While this tab leads. */
  #lead: Lead | null = null;
  /** While it does not: the name of the lead of who does, once that one hears us. */
  #leader: string | null = null;
  /** Whose client it is, as who leads last said. */
  #turn = 0;
  /** Ends its lead, or its wish for one. */
  #over = new AbortController();
  #led = Promise.resolve();
  /** The account of who led last; whether there was a lead before. */
  #account = -1;
  #hasFollowed = false;
  #isResting = false;
  /** Suspended: only `resume()` wakes it up. */
  #isAsleep = false;
  /** Who leads has begun with another account or wallet, and will say which. */
  #isRenewed = false;

  constructor(name: string, begin: Begin, events: TabEvents, between: Between) {
    super();
    this.#name = `antiphon/${name}`;
    this.#begin = begin;
    this.#events = events;
    this.#between = between;
    this.#all = between.channel(this.#name);
    this.#all.onmessage = ({ data }: MessageEvent<Shout>) => this.#hear(data);
    this.#own = between.channel(`${this.#name}/${this.#tab}`);
    this.#own.onmessage = ({ data }: MessageEvent<Line>) => this.#listen(data);
    this.#hold(`${this.#name}/${this.#tab}`, this.#stop.signal, () => {
      this.#shout({ type: 'join', tab: this.#tab });
      return new Promise((resolve) => this.#stop.signal.addEventListener('abort', () => resolve()));
    });
    this.#stand();
  }

  get isUp(): boolean {
    return this.#lead?.client.isUp ?? this.#leader !== null;
  }

  override get leads(): boolean {
    return this.#lead !== null;
  }

  wake(): void {
    if (this.#isAsleep) return;
    if (this.#isResting) this.#rise();
    if (this.#lead !== null) this.#lead.client.wake();
    else if (this.#leader !== null) this.#say({ type: 'wake' });
  }

  async suspend(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    if (!this.#isAsleep) {
      this.#isAsleep = true;
      this.#over.abort();
      for (const [id, { isAsked }] of [...this.#waiting]) {
        if (isAsked && this.#leader !== null) this.#say({ type: 'unask', id });
        this.#settle(id)?.reject(new AntiphonError('client/suspended'));
      }
      this.#leader = null;
    }
    await this.#led;
  }

  async resume(): Promise<void> {
    if (this.#stop.signal.aborted) throw new AntiphonError('client/closed');
    if (!this.#isAsleep) return;
    this.#isAsleep = false;
    this.#rise();
  }

  /** Is heard again, and waits for its turn. */
  #rise(): void {
    this.#isResting = false;
    this.#shout({ type: 'join', tab: this.#tab });
    this.#stand();
  }

  override rest(): void {
    if (this.#stop.signal.aborted || this.#isResting) return;
    this.#isResting = true;
    this.#over.abort();
  }

  async close(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#over.abort();
    // Its lock goes with it: who leads forgets it.
    this.#stop.abort();
    for (const [id] of [...this.#waiting]) this.#settle(id)?.reject(new AntiphonError('client/closed'));
    this.#all.close();
    this.#own.close();
    await this.#led;
  }

  override agree(terms: UploadTerms): void {
    this.#shout({ type: 'agreed', terms });
  }

  async ask(asked: Asked, signal?: AbortSignal): Promise<unknown> {
    if (signal?.aborted) throw new AntiphonError('client/aborted');
    if (this.#stop.signal.aborted) throw new AntiphonError('client/closed');
    if (this.#isAsleep) throw new AntiphonError('client/suspended');
    const id = this.#nextId;
    this.#nextId += 1;
    const drop = (): void => {
      const waiting = this.#settle(id);
      if (waiting === undefined) return;
      // A command that was sent is carried out all the same.
      if (asked.type === 'command' && waiting.isAsked) this.#told.took(asked);
      waiting.stop.abort();
      if (waiting.isAsked && this.#leader !== null) this.#say({ type: 'unask', id });
      waiting.reject(new AntiphonError('client/aborted'));
    };
    signal?.addEventListener('abort', drop, { once: true });
    try {
      return await new Promise<unknown>((resolve, reject) => {
        const waiting = { asked, stop: new AbortController(), isAsked: false, resolve, reject };
        this.#waiting.set(id, waiting);
        this.#put(id, waiting);
      });
    } finally {
      signal?.removeEventListener('abort', drop);
    }
  }

  /** Asks whoever leads, if somebody does. */
  #put(id: Id, waiting: Waiting): void {
    const lead = this.#lead;
    if (lead !== null) {
      waiting.isAsked = true;
      lead.client.ask(waiting.asked, waiting.stop.signal).then(
        (answer) => this.#done(id, answer),
        (error: AntiphonError) => {
          // A client that this tab has put down did not answer.
          if (this.#lead === lead || !isRepeatable(waiting.asked)) this.#settle(id)?.reject(error);
        },
      );
    } else if (this.#leader !== null) {
      waiting.isAsked = true;
      this.#say({ type: 'ask', id, asked: waiting.asked, turn: this.#turn });
    }
  }

  #done(id: Id, answer: unknown): void {
    const waiting = this.#settle(id);
    if (waiting === undefined) return;
    this.#told.took(waiting.asked);
    waiting.resolve(answer);
  }

  #settle(id: Id): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /**
   * Another client runs, here or elsewhere: it is told what it must know, and asked what the last one did not answer; what is of an account
   * only if it has the same, and that was not one that is kept nowhere.
   */
  #askAgain(isSame: boolean): void {
    const isOther = !isSame || this.#account < 0;
    for (const [id, { asked, isAsked }] of [...this.#waiting]) {
      if (isAsked && (isOther ? isOfAccount(asked) : !isRepeatable(asked))) this.#settle(id)?.reject(new AntiphonError('client/restarted'));
    }
    const waiting = [...this.#waiting];
    for (const asked of this.#told.take()) this.ask(asked).catch(() => {}); // It is told by who waits for it, too.
    for (const [id, one] of waiting) this.#put(id, one);
  }

  /** Waits for its turn to lead. */
  #stand(): void {
    const over = new AbortController();
    this.#over = over;
    this.#hold(this.#name, over.signal, () => (over.signal.aborted ? Promise.resolve() : (this.#led = this.#leadUntil(over.signal))));
  }

  /** Leads; resolves when nothing runs here any more and it is another's turn. */
  async #leadUntil(over: AbortSignal): Promise<void> {
    const lead: Lead = { name: crypto.randomUUID(), lines: new Map(), over, turn: 0, shown: null, client: this.#begin(this.#account, {
      ready: (account, isStored) => {
        // One that is kept nowhere is never the same.
        if (lead.shown !== null && (account < 0 || account !== lead.shown.account)) lead.turn += 1;
        this.#account = account;
        lead.shown = { account, isStored, snapshot: lead.shown?.snapshot ?? null };
        this.#events.ready(account, isStored);
        this.#shout({ type: 'lead' });
      },
      snapshot: (snapshot) => {
        if (lead.shown !== null) lead.shown.snapshot = snapshot;
        this.#events.snapshot(snapshot);
        this.#shout({ type: 'snapshot', snapshot, sharing: this.#events.given().sharing });
      },
      notice: (notice) => {
        this.#events.notice(notice);
        this.#shout({ type: 'notice', notice });
      },
      restarted: (code, message) => {
        // Whose client runs now it has yet to say.
        if (code === 'client/renewed') {
          lead.shown = null;
          lead.turn += 1;
        }
        this.#events.restarted(code, message);
        this.#shout({ type: 'restarted', code, message });
      },
      fatal: (error) => {
        this.#events.fatal(error);
        // Another tab may do better.
        this.rest();
      },
    }) };
    this.#leader = null;
    this.#lead = lead;
    this.#askAgain(true); // It asks what is of the account before once it has the same.
    if (!over.aborted) await new Promise((resolve) => over.addEventListener('abort', resolve, { once: true }));
    this.#lead = null;
    this.#hasFollowed = true;
    for (const line of lead.lines.values()) line.close();
    this.#events.rested();
    await lead.client.close(this.#isResting && !this.#isAsleep);
  }

  /** Something was said to all. */
  #hear(shout: Shout): void {
    if (shout.type === 'agreed') return this.#events.agreed(shout.terms);
    if (this.#isAsleep) return;
    if (this.#lead !== null) {
      if (shout.type === 'join') this.#welcome(this.#lead, shout.tab);
      return;
    }
    switch (shout.type) {
      case 'lead': return this.#shout({ type: 'join', tab: this.#tab });
      case 'snapshot':
        this.#events.followed(shout.sharing);
        return this.#events.snapshot(shout.snapshot);
      case 'notice': return this.#events.notice(shout.notice);
      case 'restarted':
        this.#isRenewed = shout.code === 'client/renewed';
        return this.#events.restarted(shout.code, shout.message);
      default:
    }
  }

  /** Something was said to this tab alone. */
  #listen(line: Line): void {
    if (this.#lead !== null || this.#isAsleep) return;
    if (line.type === 'welcome') this.#follow(line.leader, line.shown);
    else if (line.type === 'done') this.#done(line.id, line.answer);
    else if (line.type === 'failed') this.#settle(line.id)?.reject(new AntiphonError(line.code, undefined, undefined, line.isRefusal));
  }

  #follow(leader: string, shown: Shown): void {
    const before = this.#account;
    this.#turn = shown.turn;
    if (this.#leader === leader) {
      if (!this.#isRenewed && shown.account === before) return;
      this.#isRenewed = false;
      this.#account = shown.account;
      this.#events.ready(shown.account, shown.isStored);
      return;
    }
    const isOther = this.#leader !== null || this.#hasFollowed;
    this.#leader = leader;
    this.#hasFollowed = true;
    this.#account = shown.account;
    this.#events.agreed(shown.terms);
    this.#events.followed(shown.sharing);
    this.#events.ready(shown.account, shown.isStored);
    if (isOther) this.#events.restarted('client/leader-left', '');
    if (shown.snapshot !== null) this.#events.snapshot(shown.snapshot);
    this.#askAgain(shown.account === before);
  }

  /** Another tab is there: from now on it is heard, until it is gone. Before the client runs there is nothing to tell; then all are called. */
  #welcome(lead: Lead, tab: string): void {
    if (lead.shown === null) return;
    const line = lead.lines.get(tab) ?? this.#open(lead, tab);
    line.postMessage({ type: 'welcome', leader: lead.name, shown: { ...lead.shown, turn: lead.turn, ...this.#events.given() } } satisfies Line);
  }

  #open(lead: Lead, tab: string): Channel {
    const line = this.#between.channel(`${this.#name}/${tab}`);
    const asked = new Map<Id, AbortController>();
    const say = (answer: Line): void => {
      if (this.#lead === lead && lead.lines.get(tab) === line) line.postMessage(answer);
    };
    line.onmessage = ({ data }: MessageEvent<Line>) => {
      if (data.type === 'wake') lead.client.wake();
      else if (data.type === 'unask') asked.get(data.id)?.abort();
      else if (data.type === 'ask') {
        const { id } = data;
        if (data.turn !== lead.turn && isOfAccount(data.asked)) return say({ type: 'failed', id, code: 'client/renewed', isRefusal: false });
        const abort = new AbortController();
        asked.set(id, abort);
        lead.client.ask(data.asked, abort.signal).then(
          (answer) => say({ type: 'done', id, answer }),
          ({ code, isRefusal }: AntiphonError) => say({ type: 'failed', id, code, isRefusal }),
        ).finally(() => asked.delete(id));
      }
    };
    lead.lines.set(tab, line);
    this.#hold(`${this.#name}/${tab}`, lead.over, async () => {
      for (const abort of asked.values()) abort.abort();
      lead.lines.delete(tab);
      line.close();
    });
    return line;
  }

  /** Waits for a lock, and holds it as long as `act` takes. */
  #hold(name: string, signal: AbortSignal, act: () => Promise<void>): void {
    // Withdrawn: nothing is waited for any more.
    this.#between.locks.request(name, { signal }, act).catch(() => {});
  }

  #shout(shout: Shout): void {
    if (!this.#stop.signal.aborted) this.#all.postMessage(shout);
  }

  #say(line: Line): void {
    if (!this.#stop.signal.aborted) this.#own.postMessage(line);
  }
}
