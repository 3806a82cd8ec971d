/**
 * The wallet of this origin, in an IndexedDB of its own: what every account's key is derived from.
 *
 * ```text
 * own: branch 64     every account (SLIP-0010, m/44'/1'/n'); tells nothing of the words
 *      entropy 16    the words, until somebody has shown to have written them down; then nowhere
 *      current       the account that was used last
 *      opened        how many were opened
 * ```
 *
 * Words leave the worker only when the page asks for them; keys never do.
 */

import type { WalletClient } from './load.js';
import { AntiphonError } from '../error.js';
import { codeOf } from '../wasm.js';
import { completed, done, openDatabase } from './disk.js';

const DATABASE = 'antiphon-wallet';
const STORE = 'wallet';
const OWN = 'own';
/** Twelve words. */
const ENTROPY_BYTES = 16;
/** Accounts that are offered. Chosen here. */
export const MAX_ACCOUNTS = 32;

/** What is kept. */
export interface Kept {
  readonly branch: Uint8Array;
  readonly entropy: Uint8Array | null;
  readonly current: number;
  readonly opened: number;
}

/** Key and address of an account. */
export interface Account {
  readonly secret: Uint8Array;
  readonly address: string;
}

/** Where the wallet lies, and what lies there. */
export interface Disk {
  readonly db: IDBDatabase;
  readonly kept: Kept | undefined;
}

/** Opens the place of the wallet; `null` where nothing can be kept. Needs no client, so that it goes on while that is loaded. */
export async function openDisk(kind: 'indexeddb' | 'memory'): Promise<Disk | null> {
  if (kind === 'memory' || !('indexedDB' in self) || !('locks' in navigator)) return null;
  try {
    const db = await openDatabase(DATABASE, [STORE]);
    const found: unknown = await done(db.transaction(STORE, 'readonly').objectStore(STORE).get(OWN));
    const kept = toKept(found);
    // What cannot be read is not written over: there may be keys in it.
    return found !== undefined && kept === undefined ? null : { db, kept };
  } catch {
    // Private windows and strict settings refuse IndexedDB by throwing; the caller tells the user.
    return null;
  }
}

/** The wallet, on disk or in memory. */
export class Keys {
  readonly #wasm: WalletClient;
  /** `null`: it lives as long as the worker. */
  readonly #db: IDBDatabase | null;
  #kept: Kept;
  /** Resolves when the wallet that was opened is durable: nothing must be signed for it before. */
  durable = Promise.resolve();

