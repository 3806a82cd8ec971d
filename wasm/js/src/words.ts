/**
 * Words and the accounts of them: `antiphon/words`, a module of its own, so that only who keeps a wallet loads it.
 *
 * ```ts
 * const words = await Words.generate();                // or Words.restore('…'), or Words.load(store, 'main')
 * await words.save(store, 'main');
 * await using antiphon = await connect({ node, chain, account: words.account() });
 * ```
 */

import init, { accountOf, textOf, tidy } from '../generated/antiphon_words.js';
import { AntiphonError } from './error.js';
import { documentUrl } from './files.js';
import { carried, codeOf, INTEGRITY, start, type WasmSource } from './wasm.js';

/** Bytes of which twelve words are made. */
const ENTROPY_BYTES = 16;

/** Where secrets are kept. What it throws is not repeated in any error. */
export interface SecretStore {
  /** What is kept under a name, if anything is. */
  get(name: string): Promise<Uint8Array | null> | Uint8Array | null;
  /** Keeps bytes under a name, durably. */
  put(name: string, secret: Uint8Array): Promise<void> | void;
  /** Removes what is kept under a name. */
  delete(name: string): Promise<void> | void;
}

/** The key of one account, for `connect()`. Whoever has `secret` has the money. */
export interface Account {
  /** Where money is sent to. */
  readonly address: string;
  /** The public key in hexadecimal: the name among peers. */
  readonly key: string;
  readonly secret: Uint8Array;
}

/** How the module is loaded, the first time. */
export interface WordsOptions {
  /** Where `antiphon_words_bg.wasm` is, or what it holds. By default beside this script. */
  wasm?: WasmSource | undefined;
  /** What a file that is fetched must be, as in `dist/integrity.json`: `sha384-…`. */
  integrity?: string | undefined;
}

let ready: Promise<void> | undefined;

/** Twelve English words that stand for a wallet (BIP-39). */
export class Words {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  /** Makes twelve words of this device's randomness. */
  static async generate(options: WordsOptions = {}): Promise<Words> {
    await load(options);
    return new Words(refusing(() => textOf(crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES)))));
  }

  /** Reads words that a person wrote down; case and spaces do not matter. Rejects with the first thing that is wrong: `wallet/…`. */
  static async restore(text: string, options: WordsOptions = {}): Promise<Words> {
    await load(options);
    return new Words(refusing(() => tidy(text)));
  }

  /** Reads the words that a store keeps. Rejects with `secret/missing` where there are none, `secret/failed` where it does not answer. */
  static async load(store: SecretStore, name: string, options: WordsOptions = {}): Promise<Words> {
    const kept = await asked(() => store.get(name));
    if (kept === null) throw new AntiphonError('secret/missing');
    return Words.restore(new TextDecoder().decode(kept), options);
  }

  /** Keeps the words under a name that is free. Rejects with `secret/taken` where something is kept there, `secret/failed`. */
  async save(store: SecretStore, name: string): Promise<void> {
    if ((await asked(() => store.get(name))) !== null) throw new AntiphonError('secret/taken');
    await asked(() => store.put(name, new TextEncoder().encode(this.#text)));
  }

  /** The words for a person to write down. Whoever has them has the money. */
  reveal(): string {
    return this.#text;
  }

  /** Account `index`, from 0. Throws `wallet/index-out-of-range` from 2³¹ on. */
  account(index = 0): Account {
    return refusing(() => accountOf(this.#text, index)) as Account;
  }
}

function load({ wasm, integrity }: WordsOptions): Promise<void> {
  ready ??= begin(wasm, integrity).catch((error: unknown) => {
    // Another time it may load.
    ready = undefined;
    throw error;
  });
  return ready;
}

async function begin(wasm: WasmSource | undefined, integrity: string | undefined): Promise<void> {
  if (integrity !== undefined && !INTEGRITY.test(integrity)) throw new AntiphonError('options/invalid', 'integrity is not a hash as in dist/integrity.json');
  await start(init, await carried(wasm ?? new URL('./antiphon_words_bg.wasm', import.meta.url), documentUrl()), integrity ?? null);
}

/** Says no more of what a store throws than that it did. */
async function asked<T>(act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch {
    throw new AntiphonError('secret/failed');
  }
}

/** Gives what the module refuses as errors of this package. */
function refusing<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    throw new AntiphonError(code);
  }
}
