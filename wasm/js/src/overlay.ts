/**
 * Figures over the player: where the sound comes from, second by second, and whatever else one asks when it does not sound well.
 * A module of its own, loaded when somebody first looks.
 */

import { formatAmount } from './amount.js';
import type { BanView, PeerView, Snapshot } from './snapshot.js';

/** Time between two looks, in milliseconds, and how many the drawing holds. Chosen here: two minutes. */
const LOOK_MS = 1_000;
const LOOKS = 120;
/** Peers that are named one by one. Chosen here: what a phone shows. */
const MAX_ROWS = 6;
const HEIGHT = 48;

const STYLE = `
.figures { --peers: var(--antiphon-peers, var(--accent)); --origin: var(--antiphon-origin, color-mix(in srgb, currentColor 38%, transparent)); }
.figures { margin-top: .75rem; padding: .9rem 1rem; border-radius: .75rem; background: color-mix(in srgb, currentColor 7%, transparent); font-size: .875rem; }
.figures svg { display: block; width: 100%; height: ${HEIGHT}px; fill: none; }
.figures .origin { fill: var(--origin); }
.figures .peers { fill: var(--peers); }
.figures .key { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .4rem 0 .6rem; }
.figures .key span::before { content: ''; display: inline-block; width: .65rem; height: .65rem; border-radius: 2px; margin-right: .4rem; background: var(--peers); }
.figures .key span + span::before { background: var(--origin); }
.figures dl { display: grid; grid-template-columns: minmax(8rem, auto) 1fr; gap: .2rem 1rem; margin: 0 0 .6rem; }
.figures dt { opacity: .8; } .figures dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures button { height: 2.75rem; padding: 0 .9rem; border-radius: 1.4rem; border: 1px solid color-mix(in srgb, currentColor 28%, transparent); }
`;

/** What the panel needs of the player. */
export interface Shown {
  snapshot(): Snapshot;
}

/** The panel. Looks until it is closed. */
export class Overlay {
  readonly element: HTMLElement;
  readonly #root: ShadowRoot;
  readonly #sheet = new CSSStyleSheet();
  readonly #list: HTMLDListElement;
  readonly #bars: { readonly peers: Element; readonly origin: Element };
  readonly #player: Shown;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Bytes of each look, from peers and from the origin, the oldest first. */
  readonly #flow: (readonly [number, number])[] = [];
  #before: readonly [number, number];

