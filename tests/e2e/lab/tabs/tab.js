// A tab that listens without a player: it asks for every segment of the stream, as soon as it is listed.

import { connect } from '/antiphon/antiphon.js';

const { node, chain, publisher, tracker, stream } = await (await fetch('/config.json')).json();
const seen = { got: 0, missed: [], events: [] };
globalThis.seen = seen;
const antiphon = await connect({ node, chain, publisher, tracker, shared: 'five' });
globalThis.antiphon = antiphon;
for (const type of ['restarted', 'fatal', 'trouble']) antiphon.on(type, (event) => seen.events.push(`${type} ${event.code ?? event.error.code}`));

/** Longer than any machine takes to hand over: what is missed then is missed. */
const PATIENCE_MS = 30_000;
/** The next segment that is wanted. */
let next = 0;
for (;;) {
  const response = await fetch(stream).catch(() => null);
  const text = (await response?.text()) ?? '';
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
  const count = (text.match(/#EXTINF/g) ?? []).length;
  await antiphon.playlist(stream, text, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(({ code }) => seen.missed.push(`playlist ${code}`));
  if (next < first) next = first + Math.max(0, count - 2);
  for (; next < first + count; next += 1) {
    antiphon.segment(next, { bufferedMs: 4_000, signal: AbortSignal.timeout(PATIENCE_MS) }).then(() => (seen.got += 1), ({ code }) => seen.missed.push(`segment ${code}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
