import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmount, parseAmount } from '../src/amount.js';

test('decimal text names the smallest unit, both ways', () => {
  for (const [text, units] of [['12.5', 1_250_000_000n], ['0', 0n], ['0.00000001', 1n], ['3', 300_000_000n]] as const) {
    assert.equal(parseAmount(text), units);
    assert.equal(formatAmount(units), text);
  }
});

test('wrong text is no amount', () => {
  for (const text of ['', '.5', '5.', '-1', '+1', '1e3', '1.2.3', ' 1', '0.000000001', '1,5']) {
    assert.equal(parseAmount(text), null);
  }
});
