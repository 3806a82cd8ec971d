/** Sends: what it costs and what is left is shown before, and nothing leaves without a second press, nor twice. */

import { AntiphonError, formatAmount, type Antiphon, type Snapshot } from 'antiphon';
import { h } from '../explorer/node.js';
import { short } from '../format.js';
import { mark, say } from '../page.js';
import { reason, words } from '../words.js';
import { grouped, readAmount } from './amount.js';
import { button, field, folio, saying } from './folio.js';
import type { People } from './people.js';

/** What is about to be sent, once by its key; staking tokens go along where everything is moved. */
interface Order { readonly key: string; readonly to: string; readonly amount: bigint; readonly staking: bigint }

/** The form, and the question before it acts. */
export class Sending {
  readonly element: HTMLElement;
  readonly #client: () => Antiphon | null;
  readonly #people: People;
  readonly #to = h('input', { 'data-testid': 'send-to', list: 'people-names', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  readonly #amount = h('input', { 'data-testid': 'send-amount', inputmode: 'decimal', autocomplete: 'off' });
  readonly #cost = h('p', { class: 'cost', 'data-testid': 'send-cost', role: 'status' }, '\u00a0');
  readonly #review: HTMLButtonElement;
  /** For an address that a quantum computer does not open (AME-69). */
  readonly #all: HTMLButtonElement;
  readonly #question = h('div', { class: 'question', 'data-testid': 'send-question', role: 'group', 'aria-label': 'Confirm' });
  readonly #said = saying('send-said');
  #balance: bigint | null = null;
  #fee: bigint | null = null;
  /** What was asked last, until it is known what became of it: asked again, it keeps its key. */
  #order: Order | null = null;
  /** Whose news of payments is read. */
  #read: Antiphon | null = null;

