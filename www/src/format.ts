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
