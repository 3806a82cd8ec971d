import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client, type ClientEvents } from '../src/client.js';
import { AntiphonError } from '../src/error.js';
import type { Asked } from '../src/message.js';
import { EMPTY_SNAPSHOT } from '../src/snapshot.js';
import { Tabs, type Between, type TabEvents } from '../src/tabs.js';

const SHARING = { isOn: true, why: 'agreed', sessionBytes: 0, monthBytes: 0, monthly: null } as const;
const hasCode = (code: string) => (error: unknown): boolean => error instanceof AntiphonError && error.code === code;

test('one tab runs the client, and the others ask it', async () => {
  const browser = new Browser();
  const [first, second] = [browser.open(), browser.open()];
  await settled();
  assert.equal(browser.clients.length, 1);
  assert.equal(first.tabs.leads, true);
  assert.equal(second.tabs.leads, false);
  const asked = second.tabs.segment(7, 100, new AbortController().signal);
  await settled();
  browser.clients[0]?.answer('want', new ArrayBuffer(3));
  assert.equal((await asked).byteLength, 3);
  browser.clients[0]?.events.snapshot(EMPTY_SNAPSHOT);
  await settled();
  assert.deepEqual(second.told, ['agreed', 'followed', 'ready 0', 'followed', 'snapshot']);
});

test('what the client refuses, it refuses in every tab', async () => {
  const browser = new Browser();
  browser.open();
  const { tabs } = browser.open();
  const refused = tabs.check(1, new ArrayBuffer(1), new AbortController().signal);
  await settled();
  browser.clients[0]?.refuse('check', new AntiphonError('origin/bad-chunk', undefined, undefined, true));
  await assert.rejects(refused, (error) => hasCode('origin/bad-chunk')(error) && (error as AntiphonError).isRefusal);
});

test('when the leader dies the next tab leads, is told the stream, and asks again what can be asked twice', async () => {
  const browser = new Browser();
  const first = browser.open();
  const [second, third] = [browser.open(), browser.open()];
  await settled();
  const { signal } = new AbortController();
  const playlist = second.tabs.playlist('https://o/live.m3u8', '#text', signal);
  await settled();
  browser.clients[0]?.answer('playlist', new ArrayBuffer(0));
  await playlist;
  const [segment, paid, other] = [second.tabs.segment(7, 0, signal), second.tabs.command({ kind: 'settle' }), third.tabs.forkProof()];
  const isPaid = assert.rejects(paid, hasCode('client/restarted'));
  await settled();
  browser.kill(first);
  await settled();
  await isPaid;
  assert.equal(browser.clients.length, 2);
  assert.equal(second.tabs.leads, true);
  assert.deepEqual(browser.clients[1]?.asked.map(({ type }) => type), ['playlist', 'want', 'forkProof']);
  browser.clients[1]?.answer('want', new ArrayBuffer(2));
  browser.clients[1]?.answer('forkProof', new ArrayBuffer(4));
  assert.equal((await segment).byteLength, 2);
  assert.equal((await other).byteLength, 4);
  assert.ok(third.told.includes('restarted client/leader-left'));
});

test('a tab that follows asks for another account, and is told when there is one', async () => {
  const browser = new Browser();
  const [leader, follower] = [browser.open(), browser.open()];
  await settled();
  const used = follower.tabs.wallet({ kind: 'use', account: 4 });
  await settled();
  const [client] = browser.clients;
  client?.answer('wallet', null);
  assert.equal(await used, null);
  client?.events.restarted('client/renewed', '');
  client?.events.ready(4, true);
  await settled();
  for (const { told } of [leader, follower]) assert.equal(told.filter((word) => word === 'restarted client/renewed' || word === 'ready 4').join(), 'restarted client/renewed,ready 4');
  // The next leader goes on with it.
  browser.kill(leader);
  await settled();
  assert.deepEqual(browser.clients.map(({ account }) => account), [-1, 4]);
});

test('what a tab asks of an account while who leads becomes another is not asked of that one', async () => {
  const browser = new Browser();
  const [, follower] = [browser.open(), browser.open()];
  await settled();
  const [client] = browser.clients;
  // It is on its way when the leader becomes another: the same place in another wallet.
  const paid = assert.rejects(follower.tabs.begin('rent', { kind: 'openPool', deposit: 1n }), hasCode('client/renewed'));
  const segment = follower.tabs.segment(7, 0, new AbortController().signal);
  client?.events.restarted('client/renewed', '');
  client?.events.ready(0, true);
  await paid;
  assert.deepEqual(client?.asked.map(({ type }) => type), ['want']);
  client?.answer('want', new ArrayBuffer(2));
  assert.equal((await segment).byteLength, 2);
  await settled();
  // Asked anew, it is meant for this one.
  const again = follower.tabs.begin('rent', { kind: 'openPool', deposit: 1n });
  await settled();
  assert.deepEqual(client?.asked.map(({ type }) => type), ['want', 'begin']);
  client?.refuse('begin', new AntiphonError('call/full'));
  await assert.rejects(again, hasCode('call/full'));
  // A client that crashed and has the same account is the same.
  const calls = follower.tabs.calls();
  client?.events.ready(0, true);
  await settled();
  client?.answer('calls', new ArrayBuffer(0));
  await calls;
});

