import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Heard } from '../src/heard.js';

/** An audio element and a clock that a test moves. */
class Ear extends EventTarget {
  paused = false;
  seeking = false;
  ms = 0;
  readonly life = new AbortController();
  readonly heard = new Heard(this as unknown as HTMLMediaElement, this.life.signal, () => this.ms);

  at(ms: number, event: string): void {
    this.ms = ms;
    this.dispatchEvent(new Event(event));
  }
}

test('start-up is from the first wish to the first sound, and what happens before is no stall', () => {
  const ear = new Ear();
  ear.at(5, 'waiting');
  assert.deepEqual(ear.heard.counts, { startupMs: null, stalls: 0, stalledMs: 0 });
  ear.ms = 100;
  ear.heard.wish();
  ear.ms = 200;
  ear.heard.wish();
  ear.at(450, 'playing');
  ear.at(900, 'playing');
  assert.deepEqual(ear.heard.counts, { startupMs: 350, stalls: 0, stalledMs: 0 });
});

test('a stall lasts until there is sound, or until it is silent by wish', () => {
  const ear = new Ear();
  ear.heard.wish();
  ear.at(100, 'playing');
  ear.at(1000, 'waiting');
  ear.at(1200, 'waiting');
  ear.ms = 1500;
  assert.deepEqual(ear.heard.counts, { startupMs: 100, stalls: 1, stalledMs: 500 });
  ear.at(1600, 'playing');
  ear.at(2000, 'waiting');
  ear.at(2300, 'pause');
  ear.ms = 9000;
  assert.deepEqual(ear.heard.counts, { startupMs: 100, stalls: 2, stalledMs: 900 });
});

test('a pause and a jump are no stalls, and after the end nothing is counted', () => {
  const ear = new Ear();
  ear.heard.wish();
  ear.at(100, 'playing');
  ear.paused = true;
  ear.at(200, 'waiting');
  ear.paused = false;
  ear.seeking = true;
  ear.at(300, 'waiting');
  ear.seeking = false;
  ear.life.abort();
  ear.at(400, 'waiting');
  assert.deepEqual(ear.heard.counts, { startupMs: 100, stalls: 0, stalledMs: 0 });
});

test('the end is silence by wish, and a stream that is opened once more begins anew', () => {
  const ear = new Ear();
  ear.heard.wish();
  ear.at(100, 'playing');
  ear.at(1000, 'waiting');
  ear.at(1300, 'ended');
  ear.at(5000, 'emptied');
  ear.at(5000, 'waiting');
  ear.at(5400, 'playing');
  assert.deepEqual(ear.heard.counts, { startupMs: 100, stalls: 1, stalledMs: 300 });
  ear.at(6000, 'waiting');
  ear.at(6200, 'playing');
  assert.deepEqual(ear.heard.counts, { startupMs: 100, stalls: 2, stalledMs: 500 });
});
