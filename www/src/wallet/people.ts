/** The address book: names for addresses that were checked. It lies in this browser, and in backups. */

import type { Antiphon } from 'antiphon';
import { h } from '../explorer/node.js';
import { short } from '../format.js';
import { fill, mark, say } from '../page.js';
import { reason } from '../words.js';
import { button, field, folio, saying } from './folio.js';

/** Somebody. */
export interface Person { readonly name: string; readonly address: string }

const KEY = 'antiphon-people';
/** Chosen here: more than a person looks through. */
const MAX_PEOPLE = 500;
const MAX_NAME = 40;

/** The book and its folio. */
export class People {
  readonly element: HTMLElement;
  readonly #client: () => Antiphon | null;
  readonly #name = h('input', { 'data-testid': 'person-name', maxlength: MAX_NAME, autocomplete: 'off' });
  readonly #address = h('input', { 'data-testid': 'person-address', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  readonly #list = h('ul', { class: 'people', 'data-testid': 'people' });
  readonly #said = saying('people-said');
  /** Names for whoever types one. */
  readonly names = h('datalist', { id: 'people-names' });
  #people: readonly Person[] = read(localStorage.getItem(KEY));

  constructor(client: () => Antiphon | null) {
    this.#client = client;
    this.element = folio('people', 'People', 'Names for addresses, each checked before it is kept. Only you see them.',
      this.#list,
      h('div', { class: 'acts' }, field('name', this.#name), field('address', this.#address), button('Keep', 'person-keep', true, () => void this.#keep())),
      this.#said, this.names);
    this.#show();
  }

  /** All of them, as a backup keeps them. */
  get all(): readonly Person[] {
    return this.#people;
  }

  /** The name of an address, if it has one. */
  nameOf(address: string): string | null {
    return this.#people.find((person) => person.address === address)?.name ?? null;
  }

  /** The address of a name; what is no name is taken as an address. */
  addressOf(text: string): string {
    const wanted = text.trim().toLowerCase();
    return this.#people.find(({ name }) => name.toLowerCase() === wanted)?.address ?? text.replace(/\s/g, '');
  }

  /** Adds those of a backup; who is known keeps the name that this browser has. */
  async merge(others: readonly Person[]): Promise<void> {
    for (const person of others) {
      if (this.nameOf(person.address) === null) await this.#add(person).catch(() => {}); // What is no address is nobody.
    }
  }

  async #keep(): Promise<void> {
    try {
      await this.#add({ name: this.#name.value, address: this.#address.value });
      say(this.#said, `${this.#name.value.trim()} is in your book.`);
      this.#name.value = '';
      this.#address.value = '';
    } catch (error) {
      say(this.#said, reason(error));
    }
  }

  async #add(person: Person): Promise<void> {
    const name = person.name.trim().slice(0, MAX_NAME);
    const address = person.address.replace(/\s/g, '');
    if (name === '') throw new Error('Give it a name.');
    if (this.#people.length >= MAX_PEOPLE) throw new Error('The book is full.');
    const client = this.#client();
    if (client === null) throw new Error('The client does not run.');
    await client.checkAddress(address);
    const isTaken = this.#people.some((other) => other.name.toLowerCase() === name.toLowerCase() && other.address !== address);
    if (isTaken) throw new Error('Somebody else has this name. Take another one.');
    this.#write([...this.#people.filter((other) => other.address !== address), { name, address }].sort((a, b) => a.name.localeCompare(b.name)));
  }

  #write(people: readonly Person[]): void {
    this.#people = people;
    localStorage.setItem(KEY, JSON.stringify(people));
    this.#show();
  }

  #show(): void {
    const key = JSON.stringify(this.#people);
    mark(this.#list, 'count', String(this.#people.length));
    fill(this.#list, key, () => this.#people.map(({ name, address }) => {
      const remove = button('Remove', 'person-remove', true, () => this.#write(this.#people.filter((other) => other.address !== address)));
      remove.setAttribute('aria-label', `Remove ${name}`);
      return h('li', { 'data-address': address }, h('b', {}, name), h('a', { href: `#/account/${address}` }, h('code', {}, short(address, 8))), remove);
    }));
    fill(this.names, key, () => this.#people.map(({ name }) => h('option', { value: name })));
  }
}

/** Reads what was kept; what is not a book is an empty one. */
export function read(text: string | null): Person[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(list)) return [];
    return list.slice(0, MAX_PEOPLE).flatMap((one: unknown) => {
      if (typeof one !== 'object' || one === null) return [];
      const { name, address } = one as Record<string, unknown>;
      return typeof name === 'string' && typeof address === 'string' ? [{ name, address }] : [];
    });
  } catch {
    return [];
  }
}
