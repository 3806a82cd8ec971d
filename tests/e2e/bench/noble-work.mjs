// What noble/curves does for a checkpoint: adds the signers' keys up and checks one signature. The same code in Node and in a
// page.

import { bls12_381 } from '@noble/curves/bls12-381.js';

const scheme = bls12_381.longSignatures;
const ORDER = bls12_381.fields.Fr.ORDER;
const DST = 'BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_';
const SAMPLES = 9;

/** Times the check of a checkpoint that just a quorum of so many guardians signed, with keys at hand as points. */
export function check(/** @type {number} */ guardians) {
  const signers = Math.floor((2 * guardians) / 3) + 1;
  const keys = [];
  let sum = 0n;
  for (let n = 1n; n <= BigInt(signers); n++) {
    const secret = (n * 0x9e3779b97f4a7c15f39cc0605cedc835n) % ORDER;
    sum = (sum + secret) % ORDER;
    keys.push(bls12_381.G1.Point.BASE.multiply(secret));
  }
  const message = new Uint8Array(32).fill(9);
  const bytes = bls12_381.fields.Fr.toBytes(sum);
  const signature = scheme.sign(scheme.hash(message, DST), bytes).toBytes();
  const times = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const began = performance.now();
    const key = scheme.aggregatePublicKeys(keys);
    const holds = scheme.verify(scheme.Signature.fromBytes(signature), scheme.hash(message, DST), key);
    times.push(performance.now() - began);
    if (!holds) throw new Error('noble refuses its own signature');
  }
  times.sort((a, b) => a - b);
  return { guardians, nanos: (times[SAMPLES >> 1] ?? NaN) * 1e6 };
}
