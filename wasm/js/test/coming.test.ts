import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Coming } from '../src/coming.js';
import { AntiphonError } from '../src/error.js';
import type { SegmentSource } from '../src/hls.js';

const PATIENT = new AbortController().signal;

test('a client hears of a playlist before the first segment of it is asked for, whenever it comes', async () => {
  const { client, log } = fake();
  let come: (client: SegmentSource) => void = () => {};
  const coming = new Coming(new Promise((resolve) => (come = resolve)), (text) => log.push(`seen ${text}`));
  void coming.playlist('u', 'early', { signal: PATIENT });
  const first = coming.segment(1, { bufferedMs: 0, signal: PATIENT });
  assert.equal(coming.isComing, true);
  come(client);
  await first;
  assert.equal(coming.isComing, false);
  await coming.playlist('u', 'late', { signal: PATIENT });
  await coming.segment(2, { bufferedMs: 0, signal: PATIENT });
  assert.deepEqual(log, ['seen early', 'playlist early', 'segment 1', 'seen late', 'playlist late', 'segment 2']);
});

test('who is out of patience does not wait for a client that does not come', async () => {
  const coming = new Coming(new Promise(() => {}), () => {});
  assert.equal(coming.isUp, true);
  const abort = new AbortController();
  const asked = coming.check(null, new ArrayBuffer(1), { signal: abort.signal });
  abort.abort();
  await assert.rejects(asked, (error) => error instanceof AntiphonError && error.code === 'client/aborted');
  coming.countUnverified(7);
  assert.equal(coming.unverified, 7);
});

test('without a client nothing waits, and what nobody verified is counted here', async () => {
  const coming = new Coming(Promise.resolve(null), () => {});
  const asked = coming.segment(1, { bufferedMs: 0, signal: PATIENT });
  await assert.rejects(asked, (error) => error instanceof AntiphonError && error.code === 'client/closed');
  assert.equal(coming.isUp, false);
  coming.countUnverified(7);
  assert.equal(coming.unverified, 7);
});

test('a client that has come counts for itself', async () => {
  const { client, log } = fake();
  const coming = new Coming(Promise.resolve(client), () => {});
  await coming.segment(1, { bufferedMs: 0, signal: PATIENT });
  coming.countUnverified(7);
  assert.equal(coming.unverified, 0);
  assert.deepEqual(log, ['segment 1', 'unverified 7']);
});

function fake(): { client: SegmentSource; log: string[] } {
  const log: string[] = [];
  const client: SegmentSource = {
    isUp: true,
    segment: (sequence) => (log.push(`segment ${sequence}`), Promise.resolve(new ArrayBuffer(1))),
    check: (_sequence, bytes) => Promise.resolve(bytes),
    playlist: (_url, text) => Promise.resolve(void log.push(`playlist ${text}`)),
    countUnverified: (bytes) => void log.push(`unverified ${bytes}`),
  };
  return { client, log };
}
