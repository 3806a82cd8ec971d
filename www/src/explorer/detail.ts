/** One thing of the chain, as a page of folios: what it is at the left, why it is believed at the right. */

import {
  formatAmount, type AccountFound, type BlockFound, type CheckpointFound, type Header, type Message, type Part, type PoolFound, type Transaction,
} from 'antiphon';
import { age } from '../format.js';
import { facts, h, hash } from './node.js';
import { believe, climb, levelMark } from './proof.js';
import { ring, type Chain } from './ring.js';

const number = (value: number): string => value.toLocaleString('en');

/** A block. */
export function block({ proven, header, signed, transactions }: BlockFound, chain: Chain): Node[] {
  const isCheckpoint = header.height % chain.interval === 0;
  return [
    heading(`Block ${number(header.height)}`, proven.level, h('nav', { class: 'steps', 'aria-label': 'Blocks' },
      step(header.height - 1, 'before'), step(header.height + 1, 'after'),
      isCheckpoint ? h('a', { href: `#/checkpoint/${header.height}` }, 'its guardians') : null)),
    columns(
      [h('section', { class: 'folio' },
        h('h3', {}, 'Who signed'),
        signed === null
          ? h('p', { class: 'lead' }, 'The block above this one is not here yet, or carries no certificate for it.')
          : h('p', { class: 'lead' }, 'The certificate that the block above carries for this one, checked signature by signature.'),
        signed === null ? null : ring(signed, 'Validators', chain)),
      headerFolio(header)],
      [h('section', { class: 'folio' }, h('h3', {}, 'Transactions'), transactionList(transactions)),
      believe(proven, 'The header’s hash is the block’s name, and hangs on a head that this page believes.')]),
  ];
}

/** A checkpoint. */
export function checkpoint({ proven, header, guardians, hasCertificate }: CheckpointFound, chain: Chain): Node[] {
  return [
    heading(`Checkpoint ${number(header.height)}`, proven.level, h('nav', { class: 'steps', 'aria-label': 'Checkpoints' },
      step(header.height - chain.interval, 'before', 'checkpoint'), step(header.height + chain.interval, 'after', 'checkpoint'),
      h('a', { href: `#/block/${header.height}` }, 'its block'))),
    columns(
      [h('section', { class: 'folio' },
        h('h3', {}, 'Who finalised it'),
        h('p', { class: 'lead' }, hasCertificate
          ? 'One aggregate signature of all who signed, checked here against the sum of their keys.'
          : 'This checkpoint has no certificate of its own: one above it finalised both.'),
        ring(guardians, 'Guardians', chain)),
      headerFolio(header)],
      [believe(proven, 'The certificate is of this header, under the set that the chain had committed for it.')]),
  ];
}

/** An account. */
export function account(found: AccountFound, own: string | null): Node[] {
  const { proven, address, exists, bonds, staker } = found;
  const isOwn = address === own;
  return [
    heading(isOwn ? 'Your account' : 'Account', proven.level, h('code', { class: 'whole' }, address)),
    columns(
      [h('section', { class: 'folio' },
        h('h3', {}, 'Holds'),
        h('p', { class: 'lead' }, exists ? 'Both balances are one value of the state tree.' : 'The tree holds no such account, which is proven, too: it owns nothing yet.'),
        h('p', { class: 'sum' }, h('strong', { 'data-testid': 'found-balance', 'data-units': String(found.operational) }, formatAmount(found.operational)), ' ', h('span', { class: 'unit' }, 'Tansen')),
        h('p', { class: 'sum small' }, h('strong', { 'data-testid': 'found-staking', 'data-units': String(found.staking) }, formatAmount(found.staking)), ' ', h('span', { class: 'unit' }, 'staking tokens')),
        facts(['transactions sent', number(found.sequence)], ['stakes', staker === null ? 'no' : `as ${staker.validator === null ? 'guardian' : 'validator and guardian'}, ${formatAmount(staker.total)} bonded`])),
      climb(found.path, exists ? 'the account' : 'the empty place')],
      [believe(proven, 'A path of the state tree leads from the value to the root in this block’s header.'),
      h('section', { class: 'folio' },
        h('h3', {}, 'Bonds'),
        bonds.length === 0
          ? h('p', { class: 'lead' }, found.hasAllBonds ? 'None with any staker of the roster, which is proven.' : 'None with the first stakers of the roster; the others were not asked for.')
          : h('ol', { class: 'bonds' }, ...bonds.map((bond) => h('li', {},
            h('b', {}, formatAmount(bond.amount)), h('span', {}, 'with ', link('account', bond.staker)),
            ...bond.leaving.map((part) => h('em', {}, `${formatAmount(part.amount)} leaving until block ${number(part.until)}`)),
            bond.due > 0n ? h('em', {}, `${formatAmount(bond.due)} Tansen of reward wait`) : null))))]),
  ];
}

