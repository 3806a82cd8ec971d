/** Everything of a snapshot as JSON: for a file, a log, a question to those who run the stream. */

import type { Snapshot } from './snapshot.js';

/** Names the shape: it grows by new names; what a name means stays, or the number rises. */
export const REPORT_FORMAT = 'antiphon-report/1';

/**
 * Returns a snapshot as JSON, with its format and the date (ISO 8601) before it. Amounts, which are `bigint`, become decimal strings
 * of smallest units. It holds no secret, but it names addresses and peers: whoever passes it on shows with whom it listened.
 */
export function toReport(snapshot: Snapshot, at = new Date()): string {
  const amounts = (_name: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);
  return JSON.stringify({ format: REPORT_FORMAT, at: at.toISOString(), ...snapshot }, amounts, 1);
}