test('the account goes from leader to leader', async () => {
  const browser = new Browser();
  browser.account = 3;
  const first = browser.open();
  browser.open();
  await settled();
  browser.kill(first);
  await settled();
  assert.deepEqual(browser.clients.map(({ account }) => account), [-1, 3]);
});

test('who leads next has the account that was used last where the one before was kept nowhere, and is not asked what was of that one', async () => {
  const browser = new Browser();
  browser.account = -1;
  const [first, second] = [browser.open(), browser.open()];
  browser.open();
  await settled();
  const begun = assert.rejects(second.tabs.begin('rent', { kind: 'openPool', deposit: 1n }), hasCode('client/restarted'));
  await settled();
  browser.kill(first);
  await settled();
  await begun;
  assert.deepEqual(browser.clients.map(({ account }) => account), [-1, -1]);
  assert.deepEqual(browser.clients[1]?.asked, []);
});

test('what is of an account is not asked of the next leader that has another', async () => {
  const browser = new Browser();
  const first = browser.open();
  browser.open();
  await settled();
  const third = browser.open();
  await settled();
  const begun = assert.rejects(third.tabs.begin('rent', { kind: 'openPool', deposit: 1n }), hasCode('client/restarted'));
  const segment = third.tabs.segment(7, 0, new AbortController().signal);
  await settled();
  browser.account = 1;
  browser.kill(first);
  await settled();
  await begun;
  assert.deepEqual(browser.clients[1]?.asked.map(({ type }) => type), ['want']);
  browser.clients[1]?.answer('want', new ArrayBuffer(2));
  assert.equal((await segment).byteLength, 2);
});

test('a tab that comes while another account is opened is told that one, and so is who follows a client that crashed', async () => {
  const browser = new Browser();
  browser.open();
  const second = browser.open();
  await settled();
  const [client] = browser.clients;
  client?.events.restarted('client/renewed', '');
  const third = browser.open();
  await settled();
  client?.events.ready(4, true);
  await settled();
  const accounts = ({ told }: Tab): string[] => told.filter((word) => word.startsWith('ready'));
  assert.deepEqual([accounts(second), accounts(third)], [['ready 0', 'ready 4'], ['ready 4']]);
  client?.events.restarted('client/panicked', '');
  client?.events.ready(5, true);
  await settled();
  assert.deepEqual([accounts(second), accounts(third)], [['ready 0', 'ready 4', 'ready 5'], ['ready 4', 'ready 5']]);
});

test('a tab that is suspended says goodbye, answers nobody and sleeps until it is resumed, whether it leads or follows', async () => {
  const browser = new Browser();
  const [first, second] = [browser.open(), browser.open()];
  await settled();
  for (const { tabs, told } of [first, second]) {
    const client = browser.clients.at(-1);
    const asked = assert.rejects(tabs.forkProof(), hasCode('client/suspended'));
    await settled();
    await tabs.suspend();
    await asked;
    assert.equal(client?.closed, 'with a goodbye');
    tabs.wake();
    await assert.rejects(tabs.forkProof(), hasCode('client/suspended'));
    await settled();
    assert.deepEqual([tabs.leads, tabs.isUp], [false, false]);
    const before = told.length;
    browser.clients.at(-1)?.events.snapshot(EMPTY_SNAPSHOT);
    await settled();
    assert.equal(told.length, before);
    await tabs.resume();
    await settled();
  }
  assert.deepEqual([first.tabs.leads, second.tabs.leads], [true, false]);
  const asked = assert.rejects(second.tabs.forkProof(), hasCode('client/suspended'));
  await settled();
  await second.tabs.suspend();
  await asked;
  assert.equal(browser.clients.at(-1)?.givenUp, 1);
  await second.tabs.resume();
  const again = second.tabs.forkProof();
  await settled();
  browser.clients.at(-1)?.answer('forkProof', new ArrayBuffer(1));
  assert.equal((await again).byteLength, 1);
  await second.tabs.close();
  await assert.rejects(second.tabs.resume(), hasCode('client/closed'));
});

