/**
 * What happened to the account: transfers on their way first, then what was found in proven blocks, newest first.
 *
 * The chain has no list of an account's past, and nobody else's is believed: when the proven balance changes, the blocks since the last look
 * are looked up and read, newest first. Where too many lie between, or no node has them any more, the list says so, with the balance
 * before them, which was proven, too.
 */

import { AntiphonError, formatAmount, type Antiphon, type BlockFound, type Level, type SentView, type Snapshot } from 'antiphon';
import { h } from '../explorer/node.js';
import { short } from '../format.js';
import { fill, mark, say } from '../page.js';
import { words } from '../words.js';
import { grouped } from './amount.js';
import { folio } from './folio.js';
import { entriesOf, type Entry } from './past.js';
import type { People } from './people.js';

/** Blocks that are read at once. Chosen here: four minutes of one-second blocks. */
const MAX_BLOCKS = 240;
/** Entries that are kept. */
const MAX_ENTRIES = 500;

/** Blocks that were not read, and the balance before them. */
interface Gap { readonly from: number; readonly to: number; readonly before: string }

interface Kept {
  /** The first block that was read, or 0 before there was a look. */
  readonly since: number;
  /** Up to which height blocks were read, and the balance there. */
  readonly height: number;
  readonly balance: string;
  readonly entries: readonly Entry[];
  readonly gaps: readonly Gap[];
}

const NOTHING: Kept = { since: 0, height: 0, balance: '0', entries: [], gaps: [] };

/** The list, and the reading of blocks. */
export class History {
  readonly element: HTMLElement;
  readonly #client: () => Antiphon | null;
  readonly #people: People;
  readonly #tell: (text: string) => void;
  readonly #list = h('ol', { class: 'past', 'data-testid': 'past', 'data-count': '0' });
  readonly #none = h('p', { class: 'none' }, 'Nothing yet.');
  readonly #since = h('p', { class: 'soft', 'data-testid': 'past-since' });
  #name = '';
  #kept: Kept = NOTHING;
  #isReading = false;

  constructor(client: () => Antiphon | null, people: People, tell: (text: string) => void) {
    this.#client = client;
    this.#people = people;
    this.#tell = tell;
    this.element = folio('past', 'History', 'Each line is read from a block that this page has proven. Press one to see the proof.', this.#list, this.#none, this.#since);
  }

  /** Shows what is known, and reads on if something happened. */
  update(snapshot: Snapshot): void {
    const { address } = snapshot.wallet;
    if (address === null) return;
    const name = `antiphon-past-${snapshot.chain.id.slice(0, 16)}-${address}`;
    if (name !== this.#name) {
      this.#name = name;
      this.#kept = load(name);
    }
    this.#begin(snapshot);
    this.#show(snapshot);
    if (!this.#isReading && this.#isBehind(snapshot)) void this.#read(snapshot, address, name);
  }

  /** Who owns nothing at the first look has nothing that need be looked for. */
  #begin({ chain, wallet }: Snapshot): void {
    const balance = wallet.account?.balance;
    if (this.#kept.since > 0 || balance === undefined || balance.value !== 0n || chain.settled === 0) return;
    this.#keep({ ...NOTHING, since: chain.settled + 1, height: chain.settled });
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    localStorage.setItem(this.#name, JSON.stringify(kept));
  }

  /** Whether blocks are to be read: the settled balance is another one, or a transfer is done that was not found yet. */
  #isBehind({ chain, wallet }: Snapshot): boolean {
    const balance = wallet.account?.balance;
    if (balance === undefined || chain.settled <= this.#kept.height) return false;
    const isChanged = String(balance.value) !== this.#kept.balance && balance.height <= chain.settled;
    return isChanged || wallet.sent.some((sent) => (sent.level ?? 'included') !== 'included' && !this.#has(sent));
  }

  #has({ id }: SentView): boolean {
    return this.#kept.entries.some((entry) => entry.id.startsWith(`${id ?? '-'}/`));
  }

  async #read({ chain, wallet }: Snapshot, own: string, name: string): Promise<void> {
    const client = this.#client();
    const balance = wallet.account?.balance;
    if (client === null || balance === undefined) return;
    this.#isReading = true;
    const before = this.#kept;
    const from = Math.max(before.height + 1, chain.settled - MAX_BLOCKS + 1);
    const found: Entry[] = [];
    try {
      let first = chain.settled + 1;
      for (; first > from; first -= 1) {
        const block = await bodyAt(client, first - 1);
        if (name !== this.#name) return;
        if (block === null) break;
        found.push(...entriesOf(block, own).reverse());
      }
      if (first > chain.settled) return; // The node will have the newest block.
      const gap = before.since > 0 && first > before.height + 1 ? [{ from: before.height + 1, to: first - 1, before: before.balance }] : [];
      const known = new Set(before.entries.map(({ id }) => id));
      const fresh = found.filter(({ id }) => !known.has(id));
      this.#keep({
        since: before.since > 0 ? before.since : first,
        height: chain.settled,
        balance: balance.height <= chain.settled ? String(balance.value) : before.balance,
        entries: [...fresh, ...before.entries].slice(0, MAX_ENTRIES),
        gaps: [...gap, ...before.gaps].slice(0, MAX_ENTRIES),
      });
      this.#notice(fresh);
    } catch {
      // The next head asks again; what the client refused is said with the page's other troubles.
    } finally {
      this.#isReading = false;
    }
  }

  /** Says what came. */
  #notice(fresh: readonly Entry[]): void {
    const came = fresh.find(({ what }) => what === 'received');
    if (came?.change == null || came.other === null) return;
    this.#tell(`${grouped(formatAmount(BigInt(came.change)))} Tansen have come from ${this.#people.nameOf(came.other) ?? short(came.other, 8)}.`);
  }

