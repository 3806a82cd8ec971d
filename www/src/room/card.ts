/** One payment field: who has how much, what is on its way, and what one can do. */

import { formatAmount, parseAmount, type Antiphon, type Around, type Exhibit, type FieldMember, type FieldPayment, type FieldView } from 'antiphon';
import { brief, short } from '../format.js';
import { fill, labelled, make, mark, save, say } from '../page.js';
import { Burst } from './burst.js';
import { Door, turnover } from './door.js';
import { fileName, showOn } from './proof.js';

/** Does something with the client, then says what was done. */
export type Act = (done: string, command: (antiphon: Antiphon) => Promise<void>) => void;

/** What each phase means. */
const PHASES: Readonly<Record<FieldView['phase'], string>> = {
  invited: 'You are invited. Your deposit is locked once all have signed.',
  joining: 'Signed. Waiting for the others, then for the chain.',
  open: 'Open. Payments cost nothing and are money once a round is signed by all.',
  halted: 'A round was annulled. Close the field: nothing that was committed is lost.',
  closing: 'The chain is about to pay out. A newer state that all signed is shown by itself.',
  closed: 'Closed. Everybody was paid by the chain.',
  left: 'You have left it, and were paid. The others go on.',
};

/** Payments that a card lists. */
const LISTED = 8;

/** The card of a field. */
export class FieldCard {
  readonly element = make('article', '', { testid: 'field' });
  readonly #title = make('h3', 'Field');
  readonly #phase = make('p', '', { testid: 'field-phase' });
  readonly #members = make('ul', '', { testid: 'field-members' });
  readonly #next = make('p', '', { testid: 'field-next' });
  readonly #door: Door;
  readonly #facts = make('p', '', { testid: 'field-facts' });
  readonly #payments = make('ol', '', { testid: 'field-payments' });
  readonly #proof = make('p', '', { testid: 'field-proof' });
  readonly #shown = make('p', '', { testid: 'payment-shown' });
  readonly #act: Act;
  /** What was proven last, and its place in its round. */
  #proven: { readonly exhibit: Exhibit; readonly index: number } | null = null;
  readonly #amount = make('input', '', { testid: 'field-amount' });
  readonly #times = make('input', '', { testid: 'field-times' });
  readonly #buttons: Readonly<Record<'accept' | 'decline' | 'agree' | 'burst' | 'leave' | 'close' | 'evidence' | 'keep' | 'forget', HTMLButtonElement>>;
  readonly #burst: Burst;
  readonly #field: string;
  #view: FieldView | null = null;
  #self = '';