test('a tab that is frozen leads no more, at once, and stands again when it wakes up', async () => {
  const browser = new Browser();
  const [first, second] = [browser.open(), browser.open()];
  await settled();
  first.tabs.rest();
  await settled();
  assert.deepEqual([first.tabs.leads, second.tabs.leads], [false, true]);
  assert.equal(browser.clients[0]?.closed, 'in haste');
  assert.ok(first.told.includes('rested'));
  first.tabs.wake();
  const asked = first.tabs.forkProof();
  await settled();
  browser.clients[1]?.answer('forkProof', new ArrayBuffer(1));
  assert.equal((await asked).byteLength, 1);
  browser.kill(second);
  await settled();
  assert.equal(first.tabs.leads, true);
});

test('a tab that closes says goodbye before the next one leads, and answers nothing any more', async () => {
  const browser = new Browser();
  const [first, second] = [browser.open(), browser.open()];
  await settled();
  const asked = first.tabs.forkProof();
  const isClosed = assert.rejects(asked, hasCode('client/closed'));
  await first.tabs.close();
  await isClosed;
  assert.equal(browser.clients[0]?.closed, 'with a goodbye');
  await assert.rejects(first.tabs.forkProof(), hasCode('client/closed'));
  await settled();
  assert.equal(second.tabs.leads, true);
});

test('what a tab gives up, or a tab that dies had asked, the client is told', async () => {
  const browser = new Browser();
  browser.open();
  const [second, third] = [browser.open(), browser.open()];
  await settled();
  const abort = new AbortController();
  const asked = second.tabs.segment(1, 0, abort.signal);
  void third.tabs.segment(2, 0, new AbortController().signal);
  await settled();
  abort.abort();
  await assert.rejects(asked, hasCode('client/aborted'));
  browser.kill(third);
  await settled();
  assert.equal(browser.clients[0]?.givenUp, 2);
});

test('what is given away is agreed to in all tabs, and in those that come later', async () => {
  const browser = new Browser();
  const [first, second] = [browser.open(), browser.open()];
  await settled();
  second.tabs.agree({ rate: 5 });
  await settled();
  assert.deepEqual(first.terms, { rate: 5 });
  const third = browser.open();
  await settled();
  assert.deepEqual(third.terms, { rate: 5 });
});

test('a client that cannot run in one tab is tried in the next', async () => {
  const browser = new Browser();
  const first = browser.open();
  const second = browser.open();
  await settled();
  browser.clients[0]?.events.fatal(new AntiphonError('client/gave-up'));
  await settled();
  assert.deepEqual([first.tabs.leads, second.tabs.leads], [false, true]);
  assert.ok(first.told.includes('fatal client/gave-up'));
});

test('of two clients never both run, whatever comes and goes', async () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const browser = new Browser();
    const roll = dice(seed);
    let tabs = [browser.open(), browser.open(), browser.open()];
    for (let step = 0; step < 60; step += 1) {
      const one = tabs[roll(tabs.length)];
      const deed = roll(5);
      if (deed === 0 || one === undefined) tabs.push(browser.open());
      else if (deed === 1) {
        browser.kill(one);
        tabs = tabs.filter((tab) => tab !== one);
      } else if (deed === 2) one.tabs.rest();
      else if (deed === 3) one.tabs.wake();
      else await settled();
      const running = browser.clients.filter(({ closed }) => closed === null);
      assert.ok(running.length <= 1);
    }
    for (const { tabs: one } of tabs) one.wake();
    await settled();
    if (tabs.length > 0) assert.equal(browser.clients.filter(({ closed }) => closed === null).length, 1);
  }
});

/** A client that answers what the test says. */
class Fake extends Client {
  readonly asked: Asked[] = [];
  readonly #waiting: { asked: Asked; resolve(answer: unknown): void; reject(error: unknown): void }[] = [];
  givenUp = 0;
  closed: null | string = null;

  constructor(readonly account: number, readonly events: ClientEvents) {
    super();
  }

  get isUp(): boolean {
    return this.closed === null;
  }

  wake(): void {}

