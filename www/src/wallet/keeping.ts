/** What words do not bring back: money in pools, backups of it, and files that show to others what somebody signed. */

import { formatAmount, type Antiphon, type LockedView, type Snapshot } from 'antiphon';
import { h } from '../explorer/node.js';
import { short } from '../format.js';
import { fill, mark, save, say } from '../page.js';
import { reason, words } from '../words.js';
import { button, folio, saying } from './folio.js';
import { read, type People } from './people.js';

/** Locked money, backups and evidence. */
export class Keeping {
  readonly element: HTMLElement;
  readonly #client: () => Antiphon | null;
  readonly #people: People;
  readonly #locked = h('ul', { class: 'locked', 'data-testid': 'locked', 'data-count': '0' });
  readonly #release: HTMLButtonElement;
  readonly #find = button('Look for pools of a lost device', 'find-pools', true, () => void this.#look());
  readonly #file = h('input', { type: 'file', accept: '.antiphon', 'data-testid': 'backup-file' });
  readonly #said = saying('backup-said');
  readonly #evidence = h('ul', { class: 'locked', 'data-testid': 'evidence' });
  readonly #noEvidence = h('p', { class: 'none' }, 'None yet: it comes from payment fields of a room, and from a split of the chain.');

  constructor(client: () => Antiphon | null, people: People) {
    this.#client = client;
    this.#people = people;
    this.#release = button('Take back what is free', 'release', true, () => this.#do('On its way back to you.', (antiphon) => antiphon.release()));
    this.#file.addEventListener('change', () => void this.#take());
    this.element = folio('keeping', 'Backup', 'Pools, vouchers, gifts and fields are not in the words. A backup of this account has them, your book of names too, and no key.',
      h('div', { class: 'acts' },
        button('Save a backup', 'backup-save', true, () => this.#do('Saved.', async (antiphon) => {
          const notes = new TextEncoder().encode(JSON.stringify(this.#people.all));
          save(await antiphon.backup(notes), `antiphon-${antiphon.snapshot().wallet.address?.slice(0, 8) ?? 'account'}.antiphon`);
        })),
        h('label', { class: 'stacked' }, h('span', {}, 'take a backup'), this.#file)),
      h('p', { class: 'soft' }, 'Who takes a backup signs nothing more for the pools and fields in it: another device may have signed since. What is left in them can be taken back when their time is over.'),
      this.#said,
      h('h4', {}, 'Locked'), this.#locked, this.#release, this.#find,
      h('h4', {}, 'Evidence'), this.#evidence, this.#noEvidence);
  }

  /** Shows what the client says. */
  update({ wallet, fields, chain }: Snapshot): void {
    const { locked } = wallet;
    const isFree = ({ back }: LockedView): boolean => back !== null && back <= chain.settled;
    mark(this.#locked, 'count', String(locked.length));
    this.#release.hidden = locked.length === 0;
    this.#release.disabled = !locked.some(isFree);
    fill(this.#locked, JSON.stringify(locked.map(({ pool, held, freeze, back }) => [pool, String(held), freeze, back])) + String(locked.filter(isFree).length), () => locked.length === 0
      ? [h('li', { class: 'none' }, 'Nothing.')]
      : locked.map((one) => h('li', { 'data-testid': 'locked-pool', 'data-freeze': one.freeze ?? '' },
        h('b', {}, one.held === null ? '–' : formatAmount(one.held)),
        h('a', { href: `#/pool/${one.pool}` }, `pool ${short(one.pool)}`),
        h('em', {}, one.freeze !== null ? words(one.freeze) : 'In use.', one.back === null ? null : isFree(one) ? ' It is free.' : ` It comes back from block ${one.back.toLocaleString('en')} on.`))));
    const sealed = fields.filter(({ round }) => round > 0);
    const isSplit = chain.standing === 'split';
    this.#noEvidence.hidden = sealed.length > 0 || isSplit;
    fill(this.#evidence, `${sealed.map(({ field, round }) => `${field}${round}`).join()}${isSplit}`, () => [
      ...sealed.map(({ field }) => h('li', {}, h('span', {}, `Field ${short(field)}: the newest state that all members have signed`), button('Save', 'evidence-save', true, () => this.#do('Saved. Anyone can check it with `antiphon evidence check`.', async (antiphon) => {
        const file = await antiphon.fieldEvidence(field);
        if (file === null) throw new Error('Nobody has signed a state of this field yet.');
        save(file, `antiphon-field-${field.slice(0, 8)}.evidence`);
      })))),
      ...(isSplit ? [h('li', {}, h('span', {}, 'The chain has split: two certificates that cannot both be honest'), button('Save', 'evidence-split', true, () => this.#do('Saved.', async (antiphon) => {
        const file = await antiphon.forkProof();
        if (file !== null) save(file, `antiphon-split-${chain.id.slice(0, 8)}.bin`);
      })))] : []),
    ]);
  }

  async #take(): Promise<void> {
    const client = this.#client();
    const file = this.#file.files?.[0];
    if (client === null || file === undefined) return;
    try {
      const notes = await client.restoreBackup(file);
      await this.#people.merge(read(new TextDecoder().decode(notes)));
      say(this.#said, 'Taken. For pools and fields that came with it, nothing is signed any more.');
    } catch (error) {
      say(this.#said, reason(error));
    } finally {
      this.#file.value = '';
    }
  }

  /** Reads blocks back to the first payment of the account; that may take minutes. */
  async #look(): Promise<void> {
    const client = this.#client();
    if (client === null) return;
    this.#find.disabled = true;
    say(this.#said, 'Reading blocks, from the newest down to the first payment of this account…');
    try {
      const { pools, from, isWhole } = await client.findOwnPools();
      const found = pools.length === 0 ? 'No other pool of this account holds money' : `${pools.length === 1 ? 'One pool' : `${pools.length} pools`} found, frozen: another device may have signed for ${pools.length === 1 ? 'it' : 'them'}`;
      say(this.#said, isWhole ? `${found}. All that it has sent was read.` : `${found}. Blocks before ${from.toLocaleString('en')} could not be read.`);
    } catch (error) {
      say(this.#said, reason(error));
    } finally {
      this.#find.disabled = false;
    }
  }

  #do(done: string, act: (antiphon: Antiphon) => Promise<void>): void {
    const client = this.#client();
    if (client === null) return;
    act(client).then(() => say(this.#said, done), (error: unknown) => say(this.#said, reason(error)));
  }
}
