/** Whose the client is: words, accounts, backups, and signing in with a key. */

import { unlessAborted } from '../abort.js';
import { checkChallenge, toSignedIn, type Challenge, type SignedIn } from '../sign-in.js';
import type { Snapshot } from '../snapshot.js';
import { isChange, type WalletAct, type WalletAnswer, type WalletInfo } from '../wallet.js';
import type { Abortable } from './options.js';
import { RoomCalls } from './room.js';

/** A client, as who owns it sees it. Who gives up by `signal` stops waiting: words may be forgotten, and another account taken, all the same. */
export abstract class WalletCalls extends RoomCalls {
  abstract snapshot(): Snapshot;
  /** Resolves when the next client runs. @internal */
  protected abstract renewed(): Promise<void>;

  /** The wallet of this browser, from which each account's key comes. */
  wallet(options?: Abortable): Promise<WalletInfo> {
    return this.#wallet({ kind: 'show' }, options);
  }

  /**
   * The twelve words that bring every account back, on a phone, too, to be written down on paper. Rejects with `wallet/words-forgotten` once
   * they were: from then on they are nowhere in this browser.
   */
  words(options?: Abortable): Promise<string> {
    return this.#wallet({ kind: 'words' }, options);
  }

  /** Forgets the words here, which somebody typed from paper. Rejects with `wallet/words-differ`, or what is wrong with them. */
  async wordsWrittenDown(text: string, options?: Abortable): Promise<void> {
    await this.#wallet({ kind: 'writtenDown', text }, options);
  }

  /**
   * Becomes the first account of the wallet of these words: 12 or 24, case and spaces do not matter. Rejects with what is wrong with them (`wallet/…`), and
   * with `wallet/not-written-down` where the words of the wallet here were not: `forget` gives it up.
   */
  async restoreWords(text: string, options?: Abortable & { forget?: boolean }): Promise<void> {
    await this.#wallet({ kind: 'restore', text, forget: options?.forget ?? false }, options);
  }

  /** Becomes another account of the wallet, from 0 to 31; the stream plays on. Rejects with `wallet/account-in-use` where another tab has it. */
  async useAccount(account: number, options?: Abortable): Promise<void> {
    await this.#wallet({ kind: 'use', account }, options);
  }

  /** Resolves if a text is an address; rejects with what is wrong with it (`address/…`). */
  async checkAddress(address: string, options?: Abortable): Promise<void> {
    await this.#wallet({ kind: 'check', address }, options);
  }

  /**
   * What words do not bring back of this account, as a file: pools and what was promised from them, vouchers and gifts held, fields, and
   * `notes` of the application. There is no key in it.
   */
  async backup(notes: Uint8Array = new Uint8Array(), options?: Abortable): Promise<Blob> {
    const file = await this.#wallet<Uint8Array<ArrayBuffer>>({ kind: 'backup', notes }, options);
    return new Blob([file], { type: 'application/octet-stream' });
  }

  /**
   * Takes a backup of this account, and returns its notes. From then on this client is another device: nothing is signed any more for
   * pools and fields that were there before, whoever made them; what is left in them is had back by `release()` in time. Rejects with `backup/…`.
   */
  async restoreBackup(file: Blob, options?: Abortable): Promise<Uint8Array> {
    return this.#wallet({ kind: 'takeBackup', file: new Uint8Array(await file.arrayBuffer()) }, options);
  }

  /**
   * Signs in at the site that this page is of, with the account's key. What is signed counts at this origin alone, and the site
   * checks it as `examples/sign-in/site.mjs` does, in 20 lines of any language. Rejects with `sign-in/bad-expiry`; `sign-in/bad-origin`
   * where the page has no origin, such as a file.
   */
  async signIn(challenge: Challenge, options?: Abortable): Promise<SignedIn> {
    checkChallenge(challenge);
    const bytes = await this.client.signIn(challenge.nonce, challenge.expires, options?.signal);
    return toSignedIn(new Uint8Array(bytes), challenge, this.snapshot().wallet.address);
  }

  async #wallet<T extends WalletAnswer>(act: WalletAct, options: Abortable | undefined): Promise<T> {
    const told = (await this.client.wallet(act, options?.signal)) as T;
    // It was this client's last word; the next one is about to run.
    if (isChange(act)) await unlessAborted(this.renewed(), options?.signal);
    return told;
  }
}
