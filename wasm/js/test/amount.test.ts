import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAmount, parseAmount, readAmount } from '../src/amount.js';
import { AntiphonError } from '../src/error.js';

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

test('what is wrong with a text is said in the code that every language gives', () => {
  assert.equal(readAmount('3402823669209384634633746074317.68211455'), 2n ** 128n - 1n);
  for (const [text, code] of [
    ['', 'amount/not-decimal'], ['1,5', 'amount/not-decimal'], ['5.', 'amount/not-decimal'], ['-1', 'amount/not-decimal'],
    ['0.123456789', 'amount/too-precise'], ['3402823669209384634633746074317.68211456', 'amount/out-of-range'], ['9'.repeat(80), 'amount/out-of-range'],
  ] as const) {
    assert.throws(() => readAmount(text), (error) => error instanceof AntiphonError && error.code === code);
  }
});
