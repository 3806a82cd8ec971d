/** Numbers and names as people read them. */

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

/** Parts of a token below one, by their size in smallest units of 10^-8. */
const PARTS: readonly (readonly [bigint, string])[] = [[100_000n, 'm'], [100n, 'µ']];

/** Writes an amount for a narrow column: `12.5`, or with a metric prefix `3.41 µ`, rounded down. */
export function brief(units: bigint): string {
  if (units === 0n || units >= 1_000_000n) return cut(units * 1_000n, 100_000_000_000n);
  for (const [size, prefix] of PARTS) {
    if (units >= size) return `${cut(units * 1_000n, size * 1_000n)}\u202f${prefix}`;
  }
  return `${units * 10n}\u202fn`;
}

/** Divides to at most three digits after the point. */
function cut(numerator: bigint, denominator: bigint): string {
  return String(Number((numerator * 1_000n) / denominator) / 1_000);
}

/** Writes the name of a stream as a title: `evening-voices` is `Evening voices`. */
export function title(name: string): string {
  const words = name.replace(/[-_]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Writes how long ago something was: `4 s ago`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds}\u202fs ago`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)}\u202fmin ago`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)}\u202fh ago` : `${Math.round(seconds / 86_400)} days ago`;
}
