/**
 * The chain as a staff: a note for each block, its line by who proposed it, a bar line before each checkpoint.
 *
 * ```text
 * ──────◆─────║◆──────────────────   filled: final       the newest at the right
 * ────◆───────║───◆─────◇─────────   half:   settled
 * ──────────◆─║──────◆──────◇─────   hollow: included
 * ```
 */

import type { HeaderFound, Level } from 'antiphon';
import { s } from './node.js';

const LINES = 4;
const GAP = 15;
const TOP = 22;
const NOTE = 8;
const BEAT = 34;
const HEIGHT = TOP + GAP * (LINES - 1) + 46;

/** Draws the newest blocks that fit into `width`; the highest first in `blocks`. */
export function staff(blocks: readonly HeaderFound[], width: number, interval: number, chosen: number): SVGSVGElement {
  const count = Math.max(4, Math.floor((width - 24) / BEAT));
  const shown = blocks.slice(0, count);
  const drawing = s('svg', {
    class: 'staff', viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'group', 'aria-label': 'The newest blocks, oldest first',
  });
  for (let line = 0; line < LINES; line += 1) {
    drawing.append(s('path', { class: 'line', d: `M0 ${TOP + line * GAP}H${width}` }));
  }
  const place = (at: number): number => width - 22 - at * BEAT;
  for (const [at, { proven, header }] of [...shown.entries()].reverse()) {
    const x = place(at);
    const y = TOP + (header.proposer % LINES) * GAP;
    const isCheckpoint = header.height % interval === 0;
    if (isCheckpoint) {
      const bottom = TOP + (LINES - 1) * GAP;
      drawing.append(s('path', { class: 'bar', d: `M${x - 15} ${TOP}V${bottom}M${x - 12} ${TOP}V${bottom}` }));
    }
    const label = `Block ${header.height}, ${proven.level}${isCheckpoint ? ', a checkpoint' : ''}`;
    drawing.append(s('a', {
      href: isCheckpoint ? `#/checkpoint/${header.height}` : `#/block/${header.height}`, class: 'note',
      'data-level': proven.level, 'data-height': header.height, 'aria-current': header.height === chosen ? 'true' : null,
    },
    // It is the link's name, too.
    s('title', {}, label),
    s('rect', { class: 'touch', x: x - BEAT / 2, y: 0, width: BEAT, height: HEIGHT }),
    ...neume(x, y, NOTE, proven.level),
    s('text', { x, y: HEIGHT - 12, class: isCheckpoint || at === 0 ? 'strong' : 'weak' }, label5(header.height, isCheckpoint || at === 0))));
  }
  return drawing;
}

/** Every height would be a row of digits: whole at checkpoints and at the newest, its last digit elsewhere. */
function label5(height: number, isWhole: boolean): string {
  return isWhole ? height.toLocaleString('en') : `·${height % 10}`;
}

/** A square note standing on its corner, filled as far as it is believed. */
export function neume(x: number, y: number, size: number, level: Level): SVGElement[] {
  const outline = `M${x} ${y - size}l${size} ${size}-${size} ${size}-${size}-${size}z`;
  const half = `M${x - size} ${y}l${size} ${size} ${size}-${size}z`;
  return [
    s('path', { class: 'head', d: outline }),
    ...(level === 'included' ? [] : [s('path', { class: 'ink', d: level === 'final' ? outline : half })]),
  ];
}
