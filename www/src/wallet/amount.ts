/** Amounts as people write them. */

import { parseAmount } from 'antiphon';

/** Why a text is no amount, by stable code; the page has words for each. */
export type AmountFault = 'amount/not-decimal' | 'amount/ambiguous' | 'amount/too-precise' | 'amount/nothing';

/** Digits of a whole number, grouped by threes with spaces or apostrophes; never with what might be a point. */
const GROUPS = /^(\d{1,3})(?:[ \u00a0\u202f'’]\d{3})+(?=[.,]|$)/;

/** Reads `1.5`, `1,5`, `.5`, `1 000.25` or `2 Tansen`. What could be a thousand or one is asked about, not guessed. */
export function readAmount(text: string): bigint | AmountFault {
  const bare = text.trim().replace(/\s*tansen$/i, '').replace(GROUPS, (whole) => whole.replace(/\D/g, ''));
  if (/^\d{1,3}(,\d{3})+$/.test(bare)) return 'amount/ambiguous';
  const match = /^(\d*)(?:[.,](\d*))?$/.exec(bare);
  const [, whole = '', part = ''] = match ?? [];
  if (match === null || whole + part === '') return 'amount/not-decimal';
  if (part.length > 8) return 'amount/too-precise';
  const units = parseAmount(part === '' ? whole : `${whole === '' ? '0' : whole}.${part}`);
  if (units === null) return 'amount/not-decimal';
  return units === 0n ? 'amount/nothing' : units;
}

/** Writes whole digits in groups, for a person: `12 500.25`. */
export function grouped(text: string): string {
  const [whole = '', part] = text.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, '\u202f');
  return part === undefined ? groups : `${groups}.${part}`;
}