  /** Puts the panel at the end of `root`. `save` is called with the wish for a report. */
  constructor(root: ShadowRoot, player: Shown, save: () => void) {
    this.#root = root;
    this.#player = player;
    this.#before = sources(player.snapshot());
    this.element = document.createElement('section');
    this.element.className = 'figures';
    this.element.setAttribute('part', 'overlay');
    this.element.setAttribute('aria-label', 'Statistics');
    this.element.dataset['testid'] = 'overlay';
    this.element.innerHTML = `<svg viewBox="0 0 ${LOOKS} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><path class="origin"/><path class="peers"/></svg>
<p class="key"><span>from listeners</span><span>from the origin</span></p>
<dl></dl><button type="button" data-testid="report">Save a report</button>`;
    // Adopted, for a strict policy refuses styles in the markup.
    this.#sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, this.#sheet];
    root.append(this.element);
    const one = <T extends Element>(selector: string): T => this.element.querySelector<T>(selector) as T;
    this.#list = one('dl');
    this.#bars = { peers: one('path.peers'), origin: one('path.origin') };
    one('button').addEventListener('click', save);
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Looks no more, and takes the panel away. */
  close(): void {
    clearInterval(this.#timer);
    this.element.remove();
    this.#root.adoptedStyleSheets = this.#root.adoptedStyleSheets.filter((sheet) => sheet !== this.#sheet);
  }

  #look(): void {
    const snapshot = this.#player.snapshot();
    const now = sources(snapshot);
    // A player that starts again counts from nothing.
    const gained = now.map((bytes, i) => Math.max(0, bytes - (this.#before[i] ?? 0))) as [number, number];
    this.#before = now;
    this.#flow.push(gained);
    if (this.#flow.length > LOOKS) this.#flow.shift();
    const [peers, origin] = drawing(this.#flow);
    this.#bars.peers.setAttribute('d', peers);
    this.#bars.origin.setAttribute('d', origin);
    this.#list.replaceChildren(...figures(snapshot).flatMap(([name, text]) => [term('dt', name), term('dd', text)]));
  }
}

/** Verified bytes from peers, and all others. */
function sources({ delivery }: Snapshot): [number, number] {
  return [delivery.fromPeers, delivery.fromOrigin];
}

/** Returns what is drawn for the flow: bars from peers, and those from the origin on top of them. The newest is on the right. */
export function drawing(flow: readonly (readonly [number, number])[]): [string, string] {
  const most = Math.max(1, ...flow.map(([peers, origin]) => peers + origin));
  const paths: [string, string] = ['', ''];
  flow.forEach(([peers, origin], i) => {
    const x = LOOKS - flow.length + i;
    const [low, high] = [(peers / most) * HEIGHT, (origin / most) * HEIGHT];
    if (peers > 0) paths[0] += bar(x, HEIGHT, low);
    if (origin > 0) paths[1] += bar(x, HEIGHT - low, high);
  });
  return paths;
}

function bar(x: number, bottom: number, height: number): string {
  return `M${x} ${bottom.toFixed(1)}v${(-height).toFixed(1)}h.8v${height.toFixed(1)}z`;
}

/** Returns name and text of each figure. */
export function figures({ delivery, playback, peers, bans, wallet, chain, problems, sharing }: Snapshot): [string, string][] {
  const all = delivery.fromPeers + delivery.fromOrigin;
  const share = all === 0 ? 0 : (100 * delivery.fromPeers) / all;
  const exposure = wallet.payers.reduce((sum, payer) => sum + payer.exposure, 0n);
  const unverified = delivery.unverified > 0 ? `, ${bytes(delivery.unverified)} unverified` : '';
  return [
    ['From listeners', `${share.toFixed(1)} %, ${bytes(delivery.fromPeers)}`],
    ['From the origin', `${bytes(delivery.fromOrigin)}${unverified}`],
    ['Given to listeners', `${bytes(delivery.toPeers)}, ${sharing.isOn ? 'sharing' : `not sharing: ${sharing.why}`}`],
    ...heard(playback),
    ['Chunks', `${delivery.late} late, ${delivery.hedged} asked twice, ${delivery.bad} refused`],
    ['Cache', `${bytes(delivery.cached)}, ${delivery.delivered} segments played`],
    ['Vouchers', `${formatAmount(wallet.vouchersOut)} given, ${formatAmount(wallet.vouchersIn)} held, ${formatAmount(exposure)} at risk`],
    ['Connections', `node ${chain.node}, tracker ${delivery.tracker}, ${peers.length} ${peers.length === 1 ? 'listener' : 'listeners'}`],
    ...peers.slice(0, MAX_ROWS).map(row),
    ...bans.slice(0, MAX_ROWS).map(away),
    ['Chain', `${chain.final} final, ${chain.settled} settled, ${chain.included} included`],
    ...problems.map(({ code, count }): [string, string] => [code, `${count} times`]),
  ];
}

function heard(playback: Snapshot['playback']): [string, string][] {
  if (playback === null) return [];
  const { startupMs, stalls, stalledMs, delayS, bufferedS, leftS } = playback;
  return [
    ['Behind the broadcast', `${delayS === null ? 'unknown' : `${delayS.toFixed(1)} s`}, ${bufferedS.toFixed(1)} s ready${leftS === null ? '' : `, ends in ${leftS.toFixed(1)} s`}`],
    ['Start and stalls', `${startupMs === null ? 'not played yet' : `${startupMs} ms`}, ${stalls} stalls${stalls > 0 ? `, ${stalledMs} ms` : ''}`],
  ];
}

function row({ peer, received, sent, latencyMs }: PeerView): [string, string] {
  return [peer.slice(0, 8), `${bytes(received)} in, ${bytes(sent)} out${latencyMs === null ? '' : `, a chunk in ${latencyMs} ms`}`];
}

function away({ peer, code, leftMs }: BanView): [string, string] {
  return [peer.slice(0, 8), `banned for ${Math.ceil(leftMs / 60_000)} minutes more: ${code}`];
}

function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(2)} MB`;
}

function term(name: 'dt' | 'dd', text: string): HTMLElement {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
