import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AntiphonError } from '../src/error.js';
import type { Start } from '../src/message.js';
import { Keys, type Disk, type Kept } from '../src/worker/keys.js';
import type { WalletClient } from '../src/worker/load.js';
import { openStorage } from '../src/worker/storage.js';

const hasCode = (code: string) => (error: unknown): boolean => error instanceof AntiphonError && error.code === code;

/** Words are one byte each here, and a branch is that byte again and again. */
const wasm = {
  walletWords: ([first]: Uint8Array) => String(first),
  walletBranch: (text: string) => new Uint8Array(64).fill(Number(text)),
  walletAccount: ([first]: Uint8Array, index: number) => ({ secret: Uint8Array.of(first ?? 0, index), address: `${first}/${index}` }),
} as unknown as WalletClient;

const kept = (words: number, isWrittenDown: boolean): Kept => ({ branch: wasm.walletBranch(String(words)), entropy: isWrittenDown ? null : Uint8Array.of(words), current: 3, opened: 4 });

/** What two tabs see of one wallet on disk, each as it was when the tab began. */
class Shelf {
  constructor(public own: Kept) {}

  open(): Promise<Keys> {
    const transaction = (): object => {
      const started: { oncomplete?: () => void } = {};
      queueMicrotask(() => setTimeout(() => started.oncomplete?.(), 0));
      const get = (): object => {
        const request: { result: Kept; onsuccess?: () => void } = { result: this.own };
        queueMicrotask(() => request.onsuccess?.());
        return request;
      };
      return Object.assign(started, { objectStore: () => ({ get, put: (value: Kept) => void (this.own = value) }) });
    };
    return Keys.open(wasm, { db: { transaction }, kept: this.own } as unknown as Disk);
  }
}

test('what another tab restored meanwhile is judged, not what this one remembers', async () => {
  const shelf = new Shelf(kept(1, true));
  const [first, second] = [await shelf.open(), await shelf.open()];
  await first.restore('2', false);
  await second.restore('1', false);
  assert.equal(shelf.own.branch[0], 1);
  assert.deepEqual([shelf.own.current, second.account(0).address], [0, '1/0']);
  // The same words again keep which accounts were opened.
  await second.opened(2, true);
  await second.restore('1', false);
  assert.equal(shelf.own.current, 2);
});

test('words that another tab keeps unwritten are neither lost nor forgotten', async () => {
  const shelf = new Shelf(kept(1, true));
  const old = await shelf.open();
  shelf.own = kept(2, false);
  await assert.rejects(old.restore('3', false), hasCode('wallet/not-written-down'));
  await assert.rejects(old.writtenDown('1'), hasCode('wallet/words-differ'));
  assert.deepEqual(shelf.own, kept(2, false));
  await old.writtenDown('2');
  assert.equal(shelf.own.entropy, null);
  await old.restore('3', false);
  assert.equal(shelf.own.branch[0], 3);
});

test('an account of the application is one tab\'s wherever there are locks, whatever becomes of storage', async () => {
  const held = new Set<string>();
  const request = (name: string, _: object, act: (lock: object | null) => unknown): Promise<void> => {
    act(held.has(name) ? null : { name });
    held.add(name);
    return Promise.resolve();
  };
  const own = { secret: Uint8Array.of(7), address: 'A' };
  const start = { chain: '07', own, account: -1, patienceMs: 0 } as unknown as Start;
  // Neither has a disk: the one by choice, the other for lack of IndexedDB or because the wallet cannot be read.
  for (const storage of ['memory', 'indexeddb'] as const) {
    held.clear();
    browserHas({ locks: { request } });
    const opened = await openStorage(wasm, null, { ...start, storage });
    assert.deepEqual([opened.account, opened.isStored, opened.secret], [-1, false, own.secret]);
    assert.deepEqual([...held], ['antiphon-07-A']);
    await assert.rejects(openStorage(wasm, null, { ...start, storage }), hasCode('storage/in-use'));
  }
  browserHas({ locks: { request: () => Promise.reject(new DOMException('sandboxed', 'SecurityError')) } });
  assert.equal((await openStorage(wasm, null, { ...start, storage: 'indexeddb' })).isStored, false);
  // Some hosts have not even a navigator.
  for (const none of [{}, undefined]) {
    browserHas(none);
    assert.equal((await openStorage(wasm, null, { ...start, storage: 'indexeddb' })).isStored, false);
  }
});

function browserHas(navigator: object | undefined): void {
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}
