/**
 * The account's place on this device: its key, derived from the wallet, and what the client wrote durably.
 *
 * One IndexedDB per chain and address. An account belongs to one tab at a time (a Web Lock), because two
 * clients with one key could sign two vouchers for the same money; a second tab gets the next account.
 * An application that brings an account of its own keeps its key; its rows lie under its address. It is locked wherever there are locks,
 * whether anything is kept or not.
 */

import { AntiphonError } from '../error.js';
import type { Start } from '../message.js';
import { completed, done, openDatabase } from './disk.js';
import { Keys, MAX_ACCOUNTS, type Disk } from './keys.js';
import type { WalletClient } from './load.js';

const STATE = 'state';

/** A name, and what is written under it. */
export type Row = readonly [string, Uint8Array | null];

/** Where one client keeps what must not be lost. */
export interface Storage {
  /** Its number in the wallet: 0 for the first tab; -1 without storage. */
  readonly account: number;
  readonly isStored: boolean;
  readonly secret: Uint8Array;
  /** The wallet; `null` where the application brought the account. */
  readonly keys: Keys | null;
  /** Everything written. */
  load(): Promise<[string, Uint8Array][]>;
  /** Resolves once all of these are durable, `null` for what goes; where one cannot be, none is. */
  write(rows: readonly Row[]): Promise<void>;
  /** Whether no other tab uses this account; it is this tab's then. */
  take(account: number): Promise<boolean>;
}

/** Opens the account that the application brings, or the one that this page had before (-1: that was used last), or the first that no other tab holds. */
export async function openStorage(wasm: WalletClient, disk: Disk | null, { chain, own, storage, account: before, patienceMs }: Start): Promise<Storage> {
  const fleeting = async (): Promise<Storage> => {
    const keys = await Keys.open(wasm, null);
    return memoryStorage(keys.account(0).secret, keys);
  };
  const lockOf = (address: string): string => `antiphon-${chain}-${address}`;
  if (own !== null) {
    const name = lockOf(own.address);
    // A page that did not come securely has no locks, and one in a sandbox may ask for none: there nothing is written that two could write.
    const isHeld = globalThis.navigator?.locks !== undefined ? await holdLock(name, patienceMs).catch(() => null) : null;
    if (isHeld === false) throw new AntiphonError('storage/in-use');
    if (isHeld === null || storage === 'memory') return memoryStorage(own.secret, null);
    return openRows(name, 0, own.secret).catch(() => memoryStorage(own.secret, null));
  }
  if (disk === null) return fleeting();
  try {
    const keys = await Keys.open(wasm, disk);
    const nameOf = (account: number): string => lockOf(keys.account(account).address);
    const first = before < 0 ? keys.current : before;
    if (await holdLock(nameOf(first), patienceMs)) return await openAccount(keys, nameOf, first);
    for (let account = 0; account < MAX_ACCOUNTS; account += 1) {
      if (await holdLock(nameOf(account), 0)) return await openAccount(keys, nameOf, account);
    }
  } catch {
    // A disk that is full, or was taken away: the caller tells the user.
  }
  return fleeting();
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

async function openAccount(keys: Keys, nameOf: (account: number) => string, account: number): Promise<Storage> {
  const [rows] = await Promise.all([openRows(nameOf(account), account, keys.account(account).secret), keys.durable, keys.opened(account, false)]);
  return { ...rows, keys, take: async (other) => other === account || holdLock(nameOf(other), 0) };
}

/** The rows of one account. */
async function openRows(name: string, account: number, secret: Uint8Array): Promise<Storage> {
  const db = await openDatabase(name, [STATE]);
  return {
    account,
    isStored: true,
    secret,
    keys: null,
    async load() {
      const store = db.transaction(STATE, 'readonly').objectStore(STATE);
      const [names, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
      return names.map((key, i): [string, Uint8Array] => [String(key), values[i] as Uint8Array]);
    },
    async write(rows) {
      const transaction = db.transaction(STATE, 'readwrite', { durability: 'strict' });
      const store = transaction.objectStore(STATE);
      for (const [key, value] of rows) {
        if (value === null) store.delete(key);
        else store.put(value, key);
      }
      await completed(transaction);
    },
    take: () => Promise.resolve(false),
  };
}

/** Keeps nothing: the account lives and dies with the worker, and with it a key that is made here. */
function memoryStorage(secret: Uint8Array, keys: Keys | null): Storage {
  const rows = new Map<string, Uint8Array>();
  return {
    account: -1,
    isStored: false,
    secret,
    keys,
    load: () => Promise.resolve([...rows]),
    write: async (all) => all.forEach(([name, value]) => (value === null ? rows.delete(name) : rows.set(name, value))),
    take: () => Promise.resolve(false),
  };
}
