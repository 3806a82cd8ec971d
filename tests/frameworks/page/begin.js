// The trial of tests/packaging, in a page that a framework made: on a server first, then in the browser.

import './main.js';

/** How long the element may take for its client, and for the stream. */
const PATIENCE_MS = 20_000;

const tried = globalThis.outcome;

/** The element that the server has written becomes a player, and finds worker and wasm by itself. */
async function drawn() {
  const { chain, node } = await (await fetch('/config.json')).json();
  const player = document.querySelector('antiphon-player');
  player.setAttribute('node', node);
  player.setAttribute('chain', chain);
  const end = Date.now() + PATIENCE_MS;
  while (player.antiphon === null || player.failure !== null || !(player.media?.readyState > 0)) {
    if (Date.now() > end) throw new Error(`the server's element: ${player.failure ?? `ready ${player.media?.readyState}, client ${player.antiphon}`}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { isUp } = player.antiphon;
  player.remove();
  if (!isUp) throw new Error('the client of the server\'s element is not up');
}

globalThis.outcome = tried.then(async ({ count, faults }) => {
  const more = await drawn().then(() => [], (error) => [String(error)]);
  return { count: count + 1, faults: [...faults, ...more] };
});
