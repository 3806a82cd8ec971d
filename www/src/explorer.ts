/**
 * The second view of the page: the chain, looked up and verified here. It lives at the fragment of the address, so that the
 * music plays on while one looks around, and every find can be sent to somebody.
 *
 * ```text
 * #/chain   #/block/120   #/checkpoint/120   #/account/A…   #/pool/…   #/stakers   #/tx/…
 * ```
 */

import { AntiphonError, type Antiphon, type HeaderFound, type Snapshot } from 'antiphon';
import { account, block, checkpoint, pool } from './explorer/detail.js';
import { blockOf, hints, type Hints } from './explorer/hint.js';
import { h, hash } from './explorer/node.js';
import { ring, type Chain } from './explorer/ring.js';
import { staff } from './explorer/staff.js';
import { stakers } from './explorer/stake.js';
import { age } from './format.js';
import { byId, fill, mark, parts, say } from './page.js';
import { words } from './words.js';

/** Blocks that are kept for the staff. */
const MAX_BLOCKS = 64;
/** How often hints and what was looked up are asked for again. */
const AGAIN_MS = 5_000;

interface Route { readonly kind: string; readonly name: string }

/** Shows the chain of a client. */
export class Explorer {
  readonly #client: () => Antiphon | null;
  readonly #node: string;
  readonly #found = byId('found');
  readonly #blocks = new Map<number, HeaderFound>();
  #route: Route = { kind: 'chain', name: '' };
  /** Counts look-ups of the page, so that a late answer does not replace a newer one. */
  #turn = 0;
  #isAsking = false;
  #snapshot: Snapshot | null = null;
  #shownCheckpoint = -1;
  #lastLook = 0;