  constructor(field: string, act: Act) {
    this.#field = field;
    this.#act = act;
    this.#burst = new Burst(field);
    this.#door = new Door(field, act);
    const button = (label: string, testid: string, done: string, command: (antiphon: Antiphon) => Promise<void>): HTMLButtonElement => {
      const element = make('button', label, { testid });
      element.type = 'button';
      element.addEventListener('click', () => act(done, command));
      return element;
    };
    this.#buttons = {
      accept: button('Join', 'field-accept', 'Signed the terms.', (antiphon) => antiphon.acceptField(field)),
      decline: button('No, thanks', 'field-decline', 'Declined.', (antiphon) => antiphon.declineField(field)),
      agree: button('Agree', 'field-agree', 'Signed the next version.', (antiphon) => antiphon.acceptField(field)),
      burst: button('Pay everybody', 'field-burst', 'Paid.', (antiphon) => this.#pay(antiphon)),
      leave: button('Leave with what you have', 'field-leave', 'Leaving: the others sign, and the chain pays you.', (antiphon) => antiphon.leaveField(field)),
      close: button('Close and be paid', 'field-close', 'Closing: all who are here sign the last state.', (antiphon) => antiphon.closeField(field)),
      evidence: button('Save evidence', 'field-evidence', 'Saved the newest state that all have signed.', (antiphon) => this.#save(antiphon)),
      keep: button('Save the proof', 'field-keep', 'Saved. Whoever has the file can check it.', () => this.#keep()),
      forget: button('Put away', 'field-forget', 'Put away.', (antiphon) => antiphon.forgetField(field)),
    };
    this.#build();
  }

  /** Shows the field as this client sees it. */
  update(view: FieldView, self: string, around: readonly Around[]): void {
    this.#view = view;
    this.#self = self;
    const { phase } = view;
    mark(this.element, 'phase', phase);
    mark(this.element, 'field', view.field);
    mark(this.element, 'committed', String(view.committed));
    mark(this.element, 'version', String(view.version));
    mark(this.element, 'round', String(view.round));
    mark(this.element, 'level', view.proven?.level ?? '');
    say(this.#phase, view.freeze === null ? PHASES[phase] : 'This device may not sign for this field any more; its money comes back when it is closed.');
    this.#showMembers(view, self);
    const signed = view.members.filter(({ hasSigned }) => hasSigned).length;
    const step = { running: 'running', checking: 'being checked', refused: "refused: it breaks the leader's word; close the field", signed: `signed by ${signed} of ${view.members.length}` }[view.step];
    const watched = view.watched === null ? '' : ` · the watch-tower has round ${view.watched}`;
    mark(this.element, 'watched', view.watched === null ? '' : String(view.watched));
    say(this.#facts, `round ${view.round + 1} ${step} · ${view.committed} payments committed${view.deadline === null ? '' : ` · until block ${view.deadline}`}${watched}`);
    this.#showPayments(view.payments, self, phase === 'closed');
    say(this.#proof, view.proven === null ? 'Not on the chain yet.' : `${view.proven.level}: proven at block ${view.proven.height}, root ${short(view.proven.root)}`);
    this.#buttons.accept.hidden = this.#buttons.decline.hidden = phase !== 'invited';
    this.#buttons.burst.disabled = this.#burst.isRunning;
    for (const element of [this.#amount.parentElement, this.#times.parentElement, this.#buttons.burst]) {
      if (element !== null) element.hidden = phase !== 'open';
    }
    const isLive = phase === 'open' || phase === 'halted';
    this.#showNext(view, self, isLive ? around : []);
    this.#buttons.leave.hidden = !isLive || view.members.length < 3 || view.amendment !== null;
    this.#buttons.close.hidden = !isLive;
    this.#buttons.evidence.hidden = view.round === 0 || phase === 'left';
    this.#buttons.keep.hidden = this.#proven === null;
    this.#buttons.forget.hidden = phase !== 'closed' && phase !== 'left';
  }

  #build(): void {
    const typed = (text: string, input: HTMLInputElement, value: string, mode: 'decimal' | 'numeric'): HTMLElement => {
      input.value = value;
      input.inputMode = mode;
      input.autocomplete = 'off';
      input.size = 6;
      return labelled(text, input);
    };
    const acts = make('div', '');
    acts.className = 'acts';
    this.#buttons.leave.className = this.#buttons.decline.className = this.#buttons.forget.className = this.#buttons.evidence.className = this.#buttons.close.className = 'quiet';
    const { accept, agree, decline, burst, leave, close, evidence, keep, forget } = this.#buttons;
    acts.append(typed('amount', this.#amount, '0.00001', 'decimal'), typed('times', this.#times, '100', 'numeric'), burst, agree, leave, close, accept, decline, keep, evidence, forget);
    this.element.className = 'folio field';
    this.#title.append(make('code', ` ${short(this.#field)}`));
    this.#phase.className = 'lead';
    this.#shown.setAttribute('role', 'status');
    this.#next.setAttribute('role', 'status');
    this.element.append(this.#title, this.#phase, this.#members, this.#next, this.#door.element, this.#facts, this.#payments, this.#proof, this.#shown, acts);
  }

  /** Who is to come and go, and who else could. */
  #showNext(view: FieldView, self: string, around: readonly Around[]): void {
    const { amendment, members } = view;
    say(this.#next, amendment === null ? '' : turnover(amendment, members, self));
    mark(this.#next, 'signed', amendment === null ? '' : String(amendment.isSigned));
    this.#buttons.agree.hidden = amendment === null || amendment.isSigned;
    const isIn = new Set(members.map(({ address }) => address));
    this.#door.update(view.isLeader && amendment === null ? around.filter(({ address }) => !isIn.has(address)) : []);
  }

  #showMembers(view: FieldView, self: string): void {
    const total = view.members.reduce((sum, { balance }) => sum + balance, 0n);
    const key = view.members.map(({ address, balance, hasSigned }) => `${address}${balance}${hasSigned}`).join();
    fill(this.#members, key, () => view.members.map((member) => row(member, total, member.address === self, member.address === view.leader)));
  }

  #showPayments(payments: readonly FieldPayment[], self: string, isClosed: boolean): void {
    const newest = payments.slice(-LISTED).reverse();
    const key = String(isClosed) + newest.map(({ payer, round, index, standing, amount }) => `${payer}${round}:${index}${standing}${amount}`).join();
    fill(this.#payments, key, () => newest.map((payment) => {
      const { payer, payee, amount, standing, round, index } = payment;
      const isOut = payer === self;
      const item = make('li', `${isOut ? 'to' : 'from'} ${short(isOut ? payee : payer)} ${brief(amount)} ${standing} `, { standing });
      if (isClosed && standing === 'committed' && index !== null) {
        const prove = make('button', 'Prove this payment', { testid: 'payment-prove' });
        prove.type = 'button';
        prove.setAttribute('aria-label', `Prove this payment: ${isOut ? 'to' : 'from'} ${short(isOut ? payee : payer)} ${brief(amount)}, round ${round}, place ${index}`);
        prove.className = 'quiet';
        prove.addEventListener('click', () => this.#act('Proven.', (antiphon) => this.#prove(antiphon, round, index)));
        item.append(prove);
      }
      return item;
    }));
  }

  /** Makes the file that shows one payment, and says what it shows. */
  async #prove(antiphon: Antiphon, round: number, index: number): Promise<void> {
    // What was proven before is not what is asked now, whether or not this one can be.
    this.#proven = null;
    this.#buttons.keep.hidden = true;
    say(this.#shown, '');
    const exhibit = await antiphon.provePayment(this.#field, round, index);
    this.#proven = { exhibit, index };
    showOn(this.#shown, exhibit);
    this.#buttons.keep.hidden = false;
  }

  #keep(): Promise<void> {
    if (this.#proven !== null) {
      const { exhibit, index } = this.#proven;
      save(new Blob([exhibit.file as Uint8Array<ArrayBuffer>]), fileName(exhibit, index));
    }
    return Promise.resolve();
  }

  async #save(antiphon: Antiphon): Promise<void> {
    const file = await antiphon.fieldEvidence(this.#field);
    if (file === null) throw new Error('Nothing is signed by all yet.');
    save(file, `field-${this.#field.slice(0, 8)}-round-${this.#view?.round ?? 0}.evidence`);
  }

  /** Pays every other member so many times. */
  async #pay(antiphon: Antiphon): Promise<void> {
    const amount = parseAmount(this.#amount.value.trim());
    const times = Number(this.#times.value);
    if (amount === null || !Number.isSafeInteger(times) || times < 1) throw new Error('Type an amount, and how often.');
    const payees = (this.#view?.members ?? []).map(({ address }) => address).filter((address) => address !== this.#self);
    await this.#burst.run(antiphon, payees, amount, times);
  }
}

/** A member's row: what it has, drawn as its part of all that is locked. */
function row({ address, balance, deposit, hasSigned }: FieldMember, total: bigint, isSelf: boolean, isLeader: boolean): HTMLElement {
  const item = make('li', '', { address, units: String(balance), signed: String(hasSigned), self: String(isSelf) });
  const part = total === 0n ? 0 : Number((balance * 1000n) / total) / 10;
  const bar = make('i', '');
  bar.style.setProperty('--part', `${part}%`);
  const gained = balance - deposit;
  const sign = gained < 0n ? '−' : '+';
  const name = `${isSelf ? 'you' : short(address)}${isLeader ? ', who leads' : ''}`;
  item.append(make('span', name), make('b', formatAmount(balance)), make('small', `${sign}${formatAmount(gained < 0n ? -gained : gained)}`), bar);
  return item;
}
