/** Numbers and names as people read them. */

import { formatAmount } from 'antiphon';

/** Writes bytes with a unit: `12.3 MB`. */
export function bytes(count: number): string {
  if (count < 1_000_000) return `${Math.round(count / 1000)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

/** Shortens a key or a hash: `1a2b3c…9f`. */
export function short(hex: string, head = 6, tail = 4): string {
  return hex.length <= head + tail + 1 ? hex : `${hex.slice(0, head)}…${hex.slice(-tail)}`;
}

/** Writes a share of 1 as percent. */
export function percent(share: number): string {
  return `${Math.round(share * 100)}\u202f%`;
}

/** Writes an amount with at most five digits after the point, rounded down, for narrow columns. */
export function brief(units: bigint): string {
  const text = formatAmount(units);
  const point = text.indexOf('.');
  return point < 0 ? text : text.slice(0, point + 6).replace(/\.?0+$/, '') || '0';
}
