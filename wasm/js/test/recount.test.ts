import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recount, type Look } from '../src/recount.js';

const OLD: Look = { level: 0, newest: 7, targetMs: 2_000, isSilent: true };

/** Of whom segments up to 40 were loaded, in one rendition. */
function listener(): Recount {
  const recount = new Recount();
  for (const number of [38, 40, 39]) recount.loaded(0, number);
  return recount;
}

test('a publisher that counts anew is believed once less than was loaded is listed for longer than a target duration', () => {
  const recount = listener();
  assert.deepEqual([0, 1_000, 2_000, 2_001].map((now) => recount.isSure(OLD, now)), [false, false, false, true]);
});

test('one look at which there is sound, or the newest number, begins the wait anew', () => {
  for (const better of [{ isSilent: false }, { newest: 40 }]) {
    const recount = listener();
    for (const now of [0, 1_000, 2_000]) assert.equal(recount.isSure(OLD, now), false);
    assert.equal(recount.isSure({ ...OLD, ...better }, 3_000), false);
    for (const now of [4_000, 5_000, 6_000]) assert.equal(recount.isSure(OLD, now), false);
    assert.equal(recount.isSure(OLD, 7_000), true);
  }
});

test('numbers of one rendition say nothing of another, and are remembered', () => {
  const recount = listener();
  for (const now of [0, 5_000, 10_000]) assert.equal(recount.isSure({ ...OLD, level: 1 }, now), false);
  recount.loaded(1, 8);
  assert.deepEqual([20_000, 25_000].map((now) => recount.isSure({ ...OLD, level: 1 }, now)), [false, true]);
  assert.deepEqual([30_000, 35_000].map((now) => recount.isSure({ ...OLD, newest: 40 }, now)), [false, false]);
  assert.deepEqual([40_000, 45_000].map((now) => recount.isSure(OLD, now)), [false, true]);
});

test('a stream that is loaded anew has no number yet', () => {
  const recount = listener();
  recount.isSure(OLD, 0);
  recount.forget();
  assert.equal(recount.isSure(OLD, 5_000), false);
});
