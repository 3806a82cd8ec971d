/** Reads what blocks say about one account. */

import { formatAmount, type BlockFound, type Message } from 'antiphon';

/** Something that a block did for an account. */
export interface Entry {
  /** The transaction, and its place among the messages. */
  readonly id: string;
  readonly height: number;
  /** Unix milliseconds of the block's date. */
  readonly time: number;
  /** What it changed, in smallest units with a sign; `null` where the message does not say. */
  readonly change: string | null;
  /** The other account, pool or staker. */
  readonly other: string | null;
  readonly what: string;
}

/** Everything in a block that is about `own`, in order. */
export function entriesOf({ header, transactions }: BlockFound, own: string): Entry[] {
  return (transactions ?? []).flatMap((tx) => tx.messages.flatMap((message, place) => {
    const read = tx.sender === own ? asSender(message) : asOther(message, own, tx.sender);
    return read === null ? [] : [{ id: `${tx.id}/${place}`, height: header.height, time: header.time, ...read }];
  }));
}

type Read = Pick<Entry, 'change' | 'other' | 'what'>;

function asSender(message: Message): Read {
  switch (message.kind) {
    case 'transfer': return message.token === 'operational'
      ? { change: `-${message.amount}`, other: message.to, what: 'sent' }
      : { change: null, other: message.to, what: `sent ${formatAmount(message.amount)} staking tokens to` };
    case 'delay': return { change: `-${message.amount}`, other: message.to, what: `sent, to arrive in ${message.blocks} blocks` };
    case 'settle': return { change: `${message.amount}`, other: message.pool, what: 'settled: promised in all' };
    case 'createPool': return { change: null, other: message.pool, what: 'opened a pool' };
    case 'release': return { change: null, other: message.pool, what: 'took back what was left of a pool' };
    case 'collect': case 'report': return { change: null, other: message.pool, what: 'claimed from a pool' };
    case 'bond': return { change: null, other: message.staker, what: 'bonded' };
    case 'unbond': return { change: null, other: message.staker, what: 'let a bond leave' };
    case 'withdraw': return { change: null, other: message.staker, what: 'withdrew' };
    case 'openField': case 'closeField': case 'soloCloseField': case 'postState': case 'challengeRound': case 'enforceField': case 'amendField':
      return { change: null, other: message.field, what: 'acted in a payment field' };
    case 'exchange': return { change: null, other: null, what: 'exchanged' };
    case 'cancel': return { change: null, other: null, what: 'cancelled a transfer' };
    case 'register': case 'rejoin': case 'accuse': return { change: null, other: null, what: 'staked' };
  }
}

function asOther(message: Message, own: string, sender: string): Read | null {
  if (message.kind === 'transfer' && message.to === own) {
    return message.token === 'operational' ? { change: `${message.amount}`, other: sender, what: 'received' } : { change: null, other: sender, what: `received ${formatAmount(message.amount)} staking tokens from` };
  }
  if (message.kind === 'delay' && message.to === own) return { change: `${message.amount}`, other: sender, what: `is sent to you, to arrive in ${message.blocks} blocks` };
  if (message.kind === 'collect' && message.to === own) return { change: null, other: message.pool, what: 'collected for you from a pool' };
  if (message.kind === 'exchange' && [...message.from, ...message.to].some(({ address }) => address === own)) return { change: null, other: sender, what: 'exchanged' };
  return null;
}