  constructor(client: () => Antiphon | null, people: People) {
    this.#client = client;
    this.#people = people;
    this.#review = button('Review', 'send-review', false, () => void this.#ask());
    this.#all = button('Move everything', 'send-all', true, () => void this.#askAll());
    this.#question.hidden = true;
    this.element = folio('send', 'Send', 'To a name of yours or an address, any amount such as 2.5 or 1\u00a0000,25.',
      h('div', { class: 'acts' }, field('to', this.#to), field('amount in Tansen', this.#amount)),
      this.#cost, this.#review, this.#all, this.#question, this.#said);
    for (const input of [this.#to, this.#amount]) input.addEventListener('input', () => this.#tell());
    this.#amount.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !this.#review.disabled) void this.#ask();
    });
  }

  /** Takes what the client says. */
  update({ wallet, chain }: Snapshot): void {
    this.#balance = wallet.account?.balance.value ?? null;
    this.#fee = chain.spec?.fee ?? null;
    this.#tell();
  }

  /** Says what it costs, while one types. */
  #tell(): void {
    this.#all.hidden = !this.#people.addressOf(this.#to.value).startsWith('F') || !this.#question.hidden;
    const amount = readAmount(this.#amount.value);
    const isTyped = this.#amount.value.trim() !== '';
    const isWrong = isTyped && typeof amount === 'string';
    this.#amount.setAttribute('aria-invalid', String(isWrong || this.#isTooMuch(amount)));
    this.#review.disabled = typeof amount === 'string' || this.#to.value.trim() === '' || this.#fee === null || this.#balance === null || this.#isTooMuch(amount);
    if (this.#fee === null || this.#balance === null) return say(this.#cost, 'The balance is not proven yet.');
    if (typeof amount === 'string') return say(this.#cost, isTyped ? words(amount) : `The fee is ${formatAmount(this.#fee)} Tansen.`);
    const left = this.#balance - amount - this.#fee;
    say(this.#cost, left < 0n
      ? `That is ${grouped(formatAmount(-left))} more than you have, with the fee of ${formatAmount(this.#fee)}.`
      : `The fee is ${formatAmount(this.#fee)}; ${grouped(formatAmount(left))} Tansen are left.`);
  }

  #isTooMuch(amount: ReturnType<typeof readAmount>): boolean {
    return typeof amount === 'bigint' && this.#balance !== null && this.#fee !== null && amount + this.#fee > this.#balance;
  }

  /** Everything that the account holds: a transaction for each token, and a fee for each. */
  async #askAll(): Promise<void> {
    const client = this.#client();
    const own = client?.snapshot().wallet.address ?? null;
    if (client === null || own === null || this.#fee === null || this.#balance === null) return;
    try {
      const { staking } = await client.findAccount(own);
      const amount = this.#balance - this.#fee * (staking === 0n ? 1n : 2n);
      if (amount <= 0n) return say(this.#said, 'There is not more than the fee.');
      await this.#ask(amount, staking);
    } catch (error) {
      say(this.#said, reason(error));
    }
  }

  async #ask(amount = readAmount(this.#amount.value), staking = 0n): Promise<void> {
    const client = this.#client();
    if (client === null || typeof amount === 'string' || this.#fee === null || this.#balance === null) return;
    const to = this.#people.addressOf(this.#to.value);
    try {
      await client.checkAddress(to);
    } catch (error) {
      return say(this.#said, reason(error));
    }
    if (to === client.snapshot().wallet.address) return say(this.#said, 'That is this account itself.');
    say(this.#said, '');
    const name = this.#people.nameOf(to);
    const order = this.#order?.to === to && this.#order.amount === amount && this.#order.staking === staking ? this.#order : { key: newKey(), to, amount, staking };
    this.#order = order;
    const yes = button('Send', 'send-yes', false, () => void this.#send(order));
    const fees = staking === 0n ? this.#fee : 2n * this.#fee;
    const also = staking === 0n ? null : h('b', {}, ` and ${grouped(formatAmount(staking))} staking tokens`);
    this.#question.replaceChildren(
      h('p', { 'data-testid': 'send-summary' }, 'Send ', h('b', {}, `${grouped(formatAmount(amount))} Tansen`), also, ' to ', name === null ? null : h('b', {}, `${name}, `), h('code', {}, to),
        `. The fee is ${formatAmount(fees)}, and ${grouped(formatAmount(this.#balance - amount - fees))} are left. Nobody can take it back.`),
      h('div', { class: 'acts' }, yes, button('Not yet', 'send-no', true, () => this.#close(this.#review))));
    this.#question.hidden = false;
    this.#review.hidden = true;
    this.#all.hidden = true;
    yes.focus();
  }

  #close(next: HTMLElement): void {
    this.#question.hidden = true;
    this.#question.replaceChildren();
    this.#review.hidden = false;
    next.focus();
  }

  async #send({ key, to, amount, staking }: Order): Promise<void> {
    const client = this.#client();
    if (client === null) return;
    // One press is one payment.
    this.#question.hidden = true;
    try {
      void this.#handle(client);
      const first = staking === 0n ? null : await client.once(`${key}-staking`).transfer(to, staking, 'staking');
      if (first?.stage === 'failed') throw new AntiphonError(first.code ?? 'call/interrupted');
      const { stage, code } = await client.once(key).transfer(to, amount);
      this.#order = null;
      if (stage === 'failed') throw new AntiphonError(code ?? 'call/interrupted');
      say(this.#said, `${grouped(formatAmount(amount))} Tansen are on their way to ${this.#people.nameOf(to) ?? short(to, 8)}.`);
      mark(this.element, 'sent', String(amount));
      this.#amount.value = '';
      this.#to.value = '';
      this.#close(this.#to);
    } catch (error) {
      say(this.#said, reason(error));
      this.#close(this.#review);
    }
    this.#tell();
  }

  /** The history shows what becomes of a payment; the client remembers it until its news is read. */
  async #handle(client: Antiphon): Promise<void> {
    if (this.#read === client) return;
    this.#read = client;
    try {
      for await (const { id } of client.moneyEvents()) void id;
    } catch {
      // Another client runs, or none: with the next payment it is read on.
      if (this.#read === client) this.#read = null;
    }
  }
}

/** Also where a page did not come securely, and has no `randomUUID`. */
function newKey(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
