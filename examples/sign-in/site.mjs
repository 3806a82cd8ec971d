// What a web site needs to sign people in by the keys of their accounts: no passwords, and nothing here that could be stolen.

import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto';

const hex = (text) => Buffer.from(text, 'hex');
const le = (bytes, write) => (write(bytes), bytes);
const SPKI = hex('302a300506032b6570032100'); // An Ed25519 key is these bytes and 32 more (RFC 8410).
const waiting = new Map();

/** What a page must have signed within a minute: a `nonce` that counts once, and when it `expires`. */
export function challenge() {
  for (const [nonce, expires] of waiting) if (expires < Date.now()) waiting.delete(nonce);
  const [nonce, expires] = [randomBytes(32).toString('hex'), Date.now() + 60_000];
  waiting.set(nonce, expires);
  return { nonce, expires };
}

/** Returns the key of the account on `chain` that signed in at `origin`, or throws. */
export function signedIn(origin, chain, { key, nonce, signature }) {
  const expires = waiting.get(nonce);
  waiting.delete(nonce);
  if (!(expires > Date.now())) throw new Error('no such challenge, or too late');
  const tag = Buffer.from('wallet/v1/sign-in');
  const length = le(Buffer.alloc(4), (b) => b.writeUInt32LE(origin.length));
  const until = le(Buffer.alloc(8), (b) => b.writeBigUInt64LE(BigInt(expires)));
  const signed = createHash('sha256').update(Buffer.concat([Buffer.of(tag.length), tag, hex(chain), length, Buffer.from(origin), hex(nonce), until])).digest();
  const by = createPublicKey({ key: Buffer.concat([SPKI, hex(key)]), format: 'der', type: 'spki' });
  if (!verify(null, signed, by, hex(signature))) throw new Error('not signed by this key for this site');
  return key;
}
