/** One payment of a closed field as a file: what it shows in plain words. */

import { formatAmount, type Exhibit } from 'antiphon';
import { short } from '../format.js';
import { mark, say } from '../page.js';

/** What a file shows, whether this page made it or was shown it. */
export type Shown = Pick<Exhibit, 'proven' | 'field' | 'round' | 'paid'>;

/** What a file shows, for a person. */
export function sentence({ proven, field, round, paid }: Shown): string {
  const { payer, payee, amount } = paid;
  return `${short(payer, 8)} paid ${short(payee, 8)} ${formatAmount(amount)} Tansen in round ${round} of field ${short(field)}. `
    + `All its members agreed: block ${proven.height.toLocaleString('en')} (${short(proven.block)}), which is ${proven.level}, commits it in its field root. `
    + 'Nothing else of the field is shown.';
}

/** Marks an element with what a file shows, so that a program may read it, too. */
export function showOn(element: HTMLElement, exhibit: Shown): void {
  mark(element, 'level', exhibit.proven.level);
  mark(element, 'height', String(exhibit.proven.height));
  mark(element, 'units', String(exhibit.paid.amount));
  say(element, sentence(exhibit));
}

/** The name under which the proof of a payment is saved: no two payments of a field share one. */
export function fileName({ field, round }: Exhibit, index: number): string {
  return `payment-${field.slice(0, 8)}-round-${round}-place-${index}.evidence`;
}
