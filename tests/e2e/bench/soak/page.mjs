// In a page of the site, before its own script: presses its buttons as a person would, and says how it stands.

import { watch } from '../../lab/watch.mjs';
import { tell } from '../delivery/page-probe.mjs';

/** What the pool holds, as it is typed: enough for the whole time, and for whoever is served most. */
const DEPOSIT = '5';
/** How often it looks for what can be pressed next. */
const LOOK_MS = 250;
/** After how long it presses again what has changed nothing. Chosen here: some blocks. */
const AGAIN_MS = 10_000;

/** Names the element to the compiler. @typedef {import('antiphon/player').AntiphonPlayer} Player */

watch();

const player = () => document.querySelector('antiphon-player');
/** When each button was pressed last. @type {Map<string, number>} */
const pressed = new Map();

/** Presses a button, unless it cannot be pressed or was just now. @param {string} name */
function press(name) {
  const button = /** @type {HTMLButtonElement | null} */ (document.getElementById(name));
  const now = performance.now();
  if (button === null || button.disabled || now - (pressed.get(name) ?? -Infinity) < AGAIN_MS) return;
  pressed.set(name, now);
  button.click();
}

const timer = setInterval(() => {
  const element = player();
  if (element?.antiphon == null) return;
  const { chain, wallet } = element.snapshot();
  if (wallet.pool !== null && wallet.pool.refusal === null) {
    // It is on its way until it is proven.
    if (wallet.pool.deposit === null) return;
    clearInterval(timer);
    element.play().catch((error) => reportError(error));
  } else if ((wallet.account?.balance.value ?? 0n) > 0n) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById('deposit'));
    if (field.value !== DEPOSIT) {
      field.value = DEPOSIT;
      field.dispatchEvent(new Event('input', { bubbles: true }));
    }
    press('open-pool');
  } else if (chain.settled > 0) {
    press('faucet');
  }
}, LOOK_MS);

/** The longest that the page was kept from running since this was last asked, in milliseconds. */
function gap() {
  const gap = Reflect.get(globalThis, 'gap');
  const { longest } = gap;
  gap.longest = 0;
  return longest;
}

void tell(() => {
  const element = player();
  if (element?.antiphon == null) return { position: 0 };
  const { delivery, wallet, stream } = element.snapshot();
  // What is only sent is held as before.
  const paid = wallet.settlements.reduce((total, { amount, level }) => total + (level === null ? 0n : amount), 0n);
  return {
    position: element.media?.currentTime ?? 0, stalls: Reflect.get(globalThis, 'stalls').length, gapMs: gap(),
    fromPeers: delivery.fromPeers, fromOrigin: delivery.fromOrigin, bad: delivery.bad, served: delivery.chunksServed,
    given: String(wallet.vouchersOut), held: String(wallet.vouchersIn), paid: String(paid), price: String(stream?.price ?? 0n),
  };
}, (word) => {
  if (word === 'pause') player()?.pause();
});