  suspend(): Promise<void> {
    return Promise.resolve();
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  close(isHasty = false): Promise<void> {
    this.closed ??= isHasty ? 'in haste' : 'with a goodbye';
    for (const { reject } of this.#waiting) reject(new AntiphonError('client/closed'));
    return Promise.resolve();
  }

  ask(asked: Asked, signal?: AbortSignal): Promise<unknown> {
    this.asked.push(asked);
    signal?.addEventListener('abort', () => (this.givenUp += 1));
    return new Promise((resolve, reject) => this.#waiting.push({ asked, resolve, reject }));
  }

  answer(type: Asked['type'], answer: unknown): void {
    this.#waiting.findLast(({ asked }) => asked.type === type)?.resolve(answer);
  }

  refuse(type: Asked['type'], error: AntiphonError): void {
    this.#waiting.find(({ asked }) => asked.type === type)?.reject(error);
  }
}

interface Tab {
  readonly tabs: Tabs;
  readonly told: string[];
  terms: object;
  isGone: boolean;
}

/** Tabs, locks and channels of one origin. */
class Browser {
  readonly clients: Fake[] = [];
  account = 0;
  readonly #held = new Map<string, { owner: object; release(): void }>();
  readonly #queue: { name: string; owner: object; act: () => Promise<void> }[] = [];
  readonly #ends: { name: string; owner: object; onmessage: ((event: MessageEvent) => void) | null }[] = [];

  open(): Tab {
    const told: string[] = [];
    const owner = {};
    const tab: { -readonly [K in keyof Tab]: Tab[K] } = { told, terms: {}, isGone: false, tabs: undefined as unknown as Tabs };
    this.#owners.set(tab, owner);
    const events: TabEvents = {
      ready: (account) => told.push(`ready ${account}`),
      snapshot: () => told.push('snapshot'),
      notice: () => told.push('notice'),
      restarted: (code) => told.push(`restarted ${code}`),
      fatal: ({ code }) => told.push(`fatal ${code}`),
      followed: () => told.push('followed'),
      rested: () => told.push('rested'),
      agreed: (terms) => {
        told.push('agreed');
        tab.terms = terms;
      },
      given: () => ({ sharing: SHARING, terms: tab.terms }),
    };
    const begin = (account: number, to: ClientEvents): Client => {
      const client = new Fake(account, to);
      this.clients.push(client);
      this.#running.set(owner, client);
      queueMicrotask(() => to.ready(Math.max(account, this.account), true));
      return client;
    };
    tab.tabs = new Tabs('radio', begin, events, this.#between(owner));
    return tab;
  }

  /** Ends a tab as browsers do: nothing of it runs, its locks are free. */
  kill(tab: Tab): void {
    tab.isGone = true;
    const owner = this.#owners.get(tab);
    const client = owner && this.#running.get(owner);
    if (client) client.closed ??= 'with its tab';
    this.#dead.add(owner ?? {});
    for (const [name, held] of [...this.#held]) if (held.owner === owner) this.#free(name);
  }

  readonly #owners = new Map<Tab, object>();
  readonly #running = new Map<object, Fake>();
  readonly #dead = new Set<object>();

  #between(owner: object): Between {
    const request = (name: string, options: { signal?: AbortSignal }, act: () => Promise<void>): Promise<void> => {
      return new Promise((_, reject) => {
        const wish = { name, owner, act };
        this.#queue.push(wish);
        options.signal?.addEventListener('abort', () => {
          const at = this.#queue.indexOf(wish);
          if (at < 0) return;
          this.#queue.splice(at, 1);
          reject(new Error('withdrawn'));
        });
        queueMicrotask(() => this.#grant());
      });
    };
    const channel: Between['channel'] = (name) => {
      const end: { name: string; owner: object; onmessage: ((event: MessageEvent) => void) | null } = { name, owner, onmessage: null };
      this.#ends.push(end);
      return Object.assign(end, {
        postMessage: (message: unknown) => {
          if (this.#dead.has(owner)) return;
          const copy: unknown = structuredClone(message);
          for (const other of this.#ends) {
            if (other === end || other.name !== name) continue;
            queueMicrotask(() => {
              if (this.#ends.includes(other) && !this.#dead.has(other.owner)) other.onmessage?.({ data: copy } as MessageEvent);
            });
          }
        },
        close: () => void this.#ends.splice(this.#ends.indexOf(end), 1),
      });
    };
    return { locks: { request } as unknown as Between['locks'], channel };
  }

  #grant(): void {
    for (const wish of [...this.#queue]) {
      if (this.#held.has(wish.name) || this.#dead.has(wish.owner)) continue;
      this.#queue.splice(this.#queue.indexOf(wish), 1);
      this.#held.set(wish.name, { owner: wish.owner, release: () => {} });
      void wish.act().then(() => {
        if (!this.#dead.has(wish.owner)) this.#free(wish.name);
      });
    }
  }

  #free(name: string): void {
    this.#held.delete(name);
    queueMicrotask(() => this.#grant());
  }
}

/** Lets everything happen that is due. */
async function settled(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Numbers below a bound, the same for a seed. Source: xorshift32. */
function dice(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
