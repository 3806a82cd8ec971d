/** A proof that somebody else made: this page judges it alone. What that needs is loaded when a file is there. */

import type { Antiphon } from 'antiphon';
import { byId, mark, say } from '../page.js';
import { reason } from '../words.js';
import { showOn } from './proof.js';

/** The place where a file is dropped, or chosen. */
export class Judge {
  readonly #client: () => Antiphon | null;
  readonly #said = byId('judged');
  /** Counts files, so that a slow one never speaks over a later one. */
  #turn = 0;

  constructor(client: () => Antiphon | null) {
    this.#client = client;
    const place = byId('judge');
    const input = byId<HTMLInputElement>('judge-file');
    input.addEventListener('change', () => this.#take(input.files?.[0]));
    place.addEventListener('dragover', (event) => event.preventDefault());
    place.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#take(event.dataTransfer?.files[0]);
    });
  }

  #take(file: File | undefined): void {
    if (file === undefined) return;
    const turn = ++this.#turn;
    const done = (verdict: 'holds' | 'refused', show: () => void): void => {
      if (turn !== this.#turn) return;
      show();
      mark(this.#said, 'verdict', verdict);
    };
    for (const name of ['verdict', 'level', 'height', 'units']) mark(this.#said, name, '');
    say(this.#said, `Judging ${file.name}…`);
    this.#judge(file).then(
      (shown) => done('holds', () => showOn(this.#said, shown)),
      (error: unknown) => done('refused', () => say(this.#said, `${file.name} proves nothing here. ${reason(error)}`)),
    );
  }

  async #judge(file: File): Promise<Parameters<typeof showOn>[1]> {
    const antiphon = this.#client();
    if (antiphon === null) throw new Error('This page follows no chain.');
    const { checkProof } = await import('antiphon/verify');
    const { payer, payee, amount, ...rest } = await checkProof(antiphon, file);
    return { ...rest, paid: { payer, payee, amount } };
  }
}
