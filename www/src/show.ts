/** Writes a snapshot into the page. */

import { formatAmount, type PeerView, type SettlementView, type Snapshot, type WalletView } from 'antiphon';
import { brief, bytes, percent, short, title } from './format.js';
import { byId, byTest, fill, make, mark, say } from './page.js';
import { words } from './words.js';

/** Seconds of buffer that fill the gauge. */
const FULL_BUFFER_S = 30;

const LEVEL_WORDS = { included: 'included', settled: 'settled', final: 'final' } as const;

/** What is wrong now, and what was refused earlier. */
export interface Health {
  readonly now: readonly string[];
  readonly earlier: readonly string[];
}

/** Shows everything of one snapshot. */
export function show(snapshot: Snapshot, health: Health): void {
  showStream(snapshot);
  showDelivery(snapshot);
  showPeers(snapshot.peers);
  showPurse(snapshot);
  showChain(snapshot);
  showSettlements(snapshot.wallet.settlements);
  showHealth(health);
}

/** Shows how much audio is ready. */
export function showBuffer(seconds: number): void {
  const gauge = byId('gauge');
  gauge.setAttribute('aria-valuenow', seconds.toFixed(1));
  gauge.style.setProperty('--full', String(Math.min(1, seconds / FULL_BUFFER_S)));
  say(byTest('buffer'), `${seconds.toFixed(1)} s`);
}

function showStream({ stream, playback }: Snapshot): void {
  const left = playback?.leftS ?? null;
  say(byTest('rubric'), left === null ? 'Now playing' : left > 0 ? 'The last of this stream' : 'This stream has ended');
  if (stream === null) return;
  say(byId('title'), title(stream.name));
  document.title = `${title(stream.name)} – Antiphon`;
  say(byId('byline'), `signed by ${short(stream.publisher)}${stream.isPinned ? ', whose key this page knows' : ''}`);
  say(byTest('price'), formatAmount(stream.price));
}

function showDelivery({ delivery, chain }: Snapshot): void {
  const total = delivery.fromPeers + delivery.fromOrigin;
  const share = total === 0 ? 0 : delivery.fromPeers / total;
  const offload = byTest('offload');
  say(offload, percent(share));
  mark(offload, 'value', share.toFixed(4));
  say(byTest('from-peers'), bytes(delivery.fromPeers));
  say(byTest('from-origin'), bytes(delivery.fromOrigin));
  say(byTest('unverified'), bytes(delivery.unverified));
  mark(byTest('unverified'), 'value', String(delivery.unverified));
  say(byTest('to-peers'), bytes(delivery.toPeers));
  say(byTest('chunks-served'), String(delivery.chunksServed));
  say(byTest('bad-chunks'), String(delivery.bad));
  say(byTest('hedged'), String(delivery.hedged));
  for (const [name, status] of [['node', chain.node], ['tracker', delivery.tracker]] as const) {
    const item = byTest(`status-${name}`);
    mark(item, 'status', status);
    const word = item.querySelector('b');
    if (word !== null) say(word, status);
  }
}

function showPeers(peers: readonly PeerView[]): void {
  mark(byTest('peers'), 'count', String(peers.length));
  const cells = peers.map((peer) => [
    peer.peer.slice(0, 6), bytes(peer.received), bytes(peer.sent), brief(peer.paid), brief(peer.earned),
  ]);
  fill(byId('peers'), JSON.stringify(cells), () => {
    if (cells.length === 0) {
      const row = make('tr', '');
      const cell = make('td', 'Nobody yet. You will be introduced.');
      cell.colSpan = 5;
      row.append(cell);
      return [row];
    }
    return cells.map((texts, i) => {
      const row = make('tr', '', { peer: peers[i]?.peer ?? '' });
      row.append(...texts.map((text) => make('td', text)));
      return row;
    });
  });
}

