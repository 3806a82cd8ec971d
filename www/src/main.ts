/** The page: gives the player its configuration and shows what the client says. */

import 'antiphon/player';
import type { AntiphonEvent } from 'antiphon';
import type { AntiphonPlayer } from 'antiphon/player';
import { Acts } from './act.js';
import { Choir } from './choir.js';
import { loadConfig } from './config.js';
import { byId, byTest, say } from './page.js';
import { show, showBuffer } from './show.js';

const BUFFER_INTERVAL_MS = 250;
/** How long a passing trouble stays on the page. */
const TROUBLE_MS = 15_000;

/** Troubles that no snapshot carries: of the host, and passing ones, by code with their end. */
const troubles = new Map<string, number>();

const player = byId<AntiphonPlayer>('player');
const choir = new Choir(byId<HTMLCanvasElement>('choir'));
const acts = new Acts(() => player.antiphon);

function refresh(): void {
  const now = performance.now();
  for (const [code, end] of troubles) if (end < now) troubles.delete(code);
  const snapshot = player.snapshot();
  show(snapshot, [...troubles.keys()]);
  choir.update(snapshot);
  acts.update(snapshot);
}

function take(event: AntiphonEvent): void {
  switch (event.type) {
    case 'trouble':
    case 'banned':
    case 'restarted':
      troubles.set(event.code, performance.now() + TROUBLE_MS);
      break;
    case 'recovered':
      troubles.delete(event.code);
      break;
    case 'fatal':
      troubles.set(event.error.code, Infinity);
      break;
    case 'changed':
    case 'lagged':
  }
  const account = player.antiphon?.account ?? 0;
  if (account > 0) say(byId('account'), `Another tab holds your first purse; this is purse ${account + 1}.`);
  refresh();
}

player.addEventListener('antiphon-event', (event) => take(event.detail));
document.addEventListener('keydown', (event) => {
  // The player's keys work anywhere but where one types.
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLButtonElement;
  if (isTyping || event.composedPath().includes(player) || !' klm'.includes(event.key)) return;
  event.preventDefault();
  player.dispatchEvent(new KeyboardEvent('keydown', { key: event.key }));
});
setInterval(() => {
  showBuffer(player.buffered);
  if (troubles.size > 0) refresh();
}, BUFFER_INTERVAL_MS);
refresh();

try {
  const config = await loadConfig();
  for (const name of ['publisher', 'node', 'chain', 'tracker'] as const) {
    if (config[name] !== '') player.setAttribute(name, config[name]);
  }
  player.setAttribute('src', config.stream);
} catch {
  say(byTest('title'), 'No stream is configured here');
  troubles.set('options/invalid', Infinity);
  refresh();
}
