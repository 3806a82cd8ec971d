/** The page: gives the player its configuration and shows what the client says. */

import 'antiphon/player';
import type { AntiphonEvent } from 'antiphon';
import type { AntiphonPlayer } from 'antiphon/player';
import { Acts } from './act.js';
import { Choir } from './choir.js';
import { loadConfig } from './config.js';
import { Memory } from './health.js';
import { byId, byTest, say } from './page.js';
import { show, showBuffer } from './show.js';

const BUFFER_INTERVAL_MS = 250;
const HEALTH_INTERVAL_MS = 1_000;

const player = byId<AntiphonPlayer>('player');
const choir = new Choir(byId<HTMLCanvasElement>('choir'));
const acts = new Acts(() => player.antiphon);
const memory = new Memory();
/** Bytes that were played and not verified, as of the last look. */
let unverified = 0;

function refresh(): void {
  const snapshot = player.snapshot();
  if (snapshot.delivery.unverified > unverified) memory.note('delivery/unverified');
  unverified = snapshot.delivery.unverified;
  show(snapshot, memory.weigh(snapshot));
  choir.update(snapshot);
  acts.update(snapshot);
}

function take(event: AntiphonEvent): void {
  switch (event.type) {
    case 'trouble':
    case 'restarted':
      memory.note(event.code);
      break;
    case 'fatal':
      memory.note(event.error.code, true);
      break;
    case 'banned':
    case 'recovered':
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
setInterval(() => showBuffer(player.buffered), BUFFER_INTERVAL_MS);
setInterval(refresh, HEALTH_INTERVAL_MS);
refresh();

try {
  const config = await loadConfig();
  for (const name of ['publisher', 'node', 'chain', 'tracker'] as const) {
    if (config[name] !== '') player.setAttribute(name, config[name]);
  }
  player.setAttribute('src', config.stream);
} catch {
  say(byTest('title'), 'No stream is configured here');
  memory.note('options/invalid', true);
  refresh();
}
