/** Gives to one who is around, and shows what was given and received: sure at once, final later. */

import { formatAmount, parseAmount, type Antiphon, type GiftStage, type GiftView, type Snapshot } from 'antiphon';
import { short } from './format.js';
import { fill, labelled, make, mark, parts, say } from './page.js';
import { reason, words } from './words.js';

/** What each stage means to the giver and to the payee. */
const STAGES: Readonly<Record<GiftStage, readonly [given: string, received: string]>> = {
  asked: ['being reserved', ''],
  offered: ['', 'offered; the chain is asked'],
  reserved: ['reserved; waiting for the payee', ''],
  sure: ['the payee has it', 'sure: it is yours, whatever the giver does'],
  settled: ['paid', 'paid'],
  final: ['paid for good', 'paid for good'],
  lapsed: ['not taken in time; it comes back', 'too late: nothing was paid'],
  returned: ['came back', 'too late: nothing was paid'],
  void: ['never reserved: nothing was locked', ''],
};

/** One form and one list, moved to whatever view is shown. */
export class Giving {
  readonly element = make('section', '', { testid: 'giving' });
  readonly #client: () => Antiphon | null;
  readonly #to = make('select', '', { testid: 'give-to' });
  readonly #amount = make('input', '', { testid: 'give-amount' });
  readonly #purpose = make('input', '', { testid: 'give-purpose' });
  readonly #button = make('button', 'Give', { testid: 'give' });
  readonly #hint = make('p', '', { testid: 'give-hint' });
  readonly #said = make('p', '\u00a0', { testid: 'give-said' });
  readonly #list = make('ol', '', { testid: 'gifts' });
  /** To whom a link asks to give, until somebody else is chosen by hand. */
  #asked: string | null = null;

  constructor(client: () => Antiphon | null) {
    this.#client = client;
    this.element.className = 'folio giving';
    const title = make('h3', 'Gifts');
    title.id = 'h-giving';
    this.element.setAttribute('aria-labelledby', title.id);
    const lead = make('p', 'Reserved for one alone, who is sure of it before any block pays it.');
    lead.className = 'lead';
    this.#said.className = 'said';
    this.#said.setAttribute('role', 'status');
    this.#amount.value = '0.1';
    this.#amount.inputMode = 'decimal';
    this.#amount.size = 6;
    this.#purpose.maxLength = 32;
    this.#button.type = 'button';
    this.#button.addEventListener('click', () => void this.#give());
    this.#to.addEventListener('change', () => {
      this.#asked = null;
      this.#tell();
    });
    const acts = make('div', '');
    acts.className = 'acts';
    acts.append(labelled('to', this.#to), labelled('amount', this.#amount), labelled('for', this.#purpose), this.#button);
    this.element.append(title, lead, acts, this.#hint, this.#said, this.#list);
  }

  /** Fills the form from an address such as `#/room/shop/give/<address>/<amount>/<purpose>`. */
  fillFrom(hash: string): void {
    const [, , act = '', to = '', amount = '', purpose = ''] = parts(hash);
    if (act !== 'give') return;
    this.#asked = to;
    this.#amount.value = amount;
    this.#purpose.value = purpose;
  }

  /** Shows what the client says. */
  update(snapshot: Snapshot): void {
    const { around, stream, wallet, gifts } = snapshot;
    const here = around.map(({ address }) => address);
    const asked = this.#asked ?? '';
    const streamer = stream?.publisherAddress ?? '';
    const others = [...new Set([streamer, asked, ...here])].filter((address) => address !== '' && address !== wallet.address);
    const chosen = this.#asked ?? this.#to.value;
    fill(this.#to, `${others.join()}|${streamer}|${here.join()}`, () => others.map((address) => {
      const isHere = here.includes(address);
      const who = address === streamer ? 'the streamer, ' : '';
      const option = make('option', `${who}${short(address, 8)}${isHere ? '' : ' (not here)'}`, { here: String(isHere) });
      option.value = address;
      return option;
    }));
    if (others.includes(chosen)) this.#to.value = chosen;
    this.#button.disabled = wallet.account === null || others.length === 0;
    this.#tell();
    this.#show(gifts);
  }

  #tell(): void {
    const isHere = this.#to.selectedOptions[0]?.dataset['here'] === 'true';
    say(this.#hint, this.#to.value === '' ? 'Nobody is here to give to.'
      : isHere ? 'Here now: sure as soon as the chain has reserved it.'
        : 'Not here now: the gift waits, and comes back if it is not taken in its period.');
  }

  #show(gifts: readonly GiftView[]): void {
    const key = gifts.map(({ pool, stage, amount, purpose, refusal }) => `${pool}${stage}${amount}${purpose}${refusal ?? ''}`).join();
    fill(this.#list, key, () => gifts.map((gift) => {
      const { isGiven, stage, refusal } = gift;
      const item = make('li', '', { testid: 'gift', pool: gift.pool, stage, given: String(isGiven), units: String(gift.amount), purpose: gift.purpose });
      const means = refusal === null ? STAGES[stage][isGiven ? 0 : 1] : words(refusal);
      item.append(make('b', formatAmount(gift.amount)), make('span', `${isGiven ? 'to' : 'from'} ${short(gift.other, 8)} ${gift.purpose}`), make('em', means));
      return item;
    }));
    mark(this.#list, 'count', String(gifts.length));
  }

  async #give(): Promise<void> {
    const antiphon = this.#client();
    const amount = parseAmount(this.#amount.value.trim());
    if (antiphon === null) return;
    if (amount === null) return say(this.#said, words('amount/not-decimal'));
    try {
      await antiphon.give(this.#to.value, amount, this.#purpose.value.trim());
      say(this.#said, `Reserving ${formatAmount(amount)}.`);
    } catch (error) {
      say(this.#said, reason(error));
    }
  }
}
