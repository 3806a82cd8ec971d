import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HlsConfig } from 'hls.js';
import { leisurely } from '../src/leisure.js';

/** As hls.js has it: a second pace is not taken while there is one. */
class Loop {
  every: number | null = null;

  setInterval(ms: number): boolean {
    if (this.every !== null) return false;
    this.every = ms;
    return true;
  }

  clearInterval(): boolean {
    const had = this.every !== null;
    this.every = null;
    return had;
  }
}

test('hls.js looks at leisure while there is sound, in haste before and where it stops, and not at all where it was stopped', () => {
  const media = new EventTarget();
  const life = new AbortController();
  const { streamController, gapController } = leisurely({ streamController: Loop, gapController: Loop } as unknown as HlsConfig, media as HTMLMediaElement, life.signal);
  const loops = [streamController, gapController].map((Made) => new (Made as unknown as typeof Loop)());
  const paces = (): (number | null)[] => loops.map(({ every }) => every);
  const say = (name: string): void => void media.dispatchEvent(new Event(name));
  loops.forEach((loop) => loop.setInterval(100));
  assert.deepEqual(paces(), [100, 100]);
  say('playing');
  assert.deepEqual(paces(), [500, 500]);
  say('waiting');
  assert.deepEqual(paces(), [100, 100]);
  say('playing');
  say('seeking');
  assert.deepEqual(paces(), [100, 100]);
  // Loading that is stopped stays stopped, whatever is heard of what was buffered, and begins again in haste.
  loops[0]?.clearInterval();
  say('playing');
  assert.deepEqual(paces(), [null, 500]);
  loops[0]?.setInterval(100);
  assert.deepEqual(paces(), [100, 500]);
  life.abort();
  say('playing');
  assert.deepEqual(paces(), [100, 500]);
});

test('where a build of hls.js has no loop for gaps, none is given', () => {
  const given = leisurely({ streamController: Loop } as unknown as HlsConfig, new EventTarget() as HTMLMediaElement, new AbortController().signal);
  assert.deepEqual(Object.keys(given), ['streamController']);
});
