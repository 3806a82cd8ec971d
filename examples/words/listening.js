// A listener without a player: it wants each segment of a stream, carries it for others, and is paid.

import { until } from './wallet.js';

/** Joins a stream, and returns it when the first of it is here. */
export function listen(client, url) {
  void tune(client, url, 0);
  return until(client, ({ stream, delivery }) => delivery.cached > 0 && stream);
}

/** Wants each segment once, as a player would; what does not come is nobody's loss here. */
async function tune(client, url, from) {
  const { signal } = new AbortController();
  let next = from;
  try {
    const text = await (await fetch(url)).text();
    await client.playlist(url, text, { signal });
    const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1] ?? 0);
    const end = first + (text.match(/#EXTINF:/g) ?? []).length;
    for (next = Math.max(from, first); next < end; next += 1) client.segment(next, { bufferedMs: 6_000, signal }).catch(() => {});
  } catch {
    // Another time it may load.
  }
  setTimeout(() => void tune(client, url, next), 1_000);
}

/** Waits until the pool that pays has promised something to who carries the stream. */
export const promise = (client) => until(client, ({ wallet }) => wallet.pool?.promised);

/** Waits for vouchers, settles them, and waits for the chain to say so. */
export async function earn(client) {
  await until(client, ({ wallet }) => wallet.vouchersIn);
  await client.settle();
  await until(client, ({ wallet }) => wallet.settlements.some(({ level }) => level !== null));
}
