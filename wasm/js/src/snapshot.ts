/**
 * What an application sees: plain data. Every value of the chain carries how far it is believed and
 * under which block it was proven. Amounts are `bigint` counts of the smallest unit.
 *
 * Source: `core/src/client/snapshot.rs`, which this mirrors field by field; but `unverified`, `sharing` and `playback` are counted on the page.
 */

import type { Token } from './border.js';
import type { Around, FieldView } from './field.js';
import type { GiftView } from './gift.js';
import type { PlaybackView } from './heard.js';
import type { SharingView } from './sharing.js';

/** How far a value of the chain is believed, weakest first. */
export type Level = 'included' | 'settled' | 'final';

/** A connection's state. */
export type Status = 'idle' | 'connecting' | 'up' | 'down';

/** A value that was proven under the state root of a block. */
export interface Leveled<T> {
  readonly value: T;
  readonly level: Level;
  readonly height: number;
  /** The state root of the block at that height, hexadecimal. */
  readonly root: string;
  /** A path of the state tree led from the value to the root. */
  readonly how: 'state-proof';
  /** Milliseconds between the date of that block and this device's clock. */
  readonly ageMs: number;
  /** Whether a witness of another operator has the checkpoint that it rests on. */
  readonly isWitnessed: boolean;
}

/** The stream as its publisher signed it. */
export interface StreamView {
  readonly name: string;
  /** The publisher's key in hexadecimal. */
  readonly publisher: string;
  /** Address of that key: whom a tip goes to. */
  readonly publisherAddress: string;
  /** Whether the application named that key; otherwise it came with the playlist. */
  readonly isPinned: boolean;
  /** Price of a chunk of 16 KiB. */
  readonly price: bigint;
  /** Highest media sequence seen. */
  readonly newest: number;
}

/** The chain as verified here. */
export interface ChainView {
  readonly id: string;
  readonly node: Status;
  readonly included: number;
  readonly settled: number;
  readonly final: number;
  /** Id of the newest final checkpoint in hexadecimal. */
  readonly finalBlock: string;
  /** Guardians that signed it. */
  readonly signers: number;
  /** Guardians there are. */
  readonly guardians: number;
  /** Unix milliseconds of the newest settled block. */
  readonly time: number;
  /** Milliseconds between that and this device's clock. */
  readonly ageMs: number;
  /** Milliseconds between the date of the newest final checkpoint and this device's clock; `null` before the first. */
  readonly finalAgeMs: number | null;
  /** `good`; `expired` when only a newer anchor helps; `split` when two certificates conflict and all has stopped. */
  readonly standing: 'good' | 'expired' | 'split';
  /** Witnesses that are asked. Without one, nothing is witnessed. */
  readonly witnesses: number;
  /** Height up to which a witness has the same chain. */
  readonly witnessed: number | null;
  /** Whether many name blocks that this chain does not have. A hint: be careful with money. */
  readonly isAlarmed: boolean;
  /** The newest head of each level, the most believed first. */
  readonly heads: readonly HeadView[];
  /** What kind of chain it is, once its spec is here and hashes to the id. */
  readonly spec: SpecView | null;
}

/** A head of the chain. */
export interface HeadView {
  readonly level: Level;
  readonly height: number;
  /** The block's id. */
  readonly block: string;
  /** The state root that it commits. */
  readonly root: string;
  /** By the guardians' certificate, by two certified blocks in a row, or by links from a settled block alone. */
  readonly how: 'certificate' | 'two-chain' | 'links';
  /** Unix milliseconds of its date. */
  readonly time: number;
  /** Milliseconds between that and this device's clock. */
  readonly ageMs: number;
  readonly isWitnessed: boolean;
}

/** Parameters of the chain. */
export interface SpecView {
  readonly name: string;
  /** Milliseconds between blocks that validators aim for. */
  readonly blockMs: number;
  /** Every so many blocks is a checkpoint. */
  readonly interval: number;
  /** Fee of a transaction, in the operational token. */
  readonly fee: bigint;
  /** Blocks until what leaves a bond can be withdrawn; `null` where nobody stakes. */
  readonly unbonding: number | null;
}

/** Bytes and where they came from. */
export interface DeliveryView {
  readonly tracker: Status;
  /** Verified bytes from peers. */
  readonly fromPeers: number;
  /** Bytes over HTTP; verified but for those that `unverified` counts. */
  readonly fromOrigin: number;
  /** Bytes that were played without the client's word: it did not run, did not answer in time, or nothing was signed. */
  readonly unverified: number;
  /** Bytes served to peers. */
  readonly toPeers: number;
  readonly chunksServed: number;
  /** Chunks from peers that came after they were needed. */
  readonly late: number;
  /** Chunks asked over HTTP although a peer had been asked. */
  readonly hedged: number;
  /** Chunks that failed verification. */
  readonly bad: number;
  /** Bytes in the cache. */
  readonly cached: number;
  /** Segments handed to the player. */
  readonly delivered: number;
}

/** A linked peer. */
export interface PeerView {
  /** Its key in hexadecimal. */
  readonly peer: string;
  readonly received: number;
  readonly sent: number;
  /** What was promised to it. */
  readonly paid: bigint;
  /** What it promised. */
  readonly earned: bigint;
  /** Smoothed time from an ask to its chunk; `null` before 16 have come. */
  readonly latencyMs: number | null;
}

/** A peer that is kept away from this swarm for what it did. */
export interface BanView {
  /** Its key in hexadecimal. */
  readonly peer: string;
  /** What it did last, in one stable code. */
  readonly code: string;
  /** How often it broke the rules, as far as that makes a ban longer. */
  readonly times: number;
  /** Milliseconds that are left. */
  readonly leftMs: number;
}

