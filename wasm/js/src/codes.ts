/**
 * What every code means: `antiphon/codes`, a module of its own, for only who shows or logs errors needs all of it.
 *
 * ```ts
 * const { explain } = await import('antiphon/codes');
 * explain('member/not-proven')?.help;
 * ```
 */

import table from './codes.json' with { type: 'json' };

/** What is known of a code. */
export interface Explanation {
  /** What happened, in a sentence or two. */
  readonly what: string;
  /** What to do about it, in one sentence. */
  readonly help: string;
  /** Whether the same call may succeed later, without a change by the caller. */
  readonly retryable: boolean;
}

const TABLE: Readonly<Record<string, readonly (string | number)[]>> = table;

/** Every code that this version knows. */
export const CODES: readonly string[] = Object.keys(TABLE);

/** Returns what a code means, or nothing for one of another version. */
export function explain(code: string): Explanation | undefined {
  const row = Object.hasOwn(TABLE, code) ? TABLE[code] : undefined;
  return row && { what: String(row[0]), help: String(row[1]), retryable: row[2] === 1 };
}
