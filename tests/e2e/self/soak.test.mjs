// What the long run calls wrong.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { minutesOf, wrongs } from '../bench/soak/verdict.mjs';

test('a run with a stall, a bad chunk or an error is wrong, and so is one that counted nothing', () => {
  assert.deepEqual(wrongs({ stalls: 0, bad: 0 }, [], []), []);
  assert.deepEqual(wrongs({ stalls: 2, bad: 0 }, [], []), ['sound stopped 2 times']);
  assert.deepEqual(wrongs({ stalls: 0, bad: 1 }, [], []), ['1 bad chunks']);
  assert.deepEqual(wrongs({ stalls: 0, bad: 0 }, ['boom'], []), ['uncaught: boom']);
  assert.equal(wrongs({ stalls: NaN, bad: NaN }, [], []).length, 2);
});

test('memory that goes on growing is wrong in a run that is long enough to show it', () => {
  const run = (/** @type {number} */ minutes, /** @type {(minute: number) => number} */ megabytes) => (
    wrongs({ stalls: 0, bad: 0 }, [], Array.from({ length: minutes }, (_, minute) => megabytes(minute))));
  const filling = (/** @type {number} */ minute) => Math.min(600, 480 + minute * 20);
  assert.deepEqual(run(60, (minute) => filling(minute) + (minute % 3) * 20), []);
  assert.deepEqual(run(60, (minute) => filling(minute) + minute * 3), ['the memory of pages grew by 14 %']);
  assert.deepEqual(run(10, (minute) => 400 + minute * 40), []);
  assert.equal(run(60, () => NaN).length, 1);
});

test('minutes are a whole number of them, and the program ends before it starts anything else', () => {
  for (const text of ['', '0', 'NaN', '1.5', '-3', '1e3', 'sixty', '1441', ' 5']) assert.throws(() => minutesOf(text), /--minutes/, text);
  assert.deepEqual(['1', '60', '1440'].map(minutesOf), [1, 60, 1440]);
  const soak = fileURLToPath(new URL('../bench/soak.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [soak, '--minutes', 'NaN'], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 1);
  assert.match(stderr, /--minutes is a whole number/);
});
