import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODES, explain } from '../src/codes.js';
import { AntiphonError, helpFor } from '../src/error.js';

test('every code is explained, and an error agrees on what to do and whether to try again', () => {
  assert.ok(CODES.length > 400);
  for (const code of CODES) {
    const { what, help, retryable } = explain(code) ?? { what: '', help: '', retryable: false };
    const error = new AntiphonError(code);
    const unlike = { code, what: !what.endsWith('.'), help: error.help !== help && !error.help.includes(`'${code}'`), again: error.retryable && !retryable };
    assert.deepEqual(unlike, { code, what: false, help: false, again: false });
  }
  assert.equal(new AntiphonError('member/not-proven').retryable, true);
  assert.equal(new AntiphonError('payer/own-pool').retryable, false);
});

test('a code that nobody knows leads to where all are', () => {
  assert.equal(explain('no/such'), undefined);
  assert.equal(explain('toString'), undefined);
  assert.ok(helpFor('no/such').includes('`antiphon explain no/such`'));
});
