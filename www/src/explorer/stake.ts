/** Everybody who stakes, and the own bonds with what may be done about them. */

import { formatAmount, parseAmount, type AccountFound, type Antiphon, type Bond, type Snapshot, type StakersFound } from 'antiphon';
import { reason, words } from '../words.js';
import { columns, link } from './detail.js';
import { facts, h } from './node.js';
import { believe, levelMark } from './proof.js';

const number = (value: number): string => value.toLocaleString('en');

/** The roster, and beside it the purse's own bonds. */
export function stakers(found: StakersFound, mine: AccountFound | null, client: Antiphon, snapshot: Snapshot): Node[] {
  const most = found.stakers.reduce((max, staker) => (staker.total > max ? staker.total : max), 1n);
  const rows = [...found.stakers].sort((a, b) => (a.total < b.total ? 1 : -1));
  return [
    h('header', { class: 'heading' }, h('h2', { tabindex: '-1', 'data-testid': 'found' }, 'Stakers'), levelMark(found.proven.level)),
    columns(
      [h('section', { class: 'folio' },
        h('h3', {}, 'Roster'),
        h('p', { class: 'lead' }, found.hasAll ? 'Every checkpoint elects from these: the heaviest settle, all with enough finalise.' : 'The first of them; a page proves no more at once.'),
        h('ol', { class: 'roster', 'data-testid': 'stakers', 'data-count': found.stakers.length }, ...rows.map((staker) => {
          const bar = h('i', {});
          bar.style.setProperty('--part', String(Number((staker.total * 1000n) / most) / 1000));
          return h('li', {}, bar, link('account', staker.address), h('b', {}, formatAmount(staker.total)),
            h('small', {}, staker.standing !== 'good' ? staker.standing : staker.validator === null ? 'guardian' : 'validator, guardian'));
        })))],
      [mine === null ? null : own(mine, rows.map((staker) => staker.address), client, snapshot),
      believe(found.proven, 'The roster and each row of it are proven under this block’s state root.')]),
  ];
}

function own(mine: AccountFound, addresses: readonly string[], client: Antiphon, snapshot: Snapshot): HTMLElement {
  const said = h('p', { class: 'said', role: 'status', 'data-testid': 'stake-said' }, '\u00a0');
  const amount = h('input', { id: 'bond-amount', inputmode: 'decimal', autocomplete: 'off', value: '1', size: 6, 'data-testid': 'bond-amount' });
  const whom = h('select', { id: 'bond-staker', 'data-testid': 'bond-staker' }, ...addresses.map((address) => h('option', { value: address }, `${address.slice(0, 8)}…${address.slice(-4)}`)));
  const act = (done: string, command: (units: bigint) => Promise<void>): void => {
    const units = parseAmount(amount.value.trim());
    if (units === null || units === 0n) return void (said.textContent = words('amount/not-decimal'));
    command(units).then(() => (said.textContent = done), (error: unknown) => {
      said.textContent = reason(error);
    });
  };
  const button = (text: string, testid: string, press: () => void): HTMLButtonElement => {
    const made = h('button', { type: 'button', 'data-testid': testid, class: testid === 'bond' ? null : 'quiet' }, text);
    made.addEventListener('click', press);
    return made;
  };
  const { spec, settled } = snapshot.chain;
  return h('section', { class: 'folio', 'data-testid': 'own-bonds', 'data-count': mine.bonds.length },
    h('h3', {}, 'Your bonds'),
    h('p', { class: 'lead' }, `What is bonded counts in elections and earns rewards. What leaves answers for offences for ${number(spec?.unbonding ?? 0)} blocks more.`),
    h('ol', { class: 'bonds' }, ...mine.bonds.map((bond) => ownBond(bond, settled, spec?.blockMs ?? 1000))),
    facts(['free to bond', h('span', { 'data-testid': 'free', 'data-units': String(mine.staking) }, formatAmount(mine.staking))], ['fee', spec === null ? '–' : `${formatAmount(spec.fee)} Tansen`]),
    h('div', { class: 'acts' },
      h('label', { class: 'deposit' }, h('span', {}, 'staker'), whom),
      h('label', { class: 'deposit' }, h('span', {}, 'amount'), amount),
      button('Bond', 'bond', () => act('On its way to the chain.', (units) => client.bond(whom.value, units))),
      button('Let leave', 'unbond', () => act('On its way to the chain.', (units) => client.unbond(whom.value, units))),
      button('Take what has left', 'withdraw', () => act('On its way to the chain.', () => client.withdraw(whom.value)))),
    said);
}

function ownBond(bond: Bond, settled: number, blockMs: number): HTMLElement {
  return h('li', { 'data-testid': 'own-bond', 'data-units': String(bond.amount), 'data-leaving': bond.leaving.length },
    h('b', {}, formatAmount(bond.amount)), h('span', {}, 'with ', link('account', bond.staker)),
    ...bond.leaving.map((part) => {
      const blocks = part.until - settled;
      const when = blocks <= 0 ? 'can be taken now' : `leaves at block ${number(part.until)}, in about ${wait(blocks * blockMs)}`;
      return h('em', {}, `${formatAmount(part.amount)} ${when}`);
    }),
    bond.due > 0n ? h('em', {}, `${formatAmount(bond.due)} Tansen of reward wait`) : null);
}

function wait(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 100) return `${seconds} s`;
  return seconds < 6_000 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
