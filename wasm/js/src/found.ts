/**
 * Answers to look-ups: what the chain holds, each under the block that proves it. Amounts are `bigint` counts of the
 * smallest unit, hashes and keys hexadecimal text.
 *
 * Source: `core/src/chain/lookup/found.rs`, which this mirrors field by field.
 */

import type { Token } from './border.js';
import type { Level } from './snapshot.js';

/** Under which block something is shown, how far that block is believed, and why. */
export interface Proven {
  readonly level: Level;
  readonly height: number;
  /** The block's id. */
  readonly block: string;
  /** The state root that the block commits. */
  readonly root: string;
  /** Unix milliseconds of the block's date. */
  readonly time: number;
  /** Whether a witness of another operator has the checkpoint that it rests on. */
  readonly isWitnessed: boolean;
  /** Height of the believed head from which the way to this block begins. */
  readonly head: number;
  /** The checkpoint at which it goes on, signed by the guardians that signed the head; `null` without such a leap. */
  readonly certificate: number | null;
  /** Steps from a checkpoint to the one below it, by hash. */
  readonly links: number;
  /** Steps from a block to its parent, by hash. */
  readonly parents: number;
}

/** What a block commits to. */
export interface Header {
  readonly height: number;
  readonly epoch: number;
  /** Unix milliseconds. */
  readonly time: number;
  /** Place of the proposer in the committee. */
  readonly proposer: number;
  readonly parent: string;
  readonly checkpointBelow: string;
  readonly txRoot: string;
  readonly stateRoot: string;
  readonly fieldRoot: string;
  readonly validators: string;
  readonly nextValidators: string;
  readonly guardians: string;
  readonly nextGuardians: string;
  /** Height of the block whose certificate this one carries. */
  readonly carries: number;
  /** Hash of what the block carries beside its transactions. */
  readonly carried: string;
  /** What the order of the proposers above is drawn from. */
  readonly nextOrder: string;
}

/** A member of a committee. */
export interface Member {
  readonly key: string;
  readonly weight: bigint;
  readonly hasSigned: boolean;
}

/** A weighted set, and who of it signed. */
export interface Committee {
  /** Height of the checkpoint that elected it; 0 for the set of genesis. */
  readonly since: number;
  readonly total: bigint;
  /** The least weight that is more than two thirds. */
  readonly quorum: bigint;
  readonly members: readonly Member[];
}

/** A header and what proves it. */
export interface HeaderFound {
  readonly proven: Proven;
  readonly header: Header;
}

/** A block. */
export interface BlockFound extends HeaderFound {
  /** The committee and who of it signed, as the block above carries it; `null` while there is none. */
  readonly signed: Committee | null;
  /** In order; `null` where nobody serves them, as for blocks that are not settled. */
  readonly transactions: readonly Transaction[] | null;
}

/** A checkpoint. */
export interface CheckpointFound extends HeaderFound {
  readonly guardians: Committee;
  /** Without a certificate of its own, a later checkpoint finalised it. */
  readonly hasCertificate: boolean;
}

/** What an account asked of the chain. */
export interface Transaction {
  readonly id: string;
  readonly sender: string;
  /** Who signed it beside its sender. */
  readonly cosigners: readonly string[];
  readonly sequence: number;
  /** The most that was taken as fee. */
  readonly fee: bigint;
  readonly scope: string;
  readonly messages: readonly Message[];
}

/** One account's part in an exchange. */
export interface Part {
  readonly address: string;
  readonly amount: bigint;
}

/** What was done about a payment field. */
export type FieldAct =
  'openField' | 'closeField' | 'soloCloseField' | 'postState' | 'challengeRound' | 'enforceField' | 'amendField';

/** One thing that was done. */
export type Message =
  | { readonly kind: 'transfer'; readonly token: Token; readonly to: string; readonly amount: bigint }
  | { readonly kind: 'exchange'; readonly token: Token; readonly from: readonly Part[]; readonly to: readonly Part[] }
  | { readonly kind: 'delay'; readonly token: Token; readonly to: string; readonly amount: bigint; readonly blocks: number; readonly guard: string | null }
  | { readonly kind: 'cancel'; readonly delay: string }
  | { readonly kind: 'createPool' | 'settle'; readonly pool: string; readonly amount: bigint }
  | { readonly kind: 'release' | 'report'; readonly pool: string }
  | { readonly kind: 'collect'; readonly pool: string; readonly to: string }
  | { readonly kind: FieldAct; readonly field: string | null }
  | { readonly kind: 'register'; readonly amount: bigint }
  | { readonly kind: 'bond' | 'unbond'; readonly staker: string; readonly amount: bigint }
  | { readonly kind: 'withdraw' | 'accuse'; readonly staker: string }
  | { readonly kind: 'rejoin' };