/** A pool. */
export function pool({ proven, pool: id, state, path }: PoolFound): Node[] {
  return [
    heading('Pool', proven.level, h('code', { class: 'whole' }, id)),
    columns(
      [h('section', { class: 'folio' },
        h('h3', {}, 'Holds'),
        state === null ? h('p', { class: 'lead' }, 'There is no such pool, which is proven.') : h('p', { class: 'lead' }, state.isOpen
          ? `Open. Payees may settle up to block ${number(state.end)}.` : state.isInsolvent
            ? 'Insolvent: more was promised than it held. The collateral is burned; payees share what is left.' : 'Closed: what was left went back to its creator.'),
        state === null ? null : h('p', { class: 'sum' }, h('strong', { 'data-testid': 'found-left' }, formatAmount(state.deposit - state.paid)), ' ', h('span', { class: 'unit' }, `of ${formatAmount(state.deposit)} left`)),
        state === null ? null : facts(
          ['paid out', formatAmount(state.paid), 'found-paid'], ['collateral', formatAmount(state.collateral)],
          ['creator', link('account', state.creator)], ['pays for stream', hash(state.resource)])),
      climb(path, state === null ? 'the empty place' : 'the pool')],
      [believe(proven, 'A path of the state tree leads from the pool to the root in this block’s header.')]),
  ];
}

/** Two stacks of folios side by side; one above the other where there is no room. */
export function columns(left: readonly (Node | null)[], right: readonly (Node | null)[]): HTMLElement {
  return h('div', { class: 'folios two' }, h('div', { class: 'stack' }, ...left), h('div', { class: 'stack' }, ...right));
}

function headerFolio(header: Header): HTMLElement {
  return h('section', { class: 'folio' },
    h('h3', {}, 'Header'),
    h('p', { class: 'lead' }, 'What the block’s id commits to.'),
    facts(
      ['epoch', number(header.epoch)], ['proposer', `validator ${header.proposer}`],
      ['dated', `${new Date(header.time).toLocaleString()}, ${age(Date.now() - header.time)}`],
      ['parent', h('a', { href: `#/block/${Math.max(0, header.height - 1)}` }, hash(header.parent))],
      ['checkpoint below', hash(header.checkpointBelow)], ['state root', hash(header.stateRoot)],
      ['transaction root', hash(header.txRoot)], ['carries the certificate of', `block ${number(header.carries)}`], ['carries beside', hash(header.carried)],
      ['validators', hash(header.validators)], ['next validators', sameOr(header.validators, header.nextValidators)],
      ['guardians', hash(header.guardians)], ['next guardians', sameOr(header.guardians, header.nextGuardians)]));
}

function sameOr(now: string, next: string): Node {
  return now === next ? h('span', {}, 'the same') : hash(next);
}

function transactionList(transactions: readonly Transaction[] | null): HTMLElement {
  if (transactions === null) return h('p', { class: 'lead' }, 'Not served: the block is not settled yet, or this node keeps no old blocks.');
  if (transactions.length === 0) return h('p', { class: 'lead', 'data-testid': 'transactions', 'data-count': '0' }, 'None. The root of the header says so.');
  return h('ol', { class: 'transactions', 'data-testid': 'transactions', 'data-count': transactions.length }, ...transactions.map((tx) => h('li', { 'data-id': tx.id },
    ...tx.messages.map(sentence),
    h('small', {}, 'by ', link('account', tx.sender), ...tx.cosigners.flatMap((one) => [' and ', link('account', one)]), ', number ', String(tx.sequence), ', ', hash(tx.id)))));
}

