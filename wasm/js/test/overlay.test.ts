import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawing, figures } from '../src/overlay.js';
import { EMPTY_SNAPSHOT } from '../src/snapshot.js';

test('what comes from listeners is drawn below what comes from the origin, the newest on the right, the highest full', () => {
  const [peers, origin] = drawing([[0, 0], [100, 100], [50, 0]]);
  assert.equal(peers, 'M118 48.0v-24.0h.8v24.0zM119 48.0v-12.0h.8v12.0z');
  assert.equal(origin, 'M118 24.0v-24.0h.8v24.0z');
});

test('nothing is drawn of nothing', () => {
  assert.deepEqual(drawing([[0, 0]]), ['', '']);
});

test('the figures say where the sound came from, how it was heard, and what is at risk', () => {
  const payer = { pool: 'p', exposure: 150_000_000n, maxExposure: 0n, cost: null, cover: null, isInsolvent: false };
  const texts = new Map(figures({
    ...EMPTY_SNAPSHOT,
    delivery: { ...EMPTY_SNAPSHOT.delivery, fromPeers: 3_000_000, fromOrigin: 1_000_000, unverified: 12, hedged: 4 },
    wallet: { ...EMPTY_SNAPSHOT.wallet, payers: [payer, payer] },
    playback: { startupMs: 351, stalls: 2, stalledMs: 640, delayS: 6.44, bufferedS: 5, leftS: 5.02 },
    peers: [{ peer: '07'.repeat(32), received: 5, sent: 0, paid: 0n, earned: 0n, latencyMs: 12 }],
    bans: [{ peer: '08'.repeat(32), code: 'peer/bad-chunk', times: 1, leftMs: 540_001 }],
    problems: [{ code: 'tracker/unreachable', count: 3 }],
  }));
  assert.equal(texts.get('From listeners'), '75.0 %, 3.00 MB');
  assert.equal(texts.get('From the origin'), '1.00 MB, 12 B unverified');
  assert.equal(texts.get('Start and stalls'), '351 ms, 2 stalls, 640 ms');
  assert.equal(texts.get('Behind the broadcast'), '6.4 s, 5.0 s ready, ends in 5.0 s');
  assert.ok(texts.get('Vouchers')?.endsWith(' 3 at risk'));
  assert.equal(texts.get('07070707'), '5 B in, 0 B out, a chunk in 12 ms');
  assert.equal(texts.get('08080808'), 'banned for 10 minutes more: peer/bad-chunk');
  assert.equal(texts.get('tracker/unreachable'), '3 times');
});

test('a client that plays nothing has no figures of what is heard', () => {
  const names = figures(EMPTY_SNAPSHOT).map(([name]) => name);
  assert.ok(!names.includes('Start and stalls') && names.includes('Vouchers'));
});