/** A proven account. */
export interface AccountView {
  readonly balance: Leveled<bigint>;
  readonly finalBalance: Leveled<bigint> | null;
}

/** The pool that this listener pays from. */
export interface PoolView {
  readonly pool: string;
  /** `null` until proven. */
  readonly deposit: Leveled<bigint> | null;
  /** Why it was not opened, in one stable code. */
  readonly refusal: string | null;
  readonly promised: bigint;
  /** Last block in which payees may settle. */
  readonly end: number;
}

/** A pool that pays this listener, and what could be lost in it. */
export interface PayerView {
  readonly pool: string;
  /** Promised and not proven paid: all that can be lost. */
  readonly exposure: bigint;
  /** What it may owe at most. */
  readonly maxExposure: bigint;
  /** What the payer loses at least by promising more than it has deposited; `null` until the pool is proven. */
  readonly cost: bigint | null;
  /** How many payees it would have to cheat at once, about, before that pays. */
  readonly cover: bigint | null;
  /** Whether it has promised more than it deposited: what is left is shared out, the rest is lost. */
  readonly isInsolvent: boolean;
}

/** A settlement of earned vouchers. */
export interface SettlementView {
  readonly pool: string;
  /** What it brings beyond the settlements of that pool before it. */
  readonly amount: bigint;
  /** How far the chain is proven to have paid it; `null` while it is only sent. */
  readonly level: Level | null;
  readonly height: number | null;
  /** The state root that shows it. */
  readonly root: string | null;
}

/** A transfer that was asked for. */
export interface SentView {
  readonly token: Token;
  readonly to: string;
  readonly amount: bigint;
  /** The transaction that does it, once there is one: 64 hexadecimal digits. */
  readonly id: string | null;
  /** How far the chain is proven to have done it; `null` while it is on its way. */
  readonly level: Level | null;
  /** Why it will not happen, in one stable code. */
  readonly refusal: string | null;
}

/** Money in a pool of this account. */
export interface LockedView {
  readonly pool: string;
  /** What is proven to lie in it, collateral included; `null` until proven. */
  readonly held: bigint | null;
  /** What of that was promised and is not proven paid. */
  readonly owed: bigint;
  /** The first block in which `release()` takes the rest back; `null` until proven, and of what never comes back. */
  readonly back: number | null;
  /** Why nothing is signed for it any more, in one stable code: after a backup was taken, every pool from before. */
  readonly freeze: string | null;
}

/** Money. */
export interface WalletView {
  readonly address: string | null;
  readonly account: AccountView | null;
  readonly pool: PoolView | null;
  /** Vouchers given and not yet known settled. */
  readonly vouchersOut: bigint;
  /** Vouchers held. */
  readonly vouchersIn: bigint;
  /** The pools that owe something. */
  readonly payers: readonly PayerView[];
  /** Newest last. */
  readonly settlements: readonly SettlementView[];
  /** Transfers since the client began, newest last. */
  readonly sent: readonly SentView[];
  /** Every pool of this account that is not over. */
  readonly locked: readonly LockedView[];
}

/** What is wrong now. */
export interface Problem {
  /** Stable code, such as `certificate/below-quorum`. */
  readonly code: string;
  readonly count: number;
}

/** Everything an application may show, at one moment. */
export interface Snapshot {
  readonly stream: StreamView | null;
  readonly chain: ChainView;
  readonly delivery: DeliveryView;
  readonly peers: readonly PeerView[];
  /** Who is kept away; at most 32 of them. */
  readonly bans: readonly BanView[];
  /** Who else is in the room, or listens to the stream, as far as the tracker has told. */
  readonly around: readonly Around[];
  /** Payment fields, invitations too. */
  readonly fields: readonly FieldView[];
  /** What was given to one payee alone, and what was received so. */
  readonly gifts: readonly GiftView[];
  readonly wallet: WalletView;
  readonly problems: readonly Problem[];
  /** What this listener gives away, and why not more. */
  readonly sharing: SharingView;
  /** What is heard, where a player plays; `null` from a client alone. */
  readonly playback: PlaybackView | null;
}

/** What is known before anything is. */
export const EMPTY_SNAPSHOT: Snapshot = {
  stream: null,
  chain: {
    id: '', node: 'idle', included: 0, settled: 0, final: 0, finalBlock: '', signers: 0, guardians: 0, time: 0,
    ageMs: 0, finalAgeMs: null, standing: 'good', witnesses: 0, witnessed: null, isAlarmed: false,
    heads: [], spec: null,
  },
  delivery: {
    tracker: 'idle', fromPeers: 0, fromOrigin: 0, unverified: 0, toPeers: 0, chunksServed: 0, late: 0, hedged: 0, bad: 0,
    cached: 0, delivered: 0,
  },
  peers: [],
  bans: [],
  around: [],
  fields: [],
  gifts: [],
  wallet: { address: null, account: null, pool: null, vouchersOut: 0n, vouchersIn: 0n, payers: [], settlements: [], sent: [], locked: [] },
  problems: [],
  sharing: { isOn: true, why: 'agreed', sessionBytes: 0, monthBytes: 0, monthly: null },
  playback: null,
};

/** A snapshot as the client gives it: of what goes past it, it knows nothing. */
export type ClientSnapshot = Omit<Snapshot, 'delivery' | 'sharing' | 'playback'> & { readonly delivery: Omit<DeliveryView, 'unverified'> };

/** Adds bytes that the player loaded over HTTP and that nobody verified. */
export function addUnverified(snapshot: Snapshot, bytes: number): Snapshot {
  const { delivery } = snapshot;
  const { fromOrigin, unverified } = delivery;
  return { ...snapshot, delivery: { ...delivery, fromOrigin: fromOrigin + bytes, unverified: unverified + bytes } };
}
