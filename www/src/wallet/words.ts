/** The twelve words: shown until somebody has written them down, and then nowhere here; and words from paper, to bring a wallet back. */

import type { Antiphon, Snapshot, WalletInfo } from 'antiphon';
import { AntiphonError } from 'antiphon';
import { h } from '../explorer/node.js';
import { mark, say } from '../page.js';
import { reason } from '../words.js';
import { button, field, folio, saying } from './folio.js';

/** Words that are asked for, to see that all were written down. Chosen here. */
const ASKED = 3;

/** Shows and asks for words. */
export class Words {
  readonly element: HTMLElement;
  readonly #client: () => Antiphon | null;
  readonly #done: () => void;
  readonly #state = h('p', { 'data-testid': 'words-state' }, '\u00a0');
  readonly #box = h('div', { class: 'words-box' });
  readonly #show: HTMLButtonElement;
  readonly #said = saying('words-said');
  readonly #open = h('summary', { 'data-testid': 'restore-open' }, 'Bring a wallet back from its words');
  readonly #text = h('textarea', { rows: 3, 'data-testid': 'restore-words', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' });
  readonly #forget = h('input', { type: 'checkbox', 'data-testid': 'restore-forget' });
  readonly #forgetLabel = h('label', { class: 'check' }, this.#forget, 'Give up the wallet of this browser, whose words nobody has written down');
  readonly #restoreSaid = saying('restore-said');
  #info: WalletInfo | null = null;
  #isEmpty = false;

  constructor(client: () => Antiphon | null, done: () => void) {
    this.#client = client;
    this.#done = done;
    this.#show = button('Show the words', 'words-show', false, () => void this.#reveal());
    this.element = folio('words', 'Twelve words', 'Written on paper they bring every account back: here, in another browser, or on a phone.',
      this.#state, this.#show, this.#box, this.#said,
      h('details', { 'data-testid': 'restore' }, this.#open,
        field('twelve or twenty-four words', this.#text), this.#forgetLabel,
        button('Bring it back', 'restore-go', true, () => void this.#restore()), this.#restoreSaid),
      h('p', { class: 'soft' }, 'Where it is kept: the keys of your accounts lie in this browser’s storage for this site, unencrypted, as your other logins do. Whoever can use this browser can spend. No other site can read them; clearing the site’s data removes them.'));
  }

  /** Takes which wallet it is. */
  show(info: WalletInfo, isStored: boolean): void {
    this.#info = info;
    const { isWrittenDown } = info;
    mark(this.element, 'written', String(isWrittenDown));
    this.#show.hidden = isWrittenDown || !isStored || this.#box.hasChildNodes();
    this.#forgetLabel.hidden = isWrittenDown || this.#isEmpty;
    say(this.#state, isWrittenDown
      ? 'You have them on paper. This browser has forgotten them, so nobody can read them here.'
      : 'You have not written them down yet. If this browser loses its storage, the money is gone.');
  }

  /** Who owns nothing has nothing to give up. */
  update({ wallet }: Snapshot): void {
    this.#isEmpty = wallet.account?.balance.value === 0n && wallet.locked.length === 0;
    this.#forgetLabel.hidden = this.#info === null || this.#info.isWrittenDown || this.#isEmpty;
  }

  async #reveal(): Promise<void> {
    const client = this.#client();
    if (client === null) return;
    try {
      const words = (await client.words()).split(' ');
      this.#box.replaceChildren(
        h('p', {}, 'Write them on paper, in this order. Whoever has them has the money: no photo, no file.'),
        h('ol', { class: 'words', 'data-testid': 'words' }, ...words.map((word) => h('li', {}, word))),
        h('div', { class: 'acts' },
          button('I have written them down', 'words-next', false, () => this.#check(words)),
          button('Hide them', 'words-hide', true, () => this.#hide())));
      this.#show.hidden = true;
      this.#box.querySelector<HTMLElement>('[data-testid=words-next]')?.focus();
    } catch (error) {
      say(this.#said, reason(error));
    }
  }

  /** Asks for some of them; the others are taken as shown. */
  #check(words: readonly string[]): void {
    const places = drawn(words.length);
    const inputs = places.map((place) => h('input', { 'data-testid': 'words-check', 'data-place': place + 1, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }));
    const confirm = async (): Promise<void> => {
      const typed = words.map((word, place) => inputs[places.indexOf(place)]?.value.trim().toLowerCase() ?? word);
      const wrong = places.find((place) => typed[place] !== words[place]);
      if (wrong !== undefined) return say(this.#said, `Word ${wrong + 1} is another one. Look at your paper, or show the words again.`);
      try {
        await this.#client()?.wordsWrittenDown(typed.join(' '));
        this.#hide();
        say(this.#said, 'Good. From now on they are on your paper alone.');
        this.#done();
      } catch (error) {
        say(this.#said, reason(error));
      }
    };
    this.#box.replaceChildren(
      h('p', {}, 'From your paper:'),
      h('div', { class: 'acts three' }, ...inputs.map((input, at) => field(`word ${(places[at] ?? 0) + 1}`, input))),
      h('div', { class: 'acts' }, button('That is right', 'words-confirm', false, () => void confirm()), button('Show them again', 'words-again', true, () => void this.#reveal())));
    inputs[0]?.focus();
  }

  #hide(): void {
    const hadFocus = this.#box.contains(document.activeElement);
    this.#box.replaceChildren();
    say(this.#said, '');
    this.#show.hidden = this.#info?.isWrittenDown ?? true;
    if (hadFocus) (this.#show.hidden ? this.#open : this.#show).focus();
  }

  async #restore(): Promise<void> {
    const client = this.#client();
    if (client === null) return;
    say(this.#restoreSaid, 'Deriving the keys…');
    try {
      await client.restoreWords(this.#text.value, { forget: this.#forget.checked || this.#isEmpty });
      this.#text.value = '';
      this.#forget.checked = false;
      this.#hide();
      say(this.#restoreSaid, 'Your wallet is back. Words do not know of pools, gifts and fields that are open: take a backup of the account below, or have its pools looked for there.');
      this.#done();
    } catch (error) {
      say(this.#restoreSaid, spelled(error, this.#text.value));
    }
  }
}

/** Names the word that is wrong. */
function spelled(error: unknown, text: string): string {
  const place = error instanceof AntiphonError && error.code === 'wallet/unknown-word' ? /word (\d+)/.exec(error.message)?.[1] : undefined;
  if (place === undefined) return reason(error);
  const word = text.trim().split(/\s+/)[Number(place) - 1] ?? '';
  return `Word ${place}, “${word}”, is none of the 2048 words. Compare it with your paper.`;
}

/** Some places of so many, in order. */
function drawn(count: number): number[] {
  const places = new Set<number>();
  while (places.size < Math.min(ASKED, count)) places.add((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % count);
  return [...places].sort((a, b) => a - b);
}
