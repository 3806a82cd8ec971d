import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesOf } from '../src/quality.js';

test('renditions are called by their rate, and by their codec where that tells them apart', () => {
  const aac = { bitrate: 64_000, codec: 'mp4a.40.2' };
  assert.deepEqual(namesOf([aac, { ...aac, bitrate: 127_900 }]), ['64 kbit/s', '128 kbit/s']);
  assert.deepEqual(namesOf([aac, { bitrate: 900_000, codec: 'flac' }]), ['64 kbit/s mp4a.40.2', '900 kbit/s flac']);
  assert.deepEqual(namesOf([{ bitrate: 0, codec: null }, aac]), ['unknown', '64 kbit/s mp4a.40.2']);
});
