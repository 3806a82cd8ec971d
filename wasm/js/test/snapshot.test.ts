import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addUnverified, EMPTY_SNAPSHOT } from '../src/snapshot.js';

test('unverified bytes are bytes from the origin, and are told apart', () => {
  const once = addUnverified({ ...EMPTY_SNAPSHOT, delivery: { ...EMPTY_SNAPSHOT.delivery, fromOrigin: 5 } }, 7);
  assert.equal(once.delivery.fromOrigin, 12);
  assert.equal(once.delivery.unverified, 7);
  const twice = addUnverified(once, 1);
  assert.equal(twice.delivery.fromOrigin, 13);
  assert.equal(twice.delivery.unverified, 8);
  assert.equal(addUnverified(EMPTY_SNAPSHOT, 0).delivery.unverified, 0);
});
