/** Amounts as people read them. The client counts smallest units as `bigint`; text is decimal, never a float. */

import { AntiphonError } from './error.js';

/** Digits after the point of both tokens of a chain. Source: chain spec default. */
export const DECIMALS = 8;
/** What an amount has room for: 128 bits. */
const MAX_UNITS = (1n << 128n) - 1n;

/** Writes `1250000000n` as `12.5`, without trailing zeros. */
export function formatAmount(units: bigint): string {
  const digits = units.toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  const whole = digits.slice(0, -DECIMALS);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** Reads `12.5` as `1250000000n`, or returns `null` if the text is not an amount. */
export function parseAmount(text: string): bigint | null {
  const match = /^(\d{1,30})(?:\.(\d{1,8}))?$/.exec(text);
  if (match === null) return null;
  return BigInt((match[1] ?? '') + (match[2] ?? '').padEnd(DECIMALS, '0'));
}

/** As `parseAmount()`, but throws what is wrong with the text: `amount/not-decimal`, `amount/too-precise`, `amount/out-of-range`. */
export function readAmount(text: string): bigint {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new AntiphonError('amount/not-decimal');
  const [, whole = '', fraction = ''] = match;
  if (fraction.length > DECIMALS) throw new AntiphonError('amount/too-precise');
  const units = BigInt(whole + fraction.padEnd(DECIMALS, '0'));
  if (units > MAX_UNITS) throw new AntiphonError('amount/out-of-range');
  return units;
}
