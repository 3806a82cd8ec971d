import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AntiphonError, connect } from '../src/facade.js';

test('importing on a server touches nothing of a browser, and wrong options are typed errors', async () => {
  const hasCode = (error: unknown): boolean => error instanceof AntiphonError && error.code === 'options/invalid';
  await assert.rejects(connect({ node: 'not a url', chain: '00'.repeat(32) }), hasCode);
  await assert.rejects(connect({ node: 'https://n', chain: 'short' }), hasCode);
});

test('the element can be imported on a server', async () => {
  Object.assign(globalThis, { self: globalThis });
  const { AntiphonPlayer } = await import('../src/element.js');
  assert.equal(typeof AntiphonPlayer, 'function');
});
