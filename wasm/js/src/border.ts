/**
 * The border of the wasm client: what goes in, what comes out, in the words of
 * `core/src/client/{input,output}.rs`. Ids are integers below 2^53; bytes are `Uint8Array`.
 */

import type { Call, MoneyEvent } from './calls.js';
import type { Exhibit } from './field.js';
import type { Found } from './found.js';
import type { Level } from './snapshot.js';

/** Names of things that the client and the host talk about. */
export type Id = number;

/** What happened outside. */
export type Input =
  | { kind: 'loaded'; entries: [string, Uint8Array][] }
  | { kind: 'stored'; token: Id }
  /** What waited for it is refused, if it is a call. */
  | { kind: 'notStored'; token: Id }
  | { kind: 'httpDone'; id: Id; status: number; body: Uint8Array }
  | { kind: 'httpFailed'; id: Id }
  | { kind: 'answered'; id: Id; body: Uint8Array }
  | { kind: 'refused'; id: Id; code: number }
  | { kind: 'unreachable'; id: Id }
  | { kind: 'trackerOpened' }
  | { kind: 'trackerMessage'; body: Uint8Array }
  | { kind: 'trackerClosed' }
  | { kind: 'described'; link: Id; sdp: string }
  | { kind: 'candidates'; link: Id; lines: string }
  | { kind: 'linkOpened'; link: Id }
  | { kind: 'linkMessage'; link: Id; body: Uint8Array }
  | { kind: 'linkDrained'; link: Id }
  | { kind: 'linkClosed'; link: Id }
  | { kind: 'playlist'; id: Id; url: string; text: string }
  | { kind: 'check'; id: Id; sequence: number | null; body: Uint8Array }
  | { kind: 'want'; id: Id; sequence: number; bufferedMs: number }
  | { kind: 'unwant'; id: Id }
  | ({ kind: 'lookUp'; id: Id } & Question)
  | ({ kind: 'prove'; id: Id } & PaymentAt)
  /** Once by this key; `found` answers with how far the call is, or `lost` does. */
  | { kind: 'begin'; id: Id; key: string; command: Command }
  | { kind: 'call'; id: Id; key: string }
  | { kind: 'calls' | 'nextEvent'; id: Id }
  | { kind: 'handled'; id: Id; event: number }
  | { kind: 'tick' };

/** One payment of a field: its place in the round that it was committed in. */
export interface PaymentAt {
  readonly field: string;
  readonly round: number;
  readonly index: number;
}

/** What is asked about the chain. */
export type Question =
  | { question: 'block' | 'blocks' | 'checkpoint'; height: number }
  | { question: 'account'; address: string; level: Level }
  | { question: 'pool'; pool: string; level: Level }
  | { question: 'field'; field: string; level: Level }
  | { question: 'stakers'; level: Level }
  | { question: 'ownPools' };

/** A question to the node's RPC. */
export type Query =
  | { kind: 'prove'; height: number; keys: Uint8Array }
  | { kind: 'submit'; transaction: Uint8Array }
  | { kind: 'faucet'; address: string }
  | { kind: 'closed'; height: number }
  | { kind: 'watch'; sealed: Uint8Array };

/** What the host must do, in order. */
export type Output =
  | { kind: 'http'; id: Id; url: string; base: string | null; from: number | null; until: number | null; maxBytes: number; isImmutable: boolean }
  | { kind: 'cancelHttp'; id: Id }
  | { kind: 'ask'; id: Id; query: Query }
  | { kind: 'connectTracker'; url: string }
  | { kind: 'trackerSend'; body: Uint8Array }
  | { kind: 'closeTracker' }
  | { kind: 'createLink'; link: Id; offer: string | null }
  | { kind: 'acceptAnswer'; link: Id; sdp: string }
  | { kind: 'addCandidates'; link: Id; lines: string }
  | { kind: 'closeLink'; link: Id }
  | { kind: 'send'; link: Id; body: Uint8Array }
  | { kind: 'store'; token: Id; name: string; value: Uint8Array | null }
  | { kind: 'deliver'; id: Id; body: Uint8Array }
  | { kind: 'refuse'; id: Id; code: string }
  | { kind: 'fail'; id: Id; code: string }
  | { kind: 'found'; id: Id; found: Answer }
  | { kind: 'lost'; id: Id; code: string }
  | { kind: 'notify'; notice: Notice };

/** What is answered to whoever asked. */
export type Answer = Found | Exhibit | Call | readonly Call[] | MoneyEvent | undefined;

/** Something the application may want to show at once. */
export type Notice =
  | { kind: 'trouble'; code: string }
  | { kind: 'recovered'; code: string }
  | { kind: 'banned'; code: string }
  | { kind: 'warning'; field: string; threat: 'close' | 'challenge'; deadline: number; isNear: boolean }
  | { kind: 'changed' };

/** Which token. */
export type Token = 'staking' | 'operational';

/** What a listener agrees to give away. */
export interface UploadPolicy {
  /** Serve peers at all. */
  isEnabled: boolean;
  /** Bytes a second, or `null` for no cap. */
  rate: number | null;
  /** Bytes until the page closes, or `null` for no cap. */
  total: number | null;
}

/** What the application asks for. */
export type Command =
  | { kind: 'openPool'; deposit: bigint }
  | { kind: 'settle' }
  | { kind: 'release' }
  | { kind: 'askFaucet' }
  | { kind: 'transfer'; token: Token; to: string; amount: bigint }
  | { kind: 'bond' | 'unbond'; staker: string; amount: bigint }
  | { kind: 'withdraw'; staker: string }
  | { kind: 'enterRoom'; name: string }
  | { kind: 'leaveRoom' }
  | { kind: 'proposeField'; others: readonly string[]; deposit: bigint; dispute: number | null }
  | { kind: 'acceptField' | 'declineField' | 'closeField' | 'leaveField' | 'forgetField'; field: string }
  | { kind: 'admitMember'; field: string; key: string; deposit: bigint }
  | { kind: 'payMember'; field: string; payee: string; amount: bigint }
  | { kind: 'give'; to: string; amount: bigint; purpose: string }
  | { kind: 'setUpload'; policy: UploadPolicy }
  | { kind: 'follow' }
  | { kind: 'stop' };
