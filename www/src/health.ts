/** Tells what is wrong now from what was met earlier: the client counts, the page remembers when a count moved. */

import type { Snapshot } from 'antiphon';
import type { Health } from './show.js';

/** How long a passing trouble counts as present. */
const PRESENT_MS = 15_000;
/** Codes that the client reports exactly as long as they hold. */
const STANDING = new Set(['node/unreachable', 'tracker/unreachable']);

/** Remembers troubles of one page. */
export class Memory {
  readonly #seen = new Map<string, { count: number; until: number }>();

  /** Notes a trouble that no snapshot carries; it stands for a while, or for good. */
  note(code: string, isForGood = false): void {
    if (STANDING.has(code)) return;
    this.#seen.set(code, { count: 0, until: isForGood ? Infinity : performance.now() + PRESENT_MS });
  }

  /** Returns what to show for this snapshot. */
  weigh(snapshot: Snapshot): Health {
    const time = performance.now();
    const now: string[] = [];
    for (const { code, count } of snapshot.problems) {
      if (STANDING.has(code)) {
        now.push(code);
        continue;
      }
      if (this.#seen.get(code)?.count !== count) this.#seen.set(code, { count, until: time + PRESENT_MS });
    }
    const earlier: string[] = [];
    for (const [code, { until }] of this.#seen) (until > time ? now : earlier).push(code);
    return { now, earlier };
  }
}
