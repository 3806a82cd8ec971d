/**
 * A committee as a ring: an arc for each member, as long as its weight, inked if it signed. A gate across the ring marks
 * the quorum: the inked arcs, laid end to end from the top, must pass it.
 */

import { formatAmount, type Committee } from 'antiphon';
import { h, hash, s } from './node.js';

const SIZE = 240;
const RADIUS = 84;
const WIDTH = 20;
const GAP = 0.012;

/** What of the chain a drawing needs to know. */
export interface Chain {
  /** Every so many blocks is a checkpoint. */
  readonly interval: number;
  /** Whether one can stake on it. */
  readonly stakes: boolean;
}

/** Draws a committee with its members listed beside it. */
export function ring(committee: Committee, what: 'Guardians' | 'Validators', { stakes }: Chain): HTMLElement {
  // Where one stakes, a weight is a count of smallest units of the staking token.
  const weight = (units: bigint): string => (stakes ? formatAmount(units) : units.toLocaleString('en'));
  const { members, total, quorum, since } = committee;
  const signed = members.reduce((sum, member) => (member.hasSigned ? sum + member.weight : sum), 0n);
  const isEnough = signed >= quorum;
  const drawing = s('svg', { class: 'ring', viewBox: `0 0 ${SIZE} ${SIZE}`, role: 'img', 'aria-label': `${what}: a weight of ${weight(signed)} of ${weight(total)} signed, ${weight(quorum)} is a quorum` });
  // Who signed stands together, so that the eye can hold the sum against the gate.
  const ordered = [...members].sort((a, b) => Number(b.hasSigned) - Number(a.hasSigned));
  let from = 0n;
  for (const member of ordered) {
    const until = from + member.weight;
    const gap = members.length > 1 ? GAP : 0;
    drawing.append(s('path', {
      class: 'arc', d: arc(share(from, total) + gap / 2, share(until, total) - gap / 2, RADIUS), 'stroke-width': WIDTH,
      'data-signed': member.hasSigned ? 'yes' : 'no',
    }, s('title', {}, `${member.key.slice(0, 12)}… weighs ${weight(member.weight)}${member.hasSigned ? ', signed' : ''}`)));
    from = until;
  }
  const gate = share(quorum, total);
  drawing.append(s('path', { class: 'gate', d: spoke(gate, RADIUS - WIDTH / 2 - 7, RADIUS + WIDTH / 2 + 7) }));
  const sign = point(gate, RADIUS + WIDTH / 2 + 15);
  drawing.append(s('text', { class: 'gate-name', x: sign.x, y: sign.y + 4 }, '⅔'));
  drawing.append(
    s('text', { class: 'sum', x: SIZE / 2, y: SIZE / 2 + 2 }, String(members.filter((member) => member.hasSigned).length)),
    s('text', { class: 'of', x: SIZE / 2, y: SIZE / 2 + 24 }, `of ${members.length} signed`),
  );
  return h('figure', { class: 'committee', 'data-testid': what.toLowerCase(), 'data-signed': String(signed), 'data-quorum': String(quorum), 'data-total': String(total) },
    drawing,
    h('figcaption', {},
      h('p', { class: isEnough ? 'verdict good' : 'verdict' }, isEnough
        ? `Signed by a weight of ${weight(signed)}; a quorum is ${weight(quorum)} of ${weight(total)}.`
        : `Signed by a weight of ${weight(signed)} of ${weight(total)}.`),
      h('p', { class: 'soft' }, since === 0 ? `${what}, in office since genesis.` : `${what}, elected at checkpoint ${since.toLocaleString('en')}.`),
      h('div', { class: 'members', tabindex: '0', role: 'region', 'aria-label': `Members: ${what}` }, h('ol', {}, ...members.map((member, place) => h('li', { 'data-signed': member.hasSigned ? 'yes' : 'no' },
        h('i', {}, String(place)), hash(member.key, 10, 4), h('span', {}, weight(member.weight)), h('b', {}, member.hasSigned ? 'signed' : 'silent')))))));
}

function share(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 1_000_000n) / whole) / 1_000_000;
}

function point(turn: number, radius: number): { x: number; y: number } {
  const angle = turn * 2 * Math.PI - Math.PI / 2;
  return { x: SIZE / 2 + radius * Math.cos(angle), y: SIZE / 2 + radius * Math.sin(angle) };
}

function arc(from: number, until: number, radius: number): string {
  const end = Math.min(until, from + 0.9999);
  const [a, b] = [point(from, radius), point(end, radius)];
  return `M${a.x.toFixed(2)} ${a.y.toFixed(2)}A${radius} ${radius} 0 ${end - from > 0.5 ? 1 : 0} 1 ${b.x.toFixed(2)} ${b.y.toFixed(2)}`;
}

function spoke(turn: number, inner: number, outer: number): string {
  const [a, b] = [point(turn, inner), point(turn, outer)];
  return `M${a.x.toFixed(2)} ${a.y.toFixed(2)}L${b.x.toFixed(2)} ${b.y.toFixed(2)}`;
}
