/** Amounts as people read them. The client counts smallest units as `bigint`; text is decimal, never a float. */

/** Digits after the point of both tokens of a chain. Source: chain spec default. */
export const DECIMALS = 8;

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
