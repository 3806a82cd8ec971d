/** Answers what the page asks of the wallet, and hands over to another client where the answer changes who this one is. */

import type { WasmClient } from '../../generated/antiphon.js';
import { AntiphonError } from '../error.js';
import type { Id } from '../border.js';
import type { ToPage } from '../message.js';
import type { WalletAct, WalletAnswer } from '../wallet.js';
import { coded, MAX_ACCOUNTS, type Keys } from './keys.js';
import type { WalletClient } from './load.js';
import type { Row, Storage } from './storage.js';

/** What a backup brings: pairs of name and bytes, `null` for what goes. */
interface Restored {
  readonly notes: Uint8Array;
  readonly writes: readonly Row[];
}

/** The wallet's side of a worker. */
export class Teller {
  readonly #wasm: WalletClient;
  readonly #client: WasmClient;
  readonly #storage: Storage;
  readonly #post: (message: ToPage) => void;
  /** Ends the client: nothing is written any more but what is written here. */
  readonly #end: () => void;
  /** Who takes over, once that is decided. */
  #next: number | null = null;

  constructor(wasm: WalletClient, client: WasmClient, storage: Storage, post: (message: ToPage) => void, end: () => void) {
    this.#wasm = wasm;
    this.#client = client;
    this.#storage = storage;
    this.#post = post;
    this.#end = end;
  }

  /** Answers; where another client is needed, says so afterwards. */
  async ask(id: Id, act: WalletAct): Promise<void> {
    try {
      const told = await this.#do(act);
      this.#post({ type: 'told', id, told });
    } catch (error) {
      this.#post({ type: 'failed', id, ...coded(error) });
    }
    if (this.#next === null) return;
    // Neighbours are told goodbye.
    this.#end();
    this.#post({ type: 'renew', account: this.#next });
  }

  async #do(act: WalletAct): Promise<WalletAnswer> {
    switch (act.kind) {
      case 'check':
        this.#wasm.checkAddress(act.address);
        return null;
      case 'backup': return this.#client.backup({ entries: await this.#storage.load(), notes: act.notes });
      case 'takeBackup': return this.#takeBackup(act.file);
      default: return this.#keep(act, this.#keys());
    }
  }

  /** The wallet, unless its words are the application's. */
  #keys(): Keys {
    const { keys } = this.#storage;
    if (keys === null) throw new AntiphonError('wallet/elsewhere');
    return keys;
  }

  async #keep(act: Exclude<WalletAct, { kind: 'check' | 'backup' | 'takeBackup' }>, keys: Keys): Promise<WalletAnswer> {
    switch (act.kind) {
      case 'show': return { isWrittenDown: keys.isWrittenDown, account: Math.max(0, this.#storage.account), addresses: keys.addresses() };
      case 'words': return keys.words();
      case 'writtenDown': return keys.writtenDown(act.text).then(() => null);
      case 'restore':
        await keys.restore(act.text, act.forget);
        this.#next = 0;
        return null;
      case 'use': return this.#use(act.account, keys).then(() => null);
    }
  }

  async #use(account: number, keys: Keys): Promise<void> {
    if (!Number.isInteger(account) || account < 0 || account >= MAX_ACCOUNTS) throw new AntiphonError('wallet/index-out-of-range');
    if (!this.#storage.isStored) throw new AntiphonError('storage/unavailable');
    if (!(await this.#storage.take(account))) throw new AntiphonError('wallet/account-in-use');
    await keys.opened(account, true);
    this.#next = account;
  }

  async #takeBackup(file: Uint8Array): Promise<Uint8Array> {
    if (!this.#storage.isStored) throw new AntiphonError('storage/unavailable');
    const names = (await this.#storage.load()).map(([name]) => name);
    const { notes, writes } = this.#client.restore({ file, names }) as Restored;
    this.#end();
    this.#next = this.#storage.account;
    try {
      await this.#storage.write(writes);
    } catch (cause) {
      throw new AntiphonError('storage/write-failed', undefined, cause);
    }
    return notes;
  }
}
