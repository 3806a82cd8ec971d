/**
 * Judges files about payments: `antiphon/verify`, a module of its own, so that only who is shown a file loads it.
 *
 * ```ts
 * const { checkProof } = await import('antiphon/verify');
 * const { payer, payee, amount, proven } = await checkProof(antiphon, file);
 * ```
 *
 * The file holds together or it does not, says the verifier; that the chain has the block which it names, and how far that block is
 * believed, says the client. Nobody else is asked: neither whoever made the file, nor the members of the field.
 *
 * Two people who compare the keys that each holds to be the other's do it by `safetyNumber()`: sixty digits to read aloud, or a code.
 */

import init, { codeOf as codeFor, compare, heightOf, judge, numberOf } from '../generated/antiphon_verify.js';
import { AntiphonError } from './error.js';
import { documentUrl } from './files.js';
import type { HeaderFound, Proven } from './found.js';
import { carried, codeOf, INTEGRITY, start, type WasmSource } from './wasm.js';

/** Longest file that is read, in bytes; the verifier refuses what is longer than one can be. Chosen here. */
const MAX_FILE = 64 << 10;

/** What a file shows of a payment, under a block of the chain that the client follows. */
export interface Checked {
  /** The block that closed the field, and how far it is believed: only `final` stands for ever. */
  readonly proven: Proven;
  /** The field, 64 hexadecimal digits. */
  readonly field: string;
  readonly version: number;
  readonly round: number;
  /** The payment's place in its round. */
  readonly index: number;
  readonly payer: string;
  readonly payee: string;
  /** Smallest units. */
  readonly amount: bigint;
}

/** What is needed of a client: headers that it believes. */
export interface Believer {
  findBlocks(height: number, options: { signal?: AbortSignal | undefined }): Promise<readonly HeaderFound[]>;
}

/** How the verifier is loaded, the first time. */
export interface CheckOptions {
  /** Where `antiphon_verify_bg.wasm` is, or what it holds. By default beside this script. */
  wasm?: WasmSource | undefined;
  /** What a file that is fetched must be, as in `dist/integrity.json`: `sha384-…`. */
  integrity?: string | undefined;
  /** Gives up waiting. */
  signal?: AbortSignal | undefined;
}

let ready: Promise<void> | undefined;

/**
 * Checks a file that `provePayment()` made, and resolves with what it shows. Rejects with an `AntiphonError`: `field/…` for a file that
 * shows nothing, `lookup/…` where the client cannot tell yet.
 */
export async function checkProof(client: Believer, file: Blob | ArrayBuffer | Uint8Array, options: CheckOptions = {}): Promise<Checked> {
  const length = file instanceof Blob ? file.size : file.byteLength;
  if (length > MAX_FILE) throw new AntiphonError('field/not-evidence');
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file instanceof Blob ? await file.arrayBuffer() : file);
  await loaded(options);
  if (options.signal?.aborted) throw new AntiphonError('client/aborted');
  const height = refusing(() => heightOf(bytes));
  if (!Number.isSafeInteger(height)) throw new AntiphonError('lookup/ahead');
  const [found] = await client.findBlocks(height, { signal: options.signal });
  if (found === undefined || found.header.height !== height) throw new AntiphonError('lookup/missing');
  const shown = refusing(() => judge(bytes, found.header.fieldRoot)) as Omit<Checked, 'proven'>;
  return { proven: found.proven, ...shown };
}

/**
 * Resolves with the safety number of two keys, 64 hexadecimal digits each: sixty digits, the same on both sides. Where people who speak
 * with each other read the same number, each has the key of the other, and nobody stands between them. Rejects with `safety/…`.
 */
export async function safetyNumber(ownKey: string, otherKey: string, options: CheckOptions = {}): Promise<string> {
  await loaded(options);
  return refusing(() => numberOf(ownKey, otherKey));
}

/** Resolves with the text of a QR code that the other one scans. Rejects with `safety/…`. */
export async function safetyCode(ownKey: string, otherKey: string, options: CheckOptions = {}): Promise<string> {
  await loaded(options);
  return refusing(() => codeFor(ownKey, otherKey));
}

/** Compares with the code that the other one shows. Rejects with `safety/mismatch` where the keys differ, `safety/…` for what is no such code. */
export async function checkSafetyCode(ownKey: string, otherKey: string, code: string, options: CheckOptions = {}): Promise<void> {
  await loaded(options);
  refusing(() => compare(ownKey, otherKey, code));
}

function loaded(options: CheckOptions): Promise<void> {
  ready ??= load(options).catch((error: unknown) => {
    // Another time it may load.
    ready = undefined;
    throw error;
  });
  return ready;
}

async function load({ wasm, integrity }: CheckOptions): Promise<void> {
  if (integrity !== undefined && !INTEGRITY.test(integrity)) throw new AntiphonError('options/invalid', 'integrity is not a hash as in dist/integrity.json');
  await start(init, await carried(wasm ?? new URL('./antiphon_verify_bg.wasm', import.meta.url), documentUrl()), integrity ?? null);
}

/** Gives what the verifier refuses as errors of this package. */
function refusing<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    throw new AntiphonError(code);
  }
}
