import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REPORT_FORMAT, toReport } from '../src/report.js';
import { EMPTY_SNAPSHOT } from '../src/snapshot.js';

test('a report is JSON with the whole snapshot, its amounts as decimal strings', () => {
  const amount = 2n ** 100n;
  const wallet = { ...EMPTY_SNAPSHOT.wallet, vouchersIn: amount };
  const report = JSON.parse(toReport({ ...EMPTY_SNAPSHOT, wallet }, new Date(0)));
  assert.deepEqual([report.format, report.at], [REPORT_FORMAT, '1970-01-01T00:00:00.000Z']);
  assert.equal(report.wallet.vouchersIn, amount.toString());
  assert.deepEqual(Object.keys(EMPTY_SNAPSHOT).filter((name) => !(name in report)), []);
});