  #show({ chain, wallet }: Snapshot): void {
    const level = (height: number): Level => (height <= chain.final ? 'final' : height <= chain.settled ? 'settled' : 'included');
    const waiting = wallet.sent.filter((sent) => !this.#has(sent)).reverse();
    const lines = [
      ...waiting.map((sent) => ({ ...this.#pending(sent), height: Infinity })),
      ...this.#kept.entries.map((entry) => ({ ...this.#line(entry, level(entry.height)), height: entry.height })),
      ...this.#kept.gaps.map((gap) => ({ ...this.#gap(gap), height: gap.to })),
    ].sort((a, b) => b.height - a.height || 0);
    mark(this.#list, 'count', String(lines.length));
    this.#none.hidden = lines.length > 0;
    say(this.#since, this.#kept.since > 1 ? `Looked at from block ${this.#kept.since.toLocaleString('en')} on.` : '');
    fill(this.#list, lines.map(({ key }) => key).join('|'), () => lines.map(({ draw }) => draw()));
  }

  #pending({ to, amount, level, refusal, id }: SentView): { key: string; draw: () => Node } {
    const stage = refusal !== null ? 'refused' : level ?? 'pending';
    const means = refusal !== null ? words(refusal) : level === null ? 'on its way' : `${level}: its block is being read`;
    return {
      key: `${id ?? '-'}${to}${amount}${stage}${this.#who(to)}`,
      draw: () => row({ testid: 'sent', stage, units: `-${amount}`, text: this.#who(to), what: 'sent to', means, href: null }),
    };
  }

  #line({ id, change, other, what, height, time }: Entry, level: Level): { key: string; draw: () => Node } {
    const text = other === null ? '' : this.#who(other);
    const joined = what === 'sent' ? 'sent to' : what === 'received' ? 'received from' : what;
    return {
      key: `${id}${level}${text}`,
      draw: () => row({ testid: 'entry', stage: level, units: change, text, what: joined, means: `${level} at block ${height.toLocaleString('en')}, ${new Date(time).toLocaleString()}`, href: `#/tx/${id.split('/')[0] ?? ''}` }),
    };
  }

  #gap({ from, to, before }: Gap): { key: string; draw: () => Node } {
    const text = `Blocks ${from.toLocaleString('en')} to ${to.toLocaleString('en')} were not read: too many passed since the last look, or nobody keeps them now. The balance was ${grouped(formatAmount(BigInt(before)))} before.`;
    return { key: text, draw: () => h('li', { class: 'gap', 'data-testid': 'gap' }, text) };
  }

  #who(name: string): string {
    return this.#people.nameOf(name) ?? short(name, 8);
  }
}

/** Returns a block with its transactions, or `null` where no node shows it any more. */
async function bodyAt(client: Antiphon, height: number): Promise<BlockFound | null> {
  try {
    const block = await client.findBlock(height);
    return block.transactions === null ? null : block;
  } catch (error) {
    if (error instanceof AntiphonError && ['lookup/missing', 'lookup/too-far'].includes(error.code)) return null;
    throw error;
  }
}

interface Row { readonly testid: string; readonly stage: string; readonly units: string | null; readonly text: string; readonly what: string; readonly means: string; readonly href: string | null }

function row({ testid, stage, units, text, what, means, href }: Row): HTMLElement {
  const isIn = units !== null && !units.startsWith('-');
  const amount = units === null ? '' : `${isIn ? '+' : '−'}${grouped(formatAmount(BigInt(units.replace('-', ''))))}`;
  const inner = [h('b', { 'data-way': isIn ? 'in' : 'out' }, amount), h('span', {}, `${what} ${text}`), h('em', {}, means)];
  return h('li', { 'data-testid': testid, 'data-stage': stage, 'data-units': units ?? '' }, h('i', { 'aria-hidden': 'true' }), href === null ? h('div', {}, ...inner) : h('a', { href }, ...inner));
}

/** Reads what was kept; what cannot be read is read from the chain once more. */
function load(name: string): Kept {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(name) ?? 'null');
    if (typeof kept !== 'object' || kept === null) return NOTHING;
    const { since, height, balance, entries, gaps } = kept as Partial<Kept>;
    const isWhole = typeof since === 'number' && typeof height === 'number' && typeof balance === 'string' && /^\d+$/.test(balance) && Array.isArray(entries) && Array.isArray(gaps);
    return isWhole ? { since, height, balance, entries, gaps } : NOTHING;
  } catch {
    return NOTHING;
  }
}