  /** Opens the wallet, made now if there is none. */
  static async open(wasm: WalletClient, disk: Disk | null): Promise<Keys> {
    if (disk?.kept !== undefined) return new Keys(wasm, disk.db, disk.kept);
    const entropy = crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES));
    const made: Kept = { branch: await branchOf(wasm, wasm.walletWords(entropy)), entropy, current: 0, opened: 1 };
    const keys = new Keys(wasm, disk?.db ?? null, made);
    // Two tabs may begin at once: the wallet of the first counts.
    const { kept, durable } = await keys.#put((before) => before ?? made);
    keys.#kept = kept;
    keys.durable = durable;
    durable.catch(() => {}); // Whoever waits for it hears of it.
    return keys;
  }

  private constructor(wasm: WalletClient, db: IDBDatabase | null, kept: Kept) {
    this.#wasm = wasm;
    this.#db = db;
    this.#kept = kept;
  }

  /** The account that was used last. */
  get current(): number {
    return this.#kept.current;
  }

  /** Whether its words are nowhere here any more. */
  get isWrittenDown(): boolean {
    return this.#kept.entropy === null;
  }

  /** Key and address of account `index`. */
  account(index: number): Account {
    return this.#wasm.walletAccount(this.#kept.branch, index) as Account;
  }

  /** The addresses of the accounts that were opened, and of the next. */
  addresses(): string[] {
    const count = Math.min(MAX_ACCOUNTS, this.#kept.opened + 1);
    return Array.from({ length: count }, (_, index) => this.account(index).address);
  }

  /** The words. Throws `wallet/words-forgotten` once they were written down. */
  words(): string {
    const { entropy } = this.#kept;
    if (entropy === null) throw new AntiphonError('wallet/words-forgotten');
    return this.#wasm.walletWords(entropy);
  }

  /** Forgets the words, which somebody has typed from paper. Throws `wallet/words-differ`, or what is wrong with them. */
  async writtenDown(text: string): Promise<void> {
    const typed = this.#wasm.walletBranch(text);
    await this.#change((kept = this.#kept) => {
      if (!isSame(typed, kept.branch)) throw new AntiphonError('wallet/words-differ');
      return { ...kept, entropy: null };
    });
  }

  /** Takes the wallet of these words. Throws `wallet/not-written-down` where that would lose the one that is here. */
  async restore(text: string, forget: boolean): Promise<void> {
    const branch = this.#wasm.walletBranch(text);
    if (this.#db === null) throw new AntiphonError('storage/unavailable');
    await this.#change((kept = this.#kept) => {
      if (isSame(branch, kept.branch)) return { ...kept, entropy: null };
      if (kept.entropy !== null && !forget) throw new AntiphonError('wallet/not-written-down');
      return { branch, entropy: null, current: 0, opened: 0 };
    });
  }

  /** An account is in use. `isChosen`: by the user, so that it is the one to begin with. */
  async opened(index: number, isChosen: boolean): Promise<void> {
    const { opened, current } = this.#kept;
    if (index < opened && (!isChosen || current === index)) return;
    await this.#change((before) => {
      const kept = before ?? this.#kept;
      return { ...kept, opened: Math.max(kept.opened, index + 1), current: isChosen ? index : kept.current };
    });
  }

  /** Reads, changes and writes in one transaction, so that tabs do not undo each other: `act` judges what another tab kept meanwhile. */
  async #change(act: (kept: Kept | undefined) => Kept): Promise<void> {
    const { kept, durable } = await this.#put(act);
    await durable;
    this.#kept = kept;
  }

  /** The same, and resolves as soon as it is known what is kept. */
  async #put(act: (kept: Kept | undefined) => Kept): Promise<{ kept: Kept; durable: Promise<void> }> {
    if (this.#db === null) return { kept: act(undefined), durable: Promise.resolve() };
    const transaction = this.#db.transaction(STORE, 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore(STORE);
    const kept = act(toKept(await done(store.get(OWN))));
    store.put(kept, OWN);
    return { kept, durable: completed(transaction) };
  }
}

/** What is kept of words that are right. A first visit waits for it, and the browser's own PBKDF2 is many times faster; only pages that came securely have it. */
async function branchOf(wasm: WalletClient, words: string): Promise<Uint8Array> {
  const { subtle } = globalThis.crypto as { subtle?: SubtleCrypto };
  if (subtle === undefined) return wasm.walletBranch(words);
  const [text, salt] = [words, 'mnemonic'].map((part) => new TextEncoder().encode(part)) as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
  const key = await subtle.importKey('raw', text, 'PBKDF2', false, ['deriveBits']);
  return wasm.walletBranchOfSeed(new Uint8Array(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt, iterations: 2048 }, key, 512)));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, at) => byte === other[at]);
}

/** What of an error goes to the page: its code, and what it says beyond that. */
export function coded(error: unknown): { code: string; message: string } {
  const code = error instanceof AntiphonError ? error.code : (codeOf(error) ?? 'client/bad-input');
  const message = error instanceof Error && !(error instanceof AntiphonError) ? error.message : '';
  return { code, message };
}

/** What lies in the store may be anybody's. */
function toKept(value: unknown): Kept | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { branch, entropy, current, opened } = value as Partial<Record<keyof Kept, unknown>>;
  const isWhole = branch instanceof Uint8Array && branch.length === 64 && (entropy === null || entropy instanceof Uint8Array);
  const isCount = (count: unknown): count is number => Number.isInteger(count) && (count as number) >= 0 && (count as number) <= MAX_ACCOUNTS;
  return isWhole && isCount(current) && isCount(opened) ? { branch, entropy, current, opened } : undefined;
}
