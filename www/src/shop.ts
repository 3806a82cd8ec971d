/**
 * A shop: shows a price, waits for a gift with the order's purpose, and says when it is sure and when it is final.
 *
 * What is sold may be handed over at "sure": nobody else can draw on what is reserved, and the promise is stored here. The page
 * keeps no books; a shop of its own would note the pool of each paid order.
 */

import { connect, formatAmount, type Antiphon, type GiftView } from 'antiphon';
import { loadConfig } from './config.js';
import { byId, byTest, mark, say } from './page.js';
import { reason } from './words.js';

/** What a thing costs, in smallest units. */
const PRICE = 10_000_000n;

/** Shows how far the order is; notes when it got there first. */
class Order {
  readonly purpose = `order ${crypto.randomUUID().slice(0, 8)}`;
  /** Milliseconds of the page's clock. */
  readonly #seen = new Map<string, number>();

  /** The gifts that are for this order and cover it. */
  update(gifts: readonly GiftView[]): void {
    const paid = gifts.find((gift) => !gift.isGiven && gift.purpose === this.purpose && gift.amount >= PRICE);
    const offered = gifts.find(({ isGiven, stage }) => !isGiven && stage === 'offered');
    const { stage } = paid ?? offered ?? { stage: 'waiting' };
    if (!this.#seen.has(stage)) this.#seen.set(stage, performance.now());
    mark(byTest('order'), 'stage', stage);
    if (stage === 'sure' && !this.#seen.has('told')) {
      this.#seen.set('told', performance.now());
      const ms = Math.round((this.#seen.get('sure') ?? 0) - (this.#seen.get('offered') ?? this.#seen.get('sure') ?? 0));
      mark(byTest('order'), 'ms', String(ms));
      say(byTest('order'), `Paid, sure: ${ms} ms after it was offered. Here you are.`);
    } else if (stage === 'final') {
      const final = this.#seen.get('final') ?? 0;
      const seconds = (final - (this.#seen.get('sure') ?? final)) / 1000;
      say(byTest('order'), `Paid for good, ${seconds.toFixed(1)} s after it was sure.`);
    } else if (stage === 'lapsed') say(byTest('order'), 'The payment came too late.');
  }
}

async function open(): Promise<Antiphon> {
  const { node, witness, chain, tracker } = await loadConfig();
  return connect({ node, chain, witness: witness || undefined, tracker: tracker || undefined });
}

const order = new Order();
const tell = (error: unknown): void => say(byTest('order'), `The shop cannot open: ${reason(error)}`);
const room = `shop ${crypto.randomUUID().slice(0, 8)}`;
say(byTest('price'), formatAmount(PRICE));
say(byTest('purpose'), order.purpose);
try {
  const antiphon = await open();
  antiphon.on('changed', ({ snapshot }) => {
    const { address } = snapshot.wallet;
    order.update(snapshot.gifts);
    if (address === null) return;
    const words = ['room', room, 'give', address, formatAmount(PRICE), order.purpose].map(encodeURIComponent);
    byId<HTMLAnchorElement>('pay').href = `./#/${words.join('/')}`;
    byId('pay').hidden = false;
  });
  // A client that was started again knows of no room.
  antiphon.on('restarted', () => void antiphon.enterRoom(room).catch(tell));
  await antiphon.enterRoom(room);
} catch (error) {
  tell(error);
}