function sentence(message: Message): HTMLElement {
  const line = (...words: (Node | string)[]): HTMLElement => h('p', {}, ...words);
  switch (message.kind) {
    case 'transfer': return line(h('b', {}, formatAmount(message.amount)), message.token === 'staking' ? ' staking tokens to ' : ' Tansen to ', link('account', message.to));
    case 'exchange': return line('takes ', ...side(message.from), ' and gives ', ...side(message.to), message.token === 'staking' ? ', in staking tokens' : ', in Tansen');
    case 'delay': return line('sends ', h('b', {}, formatAmount(message.amount)), message.token === 'staking' ? ' staking tokens to ' : ' Tansen to ', link('account', message.to), ` in ${number(message.blocks)} blocks, unless it is cancelled`);
    case 'cancel': return line('cancels the delayed transfer ', hash(message.delay));
    case 'createPool': return line('opens a pool of ', h('b', {}, formatAmount(message.amount)), ', ', link('pool', message.pool));
    case 'settle': return line('settles ', h('b', {}, formatAmount(message.amount)), ' from pool ', link('pool', message.pool));
    case 'report': return line('shows that more was promised than is in pool ', link('pool', message.pool));
    case 'collect': return line('collects a share of pool ', link('pool', message.pool), ' for ', link('account', message.to));
    case 'release': return line('releases pool ', link('pool', message.pool));
    case 'openField': return line('opens payment field ', named(message.field));
    case 'closeField': return line('closes payment field ', named(message.field), ' with a state that all members signed');
    case 'soloCloseField': return line('closes payment field ', named(message.field), ' alone, until others know better');
    case 'postState': return line('shows a state of payment field ', named(message.field), ' that all members signed');
    case 'challengeRound': return line('asks for a state of payment field ', named(message.field));
    case 'enforceField': return line('does what is due in payment field ', named(message.field));
    case 'amendField': return line('goes on with other members in payment field ', named(message.field));
    case 'register': return line('registers as a staker with ', h('b', {}, formatAmount(message.amount)));
    case 'bond': return line('bonds ', h('b', {}, formatAmount(message.amount)), ' with ', link('account', message.staker));
    case 'unbond': return line('lets ', h('b', {}, formatAmount(message.amount)), ' leave ', link('account', message.staker));
    case 'withdraw': return line('takes what has left ', link('account', message.staker));
    case 'rejoin': return line('is back, and asks to be elected again');
    case 'accuse': return line('accuses ', link('account', message.staker), ' of an offence');
  }
}

/** A field by its id, where it has one. */
function named(field: string | null): Node | string {
  return field === null ? 'without members' : hash(field);
}

/** One side of an exchange: who, and how much. */
function side(parts: readonly Part[]): (Node | string)[] {
  return parts.flatMap(({ address, amount }, at) => [...(at === 0 ? [] : [', ']), h('b', {}, formatAmount(amount)), ' ', link('account', address)]);
}

/** A link to an account or a pool. */
export function link(kind: 'account' | 'pool', name: string): HTMLElement {
  return h('a', { href: `#/${kind}/${name}` }, hash(name, 7, 4));
}

function step(height: number, word: string, kind: 'block' | 'checkpoint' = 'block'): HTMLElement | null {
  return height < 1 ? null : h('a', { href: `#/${kind}/${height}` }, word === 'before' ? `← ${number(height)}` : `${number(height)} →`);
}

function heading(title: string, level: AccountFound['proven']['level'], beside: Node): HTMLElement {
  return h('header', { class: 'heading' }, h('h2', { tabindex: '-1', 'data-testid': 'found' }, title), levelMark(level), beside);
}
