/** The choice among the renditions of a stream: shown where there are several, by keyboard and finger alike a native list. */

import type { Playback, Rendition } from './playback.js';

/** What is asked of the player. */
type Choice = Pick<Playback, 'renditions' | 'rendition' | 'chosen' | 'choose'>;

/** Value of the entry that leaves the choice to the line. */
const BY_ITSELF = '';

/** Fills a list and obeys it. */
export class Quality {
  readonly #list: HTMLSelectElement;
  readonly #player: Choice;
  #names: string[] = [];
  /** How it stood when it was shown last. */
  #shown: string | null = null;

  /** Obeys until the signal aborts. */
  constructor(list: HTMLSelectElement, player: Choice, signal: AbortSignal) {
    this.#list = list;
    this.#player = player;
    list.addEventListener('change', () => player.choose(list.value === BY_ITSELF ? null : Number(list.value)), { signal });
    this.show();
  }

  /** Shows how it stands. Writes only what changed: a list may be open. */
  show(): void {
    const renditions = this.#player.renditions();
    const names = namesOf(renditions);
    const { chosen } = this.#player;
    const heard = this.#player.rendition();
    const shown = [...names, chosen, heard].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#list.hidden = names.length < 2;
    if (names.join() !== this.#names.join()) {
      this.#names = names;
      this.#list.replaceChildren(new Option('Auto', BY_ITSELF), ...names.map((name, i) => new Option(name, String(i))));
    }
    const [auto] = this.#list.options;
    const text = chosen === null && heard !== null && names[heard] !== undefined ? `Auto, ${names[heard]}` : 'Auto';
    if (auto !== undefined && auto.text !== text) auto.text = text;
    const value = chosen === null ? BY_ITSELF : String(chosen);
    if (this.#list.value !== value) this.#list.value = value;
  }
}

/** Returns what each is called: its rate, and its codec where that tells them apart. */
export function namesOf(renditions: readonly Rendition[]): string[] {
  const codecs = new Set(renditions.map(({ codec }) => codec));
  return renditions.map(({ bitrate, codec }) => {
    const rate = bitrate > 0 ? `${Math.round(bitrate / 1000)} kbit/s` : 'unknown';
    return codecs.size > 1 && codec !== null ? `${rate} ${codec}` : rate;
  });
}
