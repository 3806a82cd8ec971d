/** Who comes into a running field and who leaves it. */

import { formatAmount, parseAmount, type Around, type FieldAmendment, type FieldMember } from 'antiphon';
import { short } from '../format.js';
import { fill, labelled, make } from '../page.js';
import type { Act } from './card.js';

/** What a next version changes, for a person. */
export function turnover({ members, until, isSigned }: FieldAmendment, before: readonly FieldMember[], self: string): string {
  const name = (address: string): string => (address === self ? 'you' : short(address));
  const had = new Map(before.map(({ address, balance }) => [address, balance]));
  const stay = new Set(members.map(({ address }) => address));
  const changes = [
    ...members.filter(({ address }) => !had.has(address)).map(({ address, balance }) => `${name(address)} would join with ${formatAmount(balance)}`),
    ...before.filter(({ address }) => !stay.has(address)).map(({ address, balance }) => `${name(address)} would leave with ${formatAmount(balance)}`),
    ...members.filter(({ address, balance }) => had.has(address) && had.get(address) !== balance)
      .map(({ address, balance }) => `${name(address)} would have ${formatAmount(balance)} instead of ${formatAmount(had.get(address) ?? 0n)}`),
  ];
  const what = changes.length === 0 ? 'the same members would go on' : changes.join(', ');
  return `Next: ${what}, if all sign until block ${until}. ${isSigned ? 'You have signed.' : 'You are asked.'} Payments wait until it is decided.`;
}

/** Lets the leader of a field ask others in. */
export class Door {
  readonly element = make('div', '', { testid: 'field-door' });
  readonly #list = make('ul', '');
  readonly #deposit = make('input', '', { testid: 'door-deposit' });
  readonly #field: string;
  readonly #act: Act;

  constructor(field: string, act: Act) {
    this.#field = field;
    this.#act = act;
    this.#deposit.value = '1';
    this.#deposit.inputMode = 'decimal';
    this.#deposit.autocomplete = 'off';
    this.#deposit.size = 6;
    this.element.hidden = true;
    this.element.append(labelled('who joins locks', this.#deposit), this.#list);
  }

  /** Shows who could join. */
  update(others: readonly Around[]): void {
    this.element.hidden = others.length === 0;
    fill(this.#list, others.map(({ peer }) => peer).join(), () => others.map(({ peer, address }) => {
      const item = make('li', '', { peer });
      const button = make('button', 'Let in', { testid: 'field-admit' });
      button.type = 'button';
      button.className = 'quiet';
      button.setAttribute('aria-label', `Let ${short(address, 8)} in`);
      button.addEventListener('click', () => this.#admit(peer, address));
      item.append(make('code', short(address, 8)), button);
      return item;
    }));
  }

  #admit(peer: string, address: string): void {
    this.#act(`Asked all members to let ${short(address, 8)} in.`, async (antiphon) => {
      const deposit = parseAmount(this.#deposit.value.trim());
      if (deposit === null) throw new Error('Type what who joins locks.');
      await antiphon.admitMember(this.#field, peer, deposit);
    });
  }
}
