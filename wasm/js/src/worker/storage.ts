/**
 * The account's place on this device: its secret key and what the client wrote durably.
 *
 * One IndexedDB per chain and account. An account belongs to one tab at a time (a Web Lock), because two
 * clients with one key could sign two vouchers for the same money; a second tab gets the next account.
 * The key is made here by `getRandomValues` and never leaves the worker, unless the application brings one of its own: that has an
 * IndexedDB named after its address.
 */

import { AntiphonError } from '../error.js';
import type { Start } from '../message.js';

/** Accounts that a browser may use at once; a tab beyond them runs without storage. Chosen here. */
const MAX_ACCOUNTS = 32;
const STATE = 'state';
const SECRET = 'secret';
const SECRET_BYTES = 32;

/** Where one client keeps what must not be lost. */
export interface Storage {
  /** 0 for the first tab; -1 without storage. */
  readonly account: number;
  readonly isStored: boolean;
  readonly secret: Uint8Array;
  /** Everything written, once at the start. */
  load(): Promise<[string, Uint8Array][]>;
  /** Resolves once the write is durable. */
  write(name: string, value: Uint8Array | null): Promise<void>;
}

/** Opens the account that this page had before, or else the first of this chain that no other tab holds. */
export async function openStorage({ chain, storage, own, account: before, patienceMs }: Start): Promise<Storage> {
  if (storage === 'memory' || !('indexedDB' in self) || !('locks' in navigator)) return memoryStorage(own?.secret);
  const nameOf = (account: number | string): string => `antiphon-${chain}-${account}`;
  if (own !== null && !(await holdLock(nameOf(own.address), patienceMs))) throw new AntiphonError('storage/in-use');
  try {
    if (own !== null) return await openAccount(nameOf(own.address), 0, own.secret);
    if (await holdLock(nameOf(before), patienceMs)) return await openAccount(nameOf(before), before);
    for (let account = 0; account < MAX_ACCOUNTS; account += 1) {
      if (await holdLock(nameOf(account), 0)) return await openAccount(nameOf(account), account);
    }
  } catch {
    // Private windows and strict settings refuse IndexedDB by throwing; the caller tells the user.
  }
  return memoryStorage(own?.secret);
}

/** Takes the lock until the worker ends; resolves to whether it became free in time. */
function holdLock(name: string, patienceMs: number): Promise<boolean> {
  const options = patienceMs > 0 ? { signal: AbortSignal.timeout(patienceMs) } : { ifAvailable: true };
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, options, (lock) => {
        resolve(lock !== null);
        return lock === null ? undefined : new Promise<never>(() => {});
      })
      .catch((error: unknown) => {
        if (error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')) resolve(false);
        else reject(error);
      });
  });
}

/** A secret that the application keeps is not kept here. */
async function openAccount(name: string, account: number, own?: Uint8Array): Promise<Storage> {
  const db = await openDatabase(name);
  const secret = own ?? (await loadSecret(db));
  return {
    account,
    isStored: true,
    secret,
    async load() {
      const store = db.transaction(STATE, 'readonly').objectStore(STATE);
      const [names, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      return names.map((key, i): [string, Uint8Array] => [String(key), values[i] as Uint8Array]);
    },
    async write(key, value) {
      const transaction = db.transaction(STATE, 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore(STATE);
      if (value === null) store.delete(key);
      else store.put(value, key);
      await completed(transaction);
    },
  };
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STATE);
    request.result.createObjectStore(SECRET);
  };
  return done(request);
}

/** Returns the key of this account, made now if it has none. */
async function loadSecret(db: IDBDatabase): Promise<Uint8Array> {
  const known: unknown = await done(db.transaction(SECRET, 'readonly').objectStore(SECRET).get('key'));
  if (known instanceof Uint8Array && known.length === SECRET_BYTES) return known;
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const transaction = db.transaction(SECRET, 'readwrite', { durability: 'strict' });
  transaction.objectStore(SECRET).add(secret, 'key');
  await completed(transaction);
  return secret;
}

/** Keeps nothing: the account lives and dies with the worker, and with it a key that is made here. */
function memoryStorage(own?: Uint8Array): Storage {
  return {
    account: -1,
    isStored: false,
    secret: own ?? crypto.getRandomValues(new Uint8Array(SECRET_BYTES)),
    load: () => Promise.resolve([]),
    write: () => Promise.resolve(),
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB request failed'));
  });
}

function completed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB transaction aborted'));
  });
}
