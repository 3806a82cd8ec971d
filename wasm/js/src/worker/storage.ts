/**
 * The account's place on this device: its key, derived from the wallet, and what the client wrote durably.
 *
 * One IndexedDB per chain and address. An account belongs to one tab at a time (a Web Lock), because two
 * clients with one key could sign two vouchers for the same money; a second tab gets the next account.
 */

import { completed, done, openDatabase } from './disk.js';
import { Keys, MAX_ACCOUNTS, type Disk } from './keys.js';
import type { WalletClient } from './load.js';

const STATE = 'state';

/** Where one client keeps what must not be lost. */
export interface Storage {
  /** Its number in the wallet: 0 for the first tab; -1 without storage. */
  readonly account: number;
  readonly isStored: boolean;
  readonly secret: Uint8Array;
  readonly keys: Keys;
  /** Everything written. */
  load(): Promise<[string, Uint8Array][]>;
  /** Resolves once the write is durable. */
  write(name: string, value: Uint8Array | null): Promise<void>;
  /** Whether no other tab uses this account; it is this tab's then. */
  take(account: number): Promise<boolean>;
}

/** Opens the account that this page had before (-1: the one that was used last), or else the first that no other tab holds. */
export async function openStorage(wasm: WalletClient, disk: Disk | null, chain: string, before: number, patienceMs: number): Promise<Storage> {
  if (disk === null) return memoryStorage(wasm);
  try {
    const keys = await Keys.open(wasm, disk);
    const nameOf = (account: number): string => `antiphon-${chain}-${keys.account(account).address}`;
    const first = before < 0 ? keys.current : before;
    if (await holdLock(nameOf(first), patienceMs)) return await openAccount(keys, nameOf, first);
    for (let account = 0; account < MAX_ACCOUNTS; account += 1) {
      if (await holdLock(nameOf(account), 0)) return await openAccount(keys, nameOf, account);
    }
  } catch {
    // A disk that is full, or was taken away: the caller tells the user.
  }
  return memoryStorage(wasm);
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
  const db = await openDatabase(nameOf(account), [STATE]);
  await keys.opened(account, false);
  return {
    account,
    isStored: true,
    secret: keys.account(account).secret,
    keys,
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
    take: async (other) => other === account || holdLock(nameOf(other), 0),
  };
}

/** Keeps nothing: the account lives and dies with the worker, key included. */
async function memoryStorage(wasm: WalletClient): Promise<Storage> {
  const keys = await Keys.open(wasm, null);
  const rows = new Map<string, Uint8Array>();
  return {
    account: -1,
    isStored: false,
    secret: keys.account(0).secret,
    keys,
    load: () => Promise.resolve([...rows]),
    write: async (name, value) => void (value === null ? rows.delete(name) : rows.set(name, value)),
    take: () => Promise.resolve(false),
  };
}
