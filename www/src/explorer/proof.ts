/** Why something is believed: the way from what is trusted to it, and the path of a value through the state tree. */

import type { Path, Proven } from 'antiphon';
import { age } from '../format.js';
import { facts, h, hash, s } from './node.js';

const WITHOUT = 'SPARSE_MERKLE_PLACEHOLDER_HASH__';
/** An empty place of the tree has these bytes for a hash. */
const EMPTY = [...WITHOUT].map((char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('');

const LEVELS = {
  final: 'more than two thirds of the guardians have signed a checkpoint at or above it',
  settled: 'more than two thirds of the validators have signed it and its child, one on the other',
  included: 'a block holds it, and nobody has vouched for that block yet',
} as const;

/** The mark of a level, in words. */
export function levelMark(level: Proven['level']): HTMLElement {
  return h('span', { class: 'level', 'data-level': level }, level);
}

/** Says under which block something is shown, and draws the way to that block. */
export function believe(proven: Proven, what: string): HTMLElement {
  return h('section', { class: 'folio believe', 'data-testid': 'proven', 'data-level': proven.level, 'data-height': proven.height, 'data-root': proven.root },
    h('h3', {}, 'Why believe it'),
    h('p', { class: 'lead' }, `${what} It is ${proven.level}: ${LEVELS[proven.level]}.`),
    way(proven),
    facts(
      ['level', levelMark(proven.level)],
      ['height', proven.height.toLocaleString('en')],
      ['block', hash(proven.block)],
      ['state root', hash(proven.root), 'root'],
      ['dated', `${new Date(proven.time).toLocaleTimeString()}, ${age(Date.now() - proven.time)}`],
      ['second node', proven.isWitnessed ? 'has the same checkpoint' : 'none has been asked: unwitnessed'],
    ));
}

/** The steps of the way, as a chain of words that begins with the pinned id. */
function way({ head, certificate, links, parents, level, height }: Proven): HTMLElement {
  const by = { final: 'guardians’ certificate', settled: 'two certified blocks in a row', included: 'links from a settled block' }[level];
  const steps: [string, string][] = [['chain id', 'pinned by this page']];
  steps.push([`${level} head ${head.toLocaleString('en')}`, by]);
  if (certificate !== null) steps.push([`checkpoint ${certificate.toLocaleString('en')}`, 'signed by the same guardians']);
  if (links > 0) steps.push([`${links} checkpoint${links === 1 ? '' : 's'} down`, 'each names the one below by its hash']);
  if (parents > 0) steps.push([`${parents} block${parents === 1 ? '' : 's'} down`, 'each names its parent by its hash']);
  if (height !== head) steps.push([`block ${height.toLocaleString('en')}`, 'this one']);
  return h('ol', { class: 'way', 'data-testid': 'way' }, ...steps.map(([name, why]) => h('li', {}, h('b', {}, name), h('small', {}, why))));
}

const STEP = 30;
const LEFT = 26;

/** Draws the path of a value to the root: the spine climbs, siblings hang at the side where they were hashed in. */
export function climb(path: Path, value: string): HTMLElement {
  const { turns } = path;
  const height = STEP * (turns.length + 1) + 24;
  const drawing = s('svg', { class: 'climb', viewBox: `0 0 300 ${height}`, width: 300, height, role: 'img', 'aria-label': `${turns.length} hashes lead from the value to the state root` });
  const y = (at: number): number => height - 18 - at * STEP;
  let x = 150;
  const places = [x];
  for (const turn of turns) places.push(x += turn.isRight ? -LEFT / 2 : LEFT / 2);
  turns.forEach((turn, at) => {
    const [from, to] = [places[at] ?? x, places[at + 1] ?? x];
    const beside = to + (to - from);
    const isEmpty = turn.sibling === EMPTY;
    drawing.append(
      s('path', { class: 'spine', d: `M${from} ${y(at)}L${to} ${y(at + 1)}` }),
      s('path', { class: isEmpty ? 'twig empty' : 'twig', d: `M${beside} ${y(at)}L${to} ${y(at + 1)}` }),
      s('circle', { class: isEmpty ? 'sibling empty' : 'sibling', cx: beside, cy: y(at), r: isEmpty ? 3 : 4.5 }, s('title', {}, isEmpty ? 'nothing here' : turn.sibling)),
      s('text', { class: 'mark', x: beside + (beside > to ? 10 : -10), y: y(at) + 4, 'text-anchor': beside > to ? 'start' : 'end' }, isEmpty ? 'empty' : turn.sibling.slice(0, 6)),
    );
  });
  places.forEach((place, at) => {
    const isEnd = at === 0 || at === turns.length;
    drawing.append(s('path', { class: isEnd ? 'knot end' : 'knot', d: `M${place} ${y(at) - 5}l5 5-5 5-5-5z` }));
  });
  const root = turns[turns.length - 1]?.node ?? path.leaf;
  return h('section', { class: 'folio' },
    h('h3', {}, 'Its path'),
    h('p', { class: 'lead' }, `Hashed together with what stands beside it, ${turns.length} times, ${value} gives exactly the state root of the block.`),
    h('figure', { class: 'path' },
      h('p', { class: 'cap' }, 'root ', hash(root)), drawing, h('p', { class: 'cap' }, 'leaf ', hash(path.leaf))),
    facts(['key in the tree', hash(path.key)], ['hashes', String(turns.length)]));
}
