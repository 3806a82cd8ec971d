/** The page: gives the player its configuration and shows what the client says. */

import 'antiphon/player';
import { connect, EVENT_TYPES, type Antiphon, type AntiphonEvent, type Snapshot } from 'antiphon';
import type { AntiphonPlayer } from 'antiphon/player';
import { Acts } from './act.js';
import { Choir } from './choir.js';
import { Giving } from './giving.js';
import { loadConfig, type Config } from './config.js';
import type { Explorer } from './explorer.js';
import type { Room } from './room.js';
import type { Wallet } from './wallet.js';
import { Memory } from './health.js';
import { byId, byTest, parts, save, say } from './page.js';
import { show, showBuffer } from './show.js';
import { Terms } from './terms.js';

const BUFFER_INTERVAL_MS = 250;
const HEALTH_INTERVAL_MS = 1_000;

const player = byId<AntiphonPlayer>('player');
const choir = new Choir(byId<HTMLCanvasElement>('choir'));
/** The client of a page that plays nothing: a node is configured, and no stream. */
let alone: Antiphon | null = null;
const client = (): Antiphon | null => player.antiphon ?? alone;
const acts = new Acts(client);
const giving = new Giving(client);
const memory = new Memory();
const terms = new Terms((agreed) => {
  player.upload = agreed;
});
/** Bytes that were played and not verified, as of the last look. */
let unverified = 0;

let explorer: Explorer | null = null;
let room: Room | null = null;
let wallet: Wallet | null = null;

const current = (): Snapshot => (player.antiphon === null && alone !== null ? alone.snapshot() : player.snapshot());

function refresh(): void {
  const snapshot = current();
  if (snapshot.delivery.unverified > unverified) memory.note('delivery/unverified');
  unverified = snapshot.delivery.unverified;
  show(snapshot, memory.weigh(snapshot));
  choir.update(snapshot);
  acts.update(snapshot);
  giving.update(snapshot);
  terms.update(snapshot);
  explorer?.update(snapshot);
  room?.update(snapshot);
  wallet?.update(snapshot);
}

/** The view that the address names. */
function viewOf(hash: string): 'listen' | 'room' | 'wallet' | 'explore' {
  return /^#\/room\b/.test(hash) ? 'room' : /^#\/wallet\b/.test(hash) ? 'wallet' : /^#\/./.test(hash) ? 'explore' : 'listen';
}

/** Shows the view that the address names. Room, wallet and explorer are loaded when somebody first looks. */
async function turn(node: string): Promise<void> {
  const view = viewOf(location.hash);
  // Who looks at the chain and comes back is in the room that it was in.
  if (hasRoom()) byId<HTMLAnchorElement>('view-room').href = location.hash;
  for (const id of ['listen', 'room', 'wallet', 'explore'] as const) {
    byId(id).hidden = id !== view;
    if (id === view) byId(`view-${id}`).setAttribute('aria-current', 'page');
    else byId(`view-${id}`).removeAttribute('aria-current');
  }
  say(byId('skip'), view === 'listen' ? 'Skip to the player' : 'Skip to the content');
  if (view === 'explore' && explorer === null) {
    const { Explorer: Loaded } = await import('./explorer.js');
    explorer ??= new Loaded(client, node);
  }
  if (view === 'room' && room === null) {
    const { Room: Loaded } = await import('./room.js');
    room ??= new Loaded(client);
  }
  if (view === 'wallet' && wallet === null) {
    const { Wallet: Loaded } = await import('./wallet.js');
    wallet ??= new Loaded(client);
  }
  giving.fillFrom(location.hash);
  byId(view === 'room' ? 'room-folios' : 'listen-folios').append(giving.element);
  if (view !== 'listen') refresh();
}

/** Whether the address names a room. */
function hasRoom(): boolean {
  const [view = '', name = ''] = parts(location.hash);
  return view === 'room' && name !== '';
}

/** A page without a stream still has a chain to show. */
async function startAlone({ node, witness, chain, tracker, tower }: Config): Promise<void> {
  alone = await connect({ node, chain, witness: witness || undefined, tracker: tracker || undefined, tower: tower || undefined });
  for (const type of EVENT_TYPES) alone.on(type, take);
  explorer?.open();
  refresh();
}

function take(event: AntiphonEvent): void {
  switch (event.type) {
    case 'restarted':
      room?.leave();
      wallet?.open();
      // Another account is no trouble.
      if (event.code !== 'client/renewed') memory.note(event.code);
      break;
    case 'trouble':
      memory.note(event.code);
      break;
    case 'warning':
      memory.note(`field/${event.threat}`);
      break;
    case 'fatal':
      memory.note(event.error.code, true);
      break;
    case 'forkAlarm':
    case 'split':
    case 'banned':
    case 'recovered':
    case 'changed':
    case 'lagged':
  }
  const account = client()?.account ?? 0;
  if (account > 0) say(byId('account'), `Another tab holds your first purse; this is purse ${account + 1}.`);
  refresh();
}

byId('skip').addEventListener('click', (event) => {
  const view = viewOf(location.hash);
  if (view === 'listen') return;
  // The fragment names the view: it must stay.
  event.preventDefault();
  byId(view).focus();
});
player.addEventListener('antiphon-event', (event) => take(event.detail));
document.addEventListener('keydown', (event) => {
  // The player's keys work anywhere but where one types.
  const isTyping = event.target instanceof Element && event.target.closest('input, button, select, a, [tabindex]:not(main)') !== null;
  if (isTyping || event.composedPath().includes(player) || !' iklm'.includes(event.key)) return;
  event.preventDefault();
  player.dispatchEvent(new KeyboardEvent('keydown', { key: event.key }));
});
setInterval(() => showBuffer(player.buffered), BUFFER_INTERVAL_MS);
setInterval(refresh, HEALTH_INTERVAL_MS);
refresh();

byId('save-fork').addEventListener('click', () => {
  void client()?.forkProof().then((proof) => {
    if (proof !== null) save(proof, `antiphon-split-${current().chain.id.slice(0, 8)}.bin`);
  });
});

try {
  const config = await loadConfig();
  for (const name of ['publisher', 'node', 'witness', 'chain', 'tracker', 'tower'] as const) {
    if (config[name] !== '') player.setAttribute(name, config[name]);
  }
  // Who comes for a room of its own name plays nothing: its members meet there, not at the stream. One page is one or the other.
  const isRoom = hasRoom();
  addEventListener('hashchange', () => {
    // Both look at the chain without becoming the other.
    const isOther = isRoom ? viewOf(location.hash) === 'listen' : hasRoom();
    if (config.stream !== '' && isOther) location.reload();
    else void turn(config.node);
  });
  if (config.stream !== '' && !isRoom) player.setAttribute('src', config.stream);
  else if (config.node !== '' && config.chain !== '') await startAlone(config);
  await turn(config.node);
} catch {
  say(byTest('title'), 'No stream is configured here');
  memory.note('options/invalid', true);
  refresh();
}