/** The way from a value to the state root, to be looked at; it was verified before. */
export interface Path {
  /** Where the value lives in the tree. */
  readonly key: string;
  /** Hash of the leaf, or of the empty place or other leaf that proves an absence. */
  readonly leaf: string;
  /** From the leaf up; the last node is the root. */
  readonly turns: readonly { readonly sibling: string; readonly isRight: boolean; readonly node: string }[];
}

/** An account with what it has bonded. */
export interface AccountFound {
  readonly proven: Proven;
  readonly address: string;
  /** Whether the tree holds it; where not, its absence is proven, and it owns nothing. */
  readonly exists: boolean;
  readonly sequence: number;
  readonly operational: bigint;
  readonly staking: bigint;
  /** As whom it stakes itself. */
  readonly staker: Staker | null;
  readonly bonds: readonly Bond[];
  /** Whether bonds with every staker of the roster were asked for; who has too little bonded to be elected is on none. */
  readonly hasAllBonds: boolean;
  readonly path: Path;
}

/** What is bonded with one staker. */
export interface Bond {
  readonly staker: string;
  /** What counts in elections. */
  readonly amount: bigint;
  /** On its way back; `until` is the height from which it can be withdrawn. */
  readonly leaving: readonly { readonly amount: bigint; readonly until: number }[];
  /** The reward that waits, in the operational token. */
  readonly due: bigint;
}

/** Who may be elected. */
export interface Staker {
  readonly guardian: string;
  readonly validator: string | null;
  /** What is bonded with it by anybody. */
  readonly total: bigint;
  readonly standing: 'good' | 'idle' | 'tombstoned';
  /** When it proposed last, or joined. */
  readonly seen: number;
}

/** Everybody who stakes. */
export interface StakersFound {
  readonly proven: Proven;
  readonly stakers: readonly (Staker & { readonly address: string })[];
  /** Whether these are all. */
  readonly hasAll: boolean;
}

/** A pool. */
export interface PoolFound {
  readonly proven: Proven;
  readonly pool: string;
  /** `null` where its absence is proven. */
  readonly state: PoolState | null;
  readonly path: Path;
}

/** What a pool is. */
export interface PoolState {
  readonly creator: string;
  readonly resource: string;
  readonly deposit: bigint;
  readonly collateral: bigint;
  /** What payees received so far. */
  readonly paid: bigint;
  /** Last block in which payees may settle. */
  readonly end: number;
  /** Who alone is paid, and what for; `null` if anybody may be. */
  readonly payee: string | null;
  readonly purpose: string | null;
  readonly isOpen: boolean;
  /** Whether its creator promised more than the deposit: it pays shares of what is left, and nothing goes back to the creator. */
  readonly isInsolvent: boolean;
}

/** What was found of pools that this account has opened and this device did not know. */
export interface OwnPoolsFound {
  /** The block from which blocks were read downwards. */
  readonly proven: Proven;
  /** Every block from this one up to that was read. */
  readonly from: number;
  /** Whether nothing is left to be found: all that the account is proven to have sent was seen. */
  readonly isWhole: boolean;
  /** Those that are new here and proven to hold money: in `snapshot().wallet.locked` from now on, frozen. */
  readonly pools: readonly string[];
}

/** A payment field. */
export interface FieldFound {
  readonly proven: Proven;
  readonly field: string;
  /** `null` where its absence is proven. */
  readonly state: FieldState | null;
  readonly path: Path;
}

/** What a payment field is: what the chain has locked, and the best state that it was shown. */
export interface FieldState {
  /** Nobody once the field is closed. */
  readonly members: readonly { readonly address: string; readonly balance: bigint }[];
  /** Place of the leader among the members. */
  readonly leader: number;
  readonly bond: bigint;
  readonly version: number;
  readonly round: number;
  /** Payments of all rounds. */
  readonly payments: bigint;
  readonly txRoot: string;
  /** Rounds of this version from here on are rejected for ever. */
  readonly annulled: number | null;
  /** The round that a member asks for, and the last block that may answer. */
  readonly challenge: { readonly round: number; readonly deadline: number } | null;
  readonly status: 'open' | 'closing' | 'closed';
  /** While closing: the last block that may post a higher state. Once closed: the block that paid. */
  readonly at: number | null;
}

/** Every answer. */
export type Found = BlockFound | readonly HeaderFound[] | CheckpointFound | AccountFound | PoolFound | OwnPoolsFound | FieldFound | StakersFound;
