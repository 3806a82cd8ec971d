import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UploadPolicy } from '../src/border.js';
import { AntiphonError } from '../src/error.js';
import { Sharing, type Surroundings, type UploadTerms } from '../src/sharing.js';

const MIB = 1024 * 1024;

test('what is agreed to is what the client is told, and without terms everything is on', async () => {
  assert.deepEqual(new Bench().make({}).policy, { isEnabled: true, rate: null, total: null });
  const bench = new Bench();
  const sharing = await bench.open({ rate: 5000, total: 10 * MIB });
  assert.deepEqual(sharing.policy, { isEnabled: true, rate: 5000, total: 10 * MIB });
  assert.deepEqual(bench.told, []); // It started with that.
  sharing.agree({ isEnabled: false });
  assert.equal(bench.last.isEnabled, false);
  assert.equal(sharing.view.why, 'declined');
});

test('of a month with a cap nothing is given before a slice of it was taken, and never more than all of it', async () => {
  const bench = new Bench();
  const sharing = bench.make({ monthly: 6 * MIB });
  assert.deepEqual(sharing.policy, { isEnabled: false, rate: null, total: 0 });
  sharing.begin();
  await settle();
  assert.equal(bench.last.total, 4 * MIB);
  sharing.served(3.5 * MIB);
  await settle();
  assert.equal(bench.last.total, 6 * MIB); // The rest of the month.
  sharing.served(6 * MIB);
  await settle();
  assert.deepEqual([bench.last.isEnabled, sharing.view.why, sharing.view.monthBytes], [false, 'spent', 6 * MIB]);
});

test('a cap that is agreed to later counts what was given before, and not what was taken without it', async () => {
  const bench = new Bench();
  const sharing = await bench.open({});
  sharing.served(MIB);
  sharing.agree({ monthly: 2 * MIB });
  assert.equal(bench.last.isEnabled, false); // Until it is known what the month still allows.
  await settle();
  assert.deepEqual([bench.last.total, sharing.view.monthBytes], [2 * MIB, MIB]);
  sharing.agree({ monthly: MIB });
  sharing.agree({ monthly: 3 * MIB });
  sharing.agree({ monthly: MIB });
  await settle();
  await settle();
  assert.deepEqual([bench.last.isEnabled, sharing.view.why, sharing.view.monthBytes], [false, 'spent', MIB]);
});

test('two pages that give at once stay below the cap together, and what one does not use the other may', async () => {
  const [one, other] = [new Bench(), new Bench()];
  other.around = one.around;
  const first = await one.open({ monthly: 5 * MIB });
  const second = await other.open({ monthly: 5 * MIB });
  assert.deepEqual([one.last.total, other.last.total], [4 * MIB, MIB]);
  first.served(MIB);
  first.close();
  await settle();
  second.served(MIB);
  await settle();
  assert.equal(other.last.total, 4 * MIB);
  assert.equal(second.view.monthBytes, 2 * MIB);
});

test('a page that dies has used what it took, and a new month begins with nothing given', async () => {
  const bench = new Bench();
  await bench.open({ monthly: 4 * MIB });
  const next = await bench.open({ monthly: 4 * MIB });
  assert.equal(next.view.why, 'spent');
  bench.clock = Date.UTC(2026, 11, 1);
  next.served(0);
  await settle();
  assert.deepEqual([next.view.why, next.view.monthBytes, bench.last.total], ['agreed', 0, 4 * MIB]);
  await bench.open({});
  assert.deepEqual([...bench.stored.keys()], ['antiphon/given/2026-12']); // Past months are forgotten.
});

test('a client that starts anew counts from nothing, and what was given before still counts', async () => {
  const bench = new Bench();
  const sharing = await bench.open({ total: 10 * MIB });
  sharing.served(4 * MIB);
  sharing.begin();
  assert.equal(bench.last.total, 6 * MIB);
  sharing.served(MIB);
  assert.equal(sharing.view.sessionBytes, 5 * MIB);
  sharing.served(6 * MIB);
  assert.deepEqual([bench.last.isEnabled, sharing.view.why], [false, 'spent']);
});

test('a client that takes the place of another begins as that one did, and is told what holds now', async () => {
  const bench = new Bench();
  const sharing = bench.make({ isEnabled: false });
  sharing.agree({});
  assert.equal(sharing.start().isEnabled, true);
  sharing.begin();
  await settle();
  sharing.agree({ isEnabled: false });
  await settle();
  assert.equal(bench.last.isEnabled, false);
  const before = bench.told.length;
  // It crashed: the next one is made as it was made.
  sharing.begin();
  await settle();
  assert.ok(bench.told.length > before);
  assert.equal(bench.last.isEnabled, false);
});

test('nothing is given where the network counts bytes, or on battery, unless that was agreed to', async () => {
  const bench = new Bench();
  const sharing = await bench.open({ whileOnBattery: false });
  bench.move({ isMetered: true });
  assert.deepEqual([bench.last.isEnabled, sharing.view.why], [false, 'metered']);
  sharing.agree({ whileOnBattery: false, whileMetered: true });
  assert.equal(bench.last.isEnabled, true);
  bench.move({ isOnBattery: true });
  assert.deepEqual([bench.last.isEnabled, sharing.view.why], [false, 'battery']);
  bench.move({ isOnBattery: false });
  assert.equal(bench.last.isEnabled, true);
});

test('terms that are no counts are refused by code', () => {
  for (const terms of [{ rate: -1 }, { total: 1.5 }, { monthly: Infinity }, { rate: NaN }]) {
    let code = '';
    try {
      new Bench().make(terms);
    } catch (error) {
      if (error instanceof AntiphonError) code = error.code;
    }
    assert.equal(code, 'options/invalid');
  }
});

test('where nothing can be stored, a month is as long as the page', async () => {
  const bench = new Bench();
  bench.around = { ...bench.around, storage: null, locks: null };
  const sharing = await bench.open({ monthly: 5 * MIB });
  sharing.served(4 * MIB);
  await settle();
  assert.equal(bench.last.total, 5 * MIB);
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Pages of one browser. */
class Bench {
  readonly told: UploadPolicy[] = [];
  readonly stored = new Map<string, string>();
  clock = Date.UTC(2026, 10, 28);
  #place = { isMetered: false, isOnBattery: false };
  readonly #watchers: (() => void)[] = [];
  around: Surroundings = {
    storage: {
      getItem: (key) => this.stored.get(key) ?? null,
      setItem: (key, value) => void this.stored.set(key, value),
      removeItem: (key) => void this.stored.delete(key),
      key: (i) => [...this.stored.keys()][i] ?? null,
      length: 0,
    },
    locks: { request: async (_name: string, act: unknown) => (act as () => unknown)() } as never,
    now: () => this.clock,
    isMetered: () => this.#place.isMetered,
    isOnBattery: () => this.#place.isOnBattery,
    watch: (changed) => void this.#watchers.push(changed),
  };

  constructor() {
    Object.defineProperty(this.around.storage, 'length', { get: () => this.stored.size });
  }

  get last(): UploadPolicy {
    const last = this.told.at(-1);
    if (last === undefined) throw new Error('nothing was told');
    return last;
  }

  make(terms: UploadTerms): Sharing {
    return new Sharing(terms, this.around, (policy) => this.told.push(policy));
  }

  async open(terms: UploadTerms): Promise<Sharing> {
    const sharing = this.make(terms);
    sharing.begin();
    await settle();
    return sharing;
  }

  move(place: { isMetered?: boolean; isOnBattery?: boolean }): void {
    this.#place = { ...this.#place, ...place };
    for (const changed of this.#watchers) changed();
  }
}