  constructor(client: () => Antiphon | null, node: string) {
    this.#client = client;
    this.#node = node;
    byId<HTMLFormElement>('search').addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#search(byId<HTMLInputElement>('query').value.trim());
    });
    addEventListener('hashchange', () => this.#go());
    new ResizeObserver(() => this.#drawStaff()).observe(byId('staff'));
    setInterval(() => void this.#watch(), AGAIN_MS);
    void this.#watch();
    this.#go();
  }

  /** Takes new heads: the staff moves on, and what is shown is looked up again when it can have changed. */
  update(snapshot: Snapshot): void {
    const before = this.#snapshot?.chain;
    this.#snapshot = snapshot;
    if (byId('explore').hidden) return;
    this.#drawHeads(snapshot);
    const { included, settled, final } = snapshot.chain;
    const isMoved = before === undefined || before.included !== included || before.settled !== settled || before.final !== final;
    if (isMoved || this.#blocks.size === 0) void this.#follow(snapshot);
    if (this.#route.kind === 'chain') void this.#showCheckpoint(snapshot);
    else if (isMoved && this.#isLive() && performance.now() - this.#lastLook > AGAIN_MS) void this.#look(false);
  }

  /** Looks anew at what the address names, as when the view is opened. */
  open(): void {
    this.#go();
  }

  /** What a later block may change: state; or what was not found. */
  #isLive(): boolean {
    const isTyping = this.#found.contains(document.activeElement) && document.activeElement?.matches('input, select') === true;
    return !isTyping && (['account', 'pool', 'stakers'].includes(this.#route.kind) || this.#found.dataset['lost'] === 'yes');
  }

  #chain(): Chain {
    const spec = this.#snapshot?.chain.spec;
    return { interval: spec?.interval ?? 1, stakes: spec?.unbonding != null };
  }

  #go(): void {
    const [kind = '', name = ''] = parts(location.hash);
    this.#route = { kind: kind === '' ? 'chain' : kind, name };
    this.#shownCheckpoint = -1;
    byId('overview').hidden = this.#route.kind !== 'chain';
    for (const link of document.querySelectorAll<HTMLAnchorElement>('.paths a')) {
      link.toggleAttribute('aria-current', link.hash === `#/${this.#route.kind}`);
    }
    if (this.#snapshot !== null) this.#drawStaff();
    if (this.#route.kind !== 'chain') void this.#look(true);
    else this.#show(0, []);
  }

  async #look(isNew: boolean): Promise<void> {
    const client = this.#client();
    const turn = this.#turn += 1;
    this.#lastLook = performance.now();
    if (isNew) this.#show(turn, [h('p', { class: 'wait' }, 'Looking it up, and checking what comes…')]);
    if (client === null) return this.#show(turn, [refusal('worker/not-loaded')], 'worker/not-loaded');
    try {
      const nodes = await this.#find(client);
      this.#show(turn, nodes);
      if (isNew && turn === this.#turn) this.#found.querySelector<HTMLElement>('h2')?.focus({ preventScroll: true });
    } catch (error) {
      const code = error instanceof AntiphonError ? error.code : 'options/invalid';
      // What was proven before stays true of its block; what could only not be renewed is no reason to take it away.
      if (isNew || !code.startsWith('lookup/')) this.#show(turn, [refusal(code)], code);
    }
  }

  async #find(client: Antiphon): Promise<Node[]> {
    const { kind, name } = this.#route;
    const chain = this.#chain();
    switch (kind) {
      case 'block': return block(await client.findBlock(Number(name)), chain);
      case 'checkpoint': return checkpoint(await client.findCheckpoint(Number(name)), chain);
      case 'account': return account(await client.findAccount(name), this.#snapshot?.wallet.address ?? null);
      case 'pool': return pool(await client.findPool(name));
      case 'stakers': {
        const own = this.#snapshot?.wallet.address ?? null;
        const [all, mine] = await Promise.all([client.findStakers(), own === null ? null : client.findAccount(own)]);
        return stakers(all, mine, client, client.snapshot());
      }
      case 'tx': return this.#transaction(client, name, chain);
      default: throw new AntiphonError('options/invalid');
    }
  }

  /** The node says in which block it is; the block proves it, or does not. */
  async #transaction(client: Antiphon, id: string, chain: Chain): Promise<Node[]> {
    const height = await blockOf(this.#node, id);
    if (height === null) return [h('div', { class: 'folio refused', 'data-testid': 'unproven' }, h('h2', { tabindex: '-1' }, 'Not in a block'), h('p', {}, 'The node knows no such transaction in a block. That is a hint: absence of a transaction cannot be proven.'))];
    const found = await client.findBlock(height);
    if (found.transactions?.some((tx) => tx.id === id) !== true) throw new AntiphonError('lookup/wrong-body');
    const nodes = block(found, chain);
    const row = nodes.flatMap((node) => (node instanceof Element ? [...node.querySelectorAll('.transactions li')] : [])).find((item) => item.getAttribute('data-id') === id);
    row?.setAttribute('aria-current', 'true');
    return nodes;
  }

  #show(turn: number, nodes: Node[], lost = ''): void {
    if (turn !== 0 && turn !== this.#turn) return;
    if (turn === 0) this.#turn += 1;
    this.#found.dataset['lost'] = lost === '' ? 'no' : 'yes';
    this.#found.dataset['code'] = lost;
    // What is looked up again takes the focus from nobody.
    const held = this.#found.contains(document.activeElement) ? nameOf(document.activeElement) : null;
    this.#found.replaceChildren(...nodes);
    if (held !== null) [...this.#found.querySelectorAll<HTMLElement>(CONTROLS)].find((control) => nameOf(control) === held)?.focus({ preventScroll: true });
  }

  async #search(query: string): Promise<void> {
    const said = byId('search-said');
    say(said, '\u00a0');
    const digits = query.replace(/[,.\s\u202f]/g, '');
    if (/^\d{1,15}$/.test(digits)) location.hash = `#/block/${digits}`;
    else if (/^A[1-9A-HJ-NP-Za-km-z]{20,50}$/.test(query)) location.hash = `#/account/${query}`;
    else if (/^[0-9a-f]{64}$/i.test(query)) location.hash = (await blockOf(this.#node, query.toLowerCase())) === null ? `#/pool/${query.toLowerCase()}` : `#/tx/${query.toLowerCase()}`;
    else say(said, 'A height, an address that begins with A, or the id of a pool or a transaction.');
  }

  /** Fetches the headers from the newest down to the checkpoint below, and the interval before that. */
  async #follow({ chain }: Snapshot): Promise<void> {
    const client = this.#client();
    if (client === null || this.#isAsking || chain.included === 0) return;
    this.#isAsking = true;
    try {
      let height = chain.included;
      for (let spans = 0; spans < 4 && height > 0 && chain.included - height < MAX_BLOCKS; spans += 1) {
        if (this.#blocks.get(height)?.proven.level === 'final') break;
        const found = await client.findBlocks(height);
        for (const one of found) this.#blocks.set(one.header.height, one);
        height = (found.at(-1)?.header.height ?? 1) - 1;
      }
      for (const height of this.#blocks.keys()) {
        if (height > chain.included || height <= chain.included - MAX_BLOCKS) this.#blocks.delete(height);
      }
      this.#drawStaff();
    } catch {
      // The next head asks again; what the client refused is said with the page's other troubles.
    } finally {
      this.#isAsking = false;
    }
  }

  #drawStaff(): void {
    const box = byId('staff');
    const blocks = [...this.#blocks.values()].sort((a, b) => b.header.height - a.header.height);
    const { kind, name } = this.#route;
    const chosen = kind === 'block' || kind === 'checkpoint' ? Number(name) : 0;
    const interval = this.#snapshot?.chain.spec?.interval ?? 10;
    const width = box.clientWidth;
    if (width === 0 || blocks.length === 0) return;
    const key = JSON.stringify([width, chosen, blocks.map(({ proven }) => [proven.height, proven.level])]);
    const focused = box.contains(document.activeElement) ? document.activeElement?.getAttribute('data-height') : null;
    fill(box, key, () => [staff(blocks, width, interval, chosen)]);
    mark(box, 'count', String(blocks.length));
    // Redrawn under somebody's finger, the same note keeps the focus.
    if (focused != null) box.querySelector<SVGAElement>(`[data-height="${focused}"]`)?.focus();
  }

  #drawHeads({ chain }: Snapshot): void {
    const list = byId('heads');
    fill(list, 'levels', () => LEVELS.map((level) => h('li', { 'data-level': level, 'data-testid': `explore-${level}` })));
    for (const item of list.querySelectorAll('li')) drawHead(item, chain.heads.find(({ level }) => level === item.dataset['level']));
    const { spec } = chain;
    say(byId('chain-name'), spec === null ? 'The chain' : spec.name);
    say(byId('chain-rhythm'), spec === null ? '' : `a block every ${spec.blockMs / 1000}\u202fs, a checkpoint every ${spec.interval}`);
    for (const item of document.querySelectorAll<HTMLElement>('[data-needs=stake]')) item.hidden = spec?.unbonding == null;
  }

  /** The newest final checkpoint, with who signed it, on the overview. */
  async #showCheckpoint({ chain }: Snapshot): Promise<void> {
    const client = this.#client();
    if (client === null || chain.final === 0 || this.#shownCheckpoint === chain.final) return;
    this.#shownCheckpoint = chain.final;
    const [validators, guardians] = [byId('overview-validators'), byId('overview-guardians')];
    try {
      const { guardians: set, header } = await client.findCheckpoint(chain.final);
      guardians.replaceChildren(h('p', { class: 'lead' }, 'They finalised ', h('a', { href: `#/checkpoint/${header.height}` }, `checkpoint ${header.height.toLocaleString('en')}`), ', and everything below it.'), ring(set, 'Guardians', this.#chain()));
      const below = await client.findBlock(chain.final);
      if (below.signed !== null) validators.replaceChildren(h('p', { class: 'lead' }, 'They signed ', h('a', { href: `#/block/${header.height}` }, `block ${header.height.toLocaleString('en')}`), ', as the block above it shows.'), ring(below.signed, 'Validators', this.#chain()));
    } catch (error) {
      this.#shownCheckpoint = -1;
      if (error instanceof AntiphonError && !error.code.startsWith('lookup/')) guardians.replaceChildren(refusal(error.code));
    }
  }

  /** While somebody looks, heads follow the chain block by block, and the node says what waits. */
  async #watch(): Promise<void> {
    if (byId('explore').hidden) return;
    this.#client()?.follow().catch(() => {}); // It is asked again.
    if (this.#node === '') return;
    const found: Hints | null = await hints(this.#node);
    say(byId('hint'), found === null ? 'The node gives no hints.' : `The node says that ${found.waiting === 1 ? 'one transaction waits' : `${found.waiting} transactions wait`} and that it is in epoch ${found.epoch.toLocaleString('en')}.`);
  }
}

const LEVELS = ['final', 'settled', 'included'] as const;
const HOW = { certificate: 'guardians’ certificate', 'two-chain': 'two certified blocks', links: 'linked, no vote yet' } as const;

/** What can have the focus in what was found, but for its title. */
const CONTROLS = 'a, button, [tabindex="0"]';

/** By what a control is known once it is made anew. */
function nameOf(element: Element | null): string | null {
  return ['data-testid', 'href', 'aria-label'].map((name) => element?.getAttribute(name) ?? null).find((name) => name !== null) ?? null;
}

/** Writes a head into its place: a link that is made anew with each block, or as its age goes on, would lose the focus. */
function drawHead(item: HTMLElement, head: Snapshot['chain']['heads'][number] | undefined): void {
  const level = item.dataset['level'] ?? '';
  item.classList.toggle('none', head === undefined);
  mark(item, 'height', String(head?.height ?? ''));
  // Right after a checkpoint is final, nothing above it is settled yet.
  fill(item, head === undefined ? 'none' : 'head', () => (head === undefined
    ? [h('span', {}, level, h('small', {}, 'nothing above the other heads'))]
    : [h('a', {}, h('b', {}), h('span', {}, level, h('small', {}))), hash('')]));
  const [link, height, how] = [item.querySelector('a'), item.querySelector('b'), item.querySelector('small')];
  if (head === undefined || link === null || height === null || how === null) return;
  link.href = level === 'final' ? `#/checkpoint/${head.height}` : `#/block/${head.height}`;
  say(height, head.height.toLocaleString('en'));
  say(how, `${age(head.ageMs)} · ${HOW[head.how]}`);
  const block = item.querySelector<HTMLElement>('.hash');
  if (block?.dataset['whole'] !== head.block) block?.replaceWith(hash(head.block, 6, 4));
}

/** What came is not shown; why, is. */
function refusal(code: string): HTMLElement {
  const isRefused = !code.startsWith('lookup/') || code === 'lookup/wrong-body';
  return h('div', { class: 'folio refused', 'data-testid': 'refused', 'data-code': code },
    h('h2', { tabindex: '-1' }, isRefused ? 'Refused' : 'Not proven'),
    h('p', {}, words(code)),
    h('p', { class: 'soft' }, isRefused ? 'Something came, and proves nothing. It is not shown.' : 'Nothing is shown that this page cannot prove.', ' ', h('code', {}, code)));
}
