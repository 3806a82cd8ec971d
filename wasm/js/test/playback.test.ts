import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLead } from '../src/playback.js';

/** Spans of sound that are held. */
function held(...spans: [number, number][]): TimeRanges {
  return { length: spans.length, start: (i) => spans[i]?.[0] ?? NaN, end: (i) => spans[i]?.[1] ?? NaN };
}

test('live playback begins where enough sound is ready, a little behind the aim if it must', () => {
  assert.equal(withLead(20, held([10, 30])), 20);
  assert.equal(withLead(28.3, held([14.3, 28.7])), 28.7 - 2.5);
  assert.equal(withLead(30, held([14.3, 28.5])), 26);
  assert.equal(withLead(20, held([5, 8], [18.5, 19.5])), 18.5);
});

test('live playback does not begin far behind the aim for the sake of what is held', () => {
  assert.equal(withLead(31, held([14.3, 28.7])), 31);
  assert.equal(withLead(31, held([40, 50])), 31);
  assert.equal(withLead(31, held()), 31);
});
