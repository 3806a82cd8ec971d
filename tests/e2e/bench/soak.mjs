// Three pages listen, carry and pay for so many minutes: `node bench/soak.mjs [--minutes 60]`. Prints a line of JSON a minute,
// and one at the end that says whether the vouchers add up. Ends with 1 if the sound stopped, a chunk was bad or a page erred.

import { parseArgs } from 'node:util';
import { startBrowser, until } from '../lab/browser.mjs';
import { Listener } from '../lab/listener.mjs';
import { startNetwork } from '../lab/network.mjs';
import { used } from './delivery/usage.mjs';
import { minutesOf, wrongs } from './soak/verdict.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = minutesOf(values.minutes);
const MINUTE_MS = 60_000;

const network = await startNetwork();
const browser = await startBrowser();
try {
  /** @type {Listener[]} */ const listeners = [];
  for (const name of ['first', 'second', 'third']) {
    const listener = await Listener.open(browser, network.url, name);
    // A pool for the whole time, and for whoever is served most.
    await listener.fund('5');
    await listener.play();
    listeners.push(listener);
  }
  const all = () => Promise.all(listeners.map((listener) => listener.snapshot()));
  const began = performance.now();
  let last = { stalls: NaN, bad: NaN };
  for (let minute = 1; minute <= minutes; minute++) {
    await new Promise((resolve) => setTimeout(resolve, began + minute * MINUTE_MS - performance.now()));
    const stalls = (await Promise.all(listeners.map((listener) => listener.stalls()))).reduce((sum, count) => sum + count, 0);
    const gapMs = Math.max(...await Promise.all(listeners.map((listener) => listener.gap())));
    const snapshots = await all();
    const sum = (/** @type {(snapshot: import('antiphon').Snapshot) => number} */ of) => snapshots.reduce((total, snapshot) => total + of(snapshot), 0);
    const fromPeers = sum(({ delivery }) => delivery.fromPeers);
    last = { stalls, bad: sum(({ delivery }) => delivery.bad) };
    console.log(JSON.stringify({
      minute, megabytes: used().bytes / 1e6, gapMs, ...last,
      share: fromPeers / (fromPeers + sum(({ delivery }) => delivery.fromOrigin)),
    }));
  }
  for (const listener of listeners) await listener.page.evaluate(() => document.querySelector('antiphon-player')?.pause());
  let given = 0n, held = 0n, paid = 0n, served = 0n, price = 0n;
  const agree = async () => {
    given = held = paid = served = 0n;
    for (const { wallet, delivery, stream } of await all()) {
      price = stream?.price ?? price;
      given += wallet.vouchersOut;
      held += wallet.vouchersIn;
      // What is only sent is held as before.
      paid += wallet.settlements.reduce((total, { amount, level }) => total + (level === null ? 0n : amount), 0n);
      served += BigInt(delivery.chunksServed);
    }
    // Neither side counts what the chain has paid.
    return served > 0n && held + paid === served * price && given === held;
  };
  await until('the sums agree', agree, 30_000, () => `${given} given, ${held} held, ${paid} paid, ${served} served at ${price}`);
  const errors = listeners.flatMap(({ diary }) => diary.errors);
  console.log(JSON.stringify({ chunks: Number(served), vouchers: String(held + paid), settled: String(paid), errors }));
  for (const wrong of wrongs(last, errors)) {
    console.error(wrong);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
  await network.close();
}
