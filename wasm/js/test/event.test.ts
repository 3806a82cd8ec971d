import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Emitter } from '../src/event.js';

test('a reader gets every event in order until it aborts', async () => {
  const emitter = new Emitter();
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const event of emitter.read(stop.signal)) {
      if (event.type === 'trouble') seen.push(event.code);
      if (seen.length === 2) stop.abort();
    }
  })();
  emitter.emit({ type: 'trouble', code: 'a' });
  emitter.emit({ type: 'recovered', code: 'x' });
  emitter.emit({ type: 'trouble', code: 'b' });
  await reading;
  assert.deepEqual(seen, ['a', 'b']);
});

test('a slow reader is told how much it missed, and memory stays bounded', async () => {
  const emitter = new Emitter();
  const reader = emitter.read();
  const first = reader.next();
  for (let i = 0; i < 1000; i += 1) emitter.emit({ type: 'trouble', code: String(i) });
  assert.deepEqual((await first).value, { type: 'lagged', count: 1000 - 256 });
  assert.deepEqual((await reader.next()).value, { type: 'trouble', code: '744' });
  await reader.return();
});

test('a listener that left hears nothing', () => {
  const emitter = new Emitter();
  const stop = new AbortController();
  let heard = 0;
  emitter.on('trouble', () => (heard += 1), stop.signal);
  emitter.emit({ type: 'trouble', code: 'a' });
  stop.abort();
  emitter.emit({ type: 'trouble', code: 'b' });
  assert.equal(heard, 1);
});
