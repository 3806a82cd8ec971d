/** What makes no sense is not asked: the caller's mistake, told before anything is done. */

import { AntiphonError } from '../error.js';

const HEX_32 = /^[0-9a-f]{64}$/i;

/** A mistake of who calls. */
export function wrong(what: string): AntiphonError {
  return new AntiphonError('options/invalid', what);
}

/** Keys, hashes and what is named by one. */
export function mustBeHex(name: string, value: string): void {
  if (!HEX_32.test(value)) throw wrong(`${name} is not 64 hexadecimal digits`);
}

/** Fractions and what is negative are counts of nothing. */
export function mustBeCount(name: string, value: number, most = Number.MAX_SAFE_INTEGER, least = 0): void {
  if (!Number.isInteger(value) || value < least || value > most) throw wrong(`${name} is not a count from ${least} to ${most}`);
}

/** Texts are measured as the client writes them: in UTF-8. */
export function mustFit(name: string, text: string, bytes: number): void {
  if (new TextEncoder().encode(text).length > bytes) throw wrong(`${name} is longer than ${bytes} bytes`);
}

/** Anything has a base but a server, where addresses must be whole. */
export function mustBeUrl(name: string, text: string, base: string | undefined): string {
  if (!URL.canParse(text, base)) throw wrong(`${name} is not a URL`);
  return new URL(text, base).href;
}