function showPurse({ wallet, stream, peers }: Snapshot): void {
  say(byTest('address'), wallet.address ?? '–');
  byId<HTMLAnchorElement>('own').href = wallet.address === null ? '#/chain' : `#/account/${wallet.address}`;
  const balance = byTest('balance');
  const level = byTest('balance-level');
  const proven = wallet.account?.balance ?? null;
  say(balance, proven === null ? '–' : formatAmount(proven.value));
  mark(balance, 'units', proven?.value.toString() ?? '');
  mark(balance, 'level', proven?.level ?? '');
  mark(level, 'level', proven?.level ?? '');
  const final = wallet.account?.finalBalance ?? null;
  const isOlder = final !== null && proven !== null && final.value !== proven.value;
  say(level, proven === null ? 'not proven yet' : `${LEVEL_WORDS[proven.level]} at block ${proven.height}`
    + (isOlder ? `, ${formatAmount(final.value)} is final` : ''));
  for (const [name, units] of [['vouchers-out', wallet.vouchersOut], ['vouchers-in', wallet.vouchersIn]] as const) {
    say(byTest(name), formatAmount(units));
    mark(byTest(name), 'units', units.toString());
  }
  const owed = wallet.payers.reduce((sum, payer) => sum + payer.exposure, 0n);
  byTest('risk').hidden = owed === 0n;
  mark(byTest('risk'), 'units', owed.toString());
  say(byTest('risk'), riskWords(wallet));
  const { pool } = wallet;
  mark(byTest('pool'), 'level', pool?.deposit?.level ?? '');
  if (pool === null) {
    const isOnCredit = peers.length > 0 && (stream?.price ?? 0n) > 0n;
    say(byTest('pool'), `No pool yet${isOnCredit ? ': neighbours give a few chunks on credit, and more once they are paid' : ''}. `
      + 'Opening one locks the deposit and about as much again as collateral; what is not paid comes back.');
  } else if (pool.deposit === null) {
    say(byTest('pool'), `Pool ${short(pool.pool)} is on its way to the chain.`);
  } else {
    const left = pool.deposit.value - pool.promised;
    say(byTest('pool'), `Pool ${short(pool.pool)}: ${formatAmount(left)} of ${formatAmount(pool.deposit.value)} left, `
      + `${LEVEL_WORDS[pool.deposit.level]}, until block ${pool.end}.`);
  }
}

/** What could be lost, and what it would cost whoever took it. */
function riskWords({ payers }: WalletView): string {
  const [worst] = [...payers].sort((a, b) => (a.exposure < b.exposure ? 1 : -1));
  if (worst === undefined) return '';
  const risk = `At risk ${formatAmount(worst.exposure)}, never more than ${formatAmount(worst.maxExposure)} with one payer.`;
  if (payers.some((payer) => payer.isInsolvent)) {
    return `${risk} A payer has promised more than it deposited: its collateral is burned, and your share of what is left comes by itself.`;
  }
  if (worst.cost === null || worst.cover === null) return risk;
  return `${risk} Cheating costs the payer ${formatAmount(worst.cost)}, and pays only with more than ${worst.cover} listeners at once.`;
}

function showChain({ chain }: Snapshot): void {
  for (const level of ['included', 'settled', 'final'] as const) {
    const head = byTest(`head-${level}`);
    say(head, chain[level].toLocaleString('en'));
    mark(head, 'height', String(chain[level]));
  }
  say(byId('guardians'), chain.guardians === 0 ? 'by guardians' : `by ${chain.signers} of ${chain.guardians} guardians, ${witnessWords(chain)}`);
  byId('alarm').hidden = !chain.isAlarmed;
  byId('save-fork').hidden = chain.standing !== 'split';
  say(byId('chain-id'), chain.id === '' ? '–' : short(chain.id, 12, 8));
}

/** Whether another operator has the same chain, and how old the newest final checkpoint is. */
function witnessWords({ standing, witnessed, final, finalAgeMs }: Snapshot['chain']): string {
  if (standing === 'split') return 'contradicted by a second certificate';
  if (standing === 'expired') return 'too long ago to build on';
  const seen = witnessed !== null && witnessed >= final ? 'seen by a second node' : 'unwitnessed';
  return finalAgeMs === null ? seen : `${seen}, ${Math.round(finalAgeMs / 1000)} s old`;
}

function showSettlements(settlements: readonly SettlementView[]): void {
  mark(byTest('settlements'), 'count', String(settlements.length));
  byId('no-settlements').hidden = settlements.length > 0;
  const rows = settlements.map((one) => ({
    pool: one.pool,
    level: one.level ?? 'sent',
    units: one.amount.toString(),
    amount: formatAmount(one.amount),
    where: one.height === null ? 'on its way' : `${one.level ?? 'sent'} at block ${one.height}`,
  })).reverse();
  fill(byId('settlements'), JSON.stringify(rows), () => rows.map((row) => {
    const item = make('li', '', { testid: 'settlement', level: row.level, units: row.units });
    const steps = make('i', '');
    steps.setAttribute('aria-hidden', 'true');
    item.append(steps, make('b', row.amount), make('span', `from pool ${short(row.pool)}`), make('em', row.where));
    return item;
  }));
}

function showHealth({ now, earlier }: Health): void {
  const box = byTest('problems');
  mark(box, 'count', String(now.length));
  mark(box, 'codes', [...now, ...earlier].join(' '));
  fill(box, `${now.join(' ')}|${earlier.join(' ')}`, () => {
    const first = now.length === 0 ? [make('p', 'All is well.')] : now.map((code) => describe(code, words(code), {}));
    return [...first, ...earlier.map((code) => describe(code, `Earlier: ${words(code)}`, { past: '' }))];
  });
}

/** A sentence, with the code it stands for as its tooltip. */
function describe(code: string, text: string, data: Record<string, string>): HTMLElement {
  const paragraph = make('p', text, { ...data, code });
  paragraph.title = code;
  return paragraph;
}
