/** What a site wants signed, and what it is given: `signIn()` of the client. */

import { AntiphonError } from './error.js';

/** Lengths of an Ed25519 key and signature (RFC 8032). */
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** What a site wants signed. */
export interface Challenge {
  /** 32 bytes that the site drew by chance and takes once, as hexadecimal digits. */
  nonce: string;
  /** Milliseconds since 1970, at most ten minutes ahead. */
  expires: number;
}

/** What signs an account in at a site. */
export interface SignedIn extends Challenge {
  /** The account's address; `null` while the chain is not known. */
  readonly account: string | null;
  /** Its Ed25519 key, 64 hexadecimal digits. */
  readonly key: string;
  /** The site for which it counts. */
  readonly origin: string;
  /** 128 hexadecimal digits, over `SHA-256(length of the tag, tag, chain, origin, nonce, expires)` as `examples/sign-in/site.mjs` writes it. */
  readonly signature: string;
}

/** Refuses what no client would sign. */
export function checkChallenge({ nonce, expires }: Challenge): void {
  if (!/^[0-9a-f]{64}$/i.test(nonce)) throw new AntiphonError('options/invalid', 'nonce is not 64 hexadecimal digits');
  if (!Number.isSafeInteger(expires) || expires < 0) throw new AntiphonError('options/invalid', 'expires is not a time in milliseconds');
}

/** Reads `SignedIn` of `core/src/wallet/sign_in.rs`: the key comes first, the signature last. */
export function toSignedIn(bytes: Uint8Array, { nonce, expires }: Challenge, account: string | null): SignedIn {
  const [key, signature] = [hex(bytes.subarray(0, KEY_BYTES)), hex(bytes.subarray(-SIGNATURE_BYTES))];
  return { account, key, origin: globalThis.origin, nonce, expires, signature };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
