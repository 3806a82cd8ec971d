// In a page of the site, before its own script: presses its buttons as a person would, and says how it stands.

import { watch } from '../../lab/watch.mjs';
import { tell } from '../delivery/page-probe.mjs';

/** What the pool holds, as it is typed: enough for the whole time, and for whoever is served most. */
const DEPOSIT = '5';
/** How often it looks for what can be pressed next. */
const LOOK_MS = 250;

/** Names the element to the compiler. @typedef {import('antiphon/player').AntiphonPlayer} Player */

watch();

const player = () => document.querySelector('antiphon-player');
/** @param {string} name */
const press = (name) => document.getElementById(name)?.click();

let step = 'faucet';
const timer = setInterval(() => {
  const element = player();
  if (element?.antiphon == null) return;
  const { chain, wallet } = element.snapshot();
  if (step === 'faucet' && chain.settled > 0) {
    step = 'pool';
    press('faucet');
  } else if (step === 'pool' && (wallet.account?.balance.value ?? 0n) > 0n) {
    step = 'play';
    const field = /** @type {HTMLInputElement} */ (document.getElementById('deposit'));
    field.value = DEPOSIT;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    press('open-pool');
  } else if (step === 'play' && wallet.pool?.deposit != null) {
    clearInterval(timer);
    element.play().catch((error) => reportError(error));
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
