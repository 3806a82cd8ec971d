/**
 * Errors with a stable code, whether a retry may help, and what to do about it.
 *
 * Codes of the client itself (`pool/…`, `wallet/…`, `proof/…`) come from the core and pass through unchanged.
 */

/** What went wrong, in a form that `switch (error.code)` can use. */
export class AntiphonError extends Error {
  override readonly name = 'AntiphonError';
  /** Stable code, such as `wasm/blocked-by-csp`. */
  readonly code: string;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** What to do about it, in one sentence. */
  readonly help: string;
  /** Whether something was there and must not be used: it is not what was signed. */
  readonly isRefusal: boolean;

  constructor(code: string, message?: string, cause?: unknown, isRefusal = false) {
    super(message === undefined ? `${code}: ${helpFor(code)}` : `${code}: ${message}`, { cause });
    this.code = code;
    this.retryable = RETRYABLE.has(code) || code.startsWith('node/');
    this.help = helpFor(code);
    this.isRefusal = isRefusal;
  }
}

/** What core says of all codes that a page meets. */
const RETRYABLE = new Set([
  'call/full', 'call/interrupted', 'client/leader-left', 'client/not-ready', 'client/restarted', 'client/stale', 'client/suspended', 'fetch/origin-failed', 'fetch/too-many', 'field/challenged',
  'field/closing', 'field/not-due', 'field/nothing-sealed', 'gift/too-many', 'light/bad-witness', 'light/broken-chain', 'light/from-future',
  'light/no-change', 'light/not-ahead', 'light/not-checkpoint', 'light/not-enough-trust', 'light/unknown-guardians', 'light/wrong-block',
  'light/wrong-content', 'lookup/ahead', 'lookup/busy', 'lookup/not-ready', 'lookup/unreachable', 'lookup/wrong-body', 'member/close-not-told',
  'member/not-closed', 'member/not-now', 'member/not-proven', 'member/nothing-to-close', 'member/round-full', 'member/sequence-gap',
  'member/too-many-invitations', 'member/too-much', 'member/too-much-in-flight', 'payee/chain-stalled', 'payee/early-tick', 'payee/not-final',
  'payee/stale-proof', 'payee/too-many-peers', 'payee/too-many-pools', 'payee/unproven', 'payer/no-ticks', 'payer/not-proven',
  'payer/not-reserved', 'payer/stale-state', 'payer/ticks-exhausted', 'playlist/not-a-playlist', 'playlist/truncated', 'pool/collect-too-early',
  'pool/release-too-early', 'refusal/busy', 'refusal/no-credit', 'secret/failed', 'storage/in-use', 'storage/write-failed', 'tower/wrong-answer', 'tracker/closed', 'tracker/full',
  'tracker/silent', 'tracker/too-much', 'tracker/unreachable', 'wallet/not-ready', 'wallet/queue-full', 'wallet/transaction-expired',
  'wasm/not-loaded',
]);

/** The codes that most pages meet, in core's words; `antiphon/codes` has all. */
const HELP: Readonly<Record<string, string>> = {
  'backup/damaged': 'The backup was cut or altered, or is of another chain; take another one.',
  'backup/newer': 'A later version made this backup; take that version.',
  'backup/not-backup': 'This file is no backup.',
  'backup/other-account': 'The backup is of another account; open that account first.',
  'backup/too-large': 'There is more than a backup may hold; close and forget old fields.',
  'call/full': 'Too many calls are undecided or not yet read; read next_event() and say event_handled().',
  'call/key-reused': 'This key was used for another call; take a new key for each thing that is wanted once.',
  'call/unknown-key': 'No call of this key is known here.',
  'client/aborted': 'The caller aborted it.',
  'client/bad-input': 'The client cannot read what it was given: a value of the wrong shape, or page and wasm of two versions.',
  'client/closed': 'Call connect() again; this one was closed.',
  'client/gave-up': 'The client crashed too often; playback goes on over HTTP. Reload the page.',
  'client/gift-too-small': 'A gift must be worth more than what it costs its payee to settle it.',
  'client/leader-left': 'The tab that ran the client is gone; another one runs it now. Nothing is lost.',
  'client/no-stream': 'No stream plays; play one first.',
  'client/no-tracker': 'A room needs a tracker; pass `tracker` to connect().',
  'client/not-ready': 'The chain is not known yet; wait for the first settled block.',
  'client/nothing-to-release': 'No pool is past its freeze yet.',
  'client/nothing-to-settle': 'No voucher is worth a settlement yet.',
  'client/out-of-range': 'The sum is larger than an amount can be.',
  'client/panicked': 'The client crashed; this is our bug, please report it with the message.',
  'client/playing': 'A stream plays; its listeners are the room.',
  'client/renewed': 'Another account of the wallet, or a backup, was opened; another client runs now.',
  'client/restarted': 'The client crashed and was started again; ask again.',
  'client/stale': 'What is known of the chain is too old to spend on; wait for a newer block.',
  'client/suspended': 'The client sleeps; call resume() first.',
  'field/not-evidence': 'This is no file of evidence, or one of a newer version.',
  'field/not-payment': 'The file is about something else than one payment; `antiphon evidence check` reads it.',
  'field/nothing-sealed': 'No state of this field is signed by everybody yet; ask once a round is closed.',
  'field/other-block': 'The header of the block that the file names commits other fields: the file proves nothing on this chain.',
  'gift/malformed': 'Nothing; it is ignored.',
  'gift/not-alone': 'Nothing; the giver must reserve for one payee alone.',
  'gift/too-little': 'The giver must give more than the fee.',
  'gift/too-many': 'Wait until one of them is over.',
  'light/no-fork': 'The chain has not split as far as this page knows; there is nothing to show.',
  'light/split': 'Guardians signed two final blocks of one height; keep forkProof(), and believe nothing of this chain.',
  'lookup/ahead': 'The chain has no block of this height yet.',
  'lookup/busy': 'Too many look-ups are under way; wait for one.',
  'lookup/missing': 'Nobody serves a file that the proof needs; ask another node.',
  'lookup/no-stake': 'This chain has no staking.',
  'lookup/not-checkpoint': 'Checkpoints are at multiples of snapshot().chain.spec.interval.',
  'lookup/not-ready': 'The chain is not known yet; wait for the first head.',
  'lookup/too-far': 'Too many checkpoints lie between what is trusted and this block.',
  'lookup/unreachable': 'The node did not answer, or has no state of that block any more; ask again.',
  'lookup/wrong-body': 'Believe nothing of them; name another node if it stays.',
  'map/not-signed': 'The publisher did not sign this initialisation segment; whoever served it altered it. It is not played.',
  'map/too-long': 'An initialisation segment has at most 64 KiB; this one is not played.',
  'member/close-not-told': 'Ask another node, one that keeps the block; then ask again.',
  'member/field-exists': 'Use the field that there is, or propose one with another nonce.',
  'member/frozen-damaged': 'Nothing more is signed; close the field, which what is sealed still allows.',
  'member/frozen-other-device': 'Go on with the device that has signed last, or close the field.',
  'member/frozen-rolled-back': 'Nothing more is signed here; let another member or a watch-tower close the field with the newest state.',
  'member/no-payee': 'Pay another member of the field.',
  'member/no-such-field': 'Take an id from `snapshot().fields`.',
  'member/no-such-payment': "Take round and index from the field's list of payments.",
  'member/not-closed': 'Wait until the field is `closed`.',
  'member/not-invited': 'Ask the leader for an invitation to the key that `snapshot()` names.',
  'member/not-leader': 'Let the leader do it.',
  'member/not-now': 'Wait for the end of the round, and ask again.',
  'member/not-open': 'Look at its phase in `snapshot().fields`.',
  'member/not-proven': 'The chain has not shown this field yet; wait for a settled block.',
  'member/nothing-to-close': 'Nothing; ask again when something was paid.',
  'member/nothing-to-pay': 'Pay something.',
  'member/rows-lost': 'The rows of a field are damaged; the other members, or a watch-tower, still hold its newest state: ask them to close it.',
  'member/too-little': 'Wait until what others paid is committed, or pay less.',
  'member/too-many-fields': 'Close or forget one.',
  'member/too-many-members': 'Open another field.',
  'member/too-much-in-flight': 'Wait until the round is closed.',
  'node/faucet-refused': 'Use the faucet of a development chain, or have somebody transfer to this address.',
  'node/proof-refused': 'Nothing, if it happens now and then; if it stays, the node is behind or prunes too early: name another one.',
  'node/transaction-refused': 'Look at balance and fee; then ask again.',
  'node/unreachable': "Check the URL of `node`, that it keeps this chain, and that its server allows this page's origin; the client asks on by itself.",
  'options/invalid': 'Check the options of connect(): chain and publisher are 64 hexadecimal digits, node is a URL.',
  'origin/bad-chunk': "Tell the stream's operator: something between publisher and listener alters the sound.",
  'payee/lost': 'Stay connected now and then while vouchers are held; what was lost is at most the exposure of one pool.',
  'player/not-decoded': 'This browser cannot decode the sound of this stream; on Linux, Firefox needs the libavcodec of the system for AAC.',
  'player/not-loaded': 'hls.js did not load; serve what your bundler makes of it beside your script.',
  'playlist/parts': 'Whole segments are played, verified and carried; `behind` brings playback nearer to the broadcast.',
  'secret/failed': 'The store of secrets did not answer; unlock the device and ask again.',
  'secret/missing': 'There is no wallet of this name; create or restore one.',
  'secret/taken': 'There is a wallet of this name already; remove it first, once its words are written down.',
  'sign-in/bad-expiry': 'A sign-in expires within ten minutes; ask the site for another, and see that the clock of this device is right.',
  'sign-in/bad-origin': 'Only a page of a web site can sign in at it; this one is a file, or in a sandbox.',
  'storage/in-use': 'The file of the client is in use; only one client may run with it.',
  'storage/unavailable': 'This browser gives no IndexedDB here; the account lives as long as the page.',
  'storage/write-failed': 'A write did not become durable; no money moves until it does. Free some space.',
  'tower/wrong-answer': 'Nothing at once: it is told again, and not relied on until it says that it has it; if it stays, name another tower.',
  'tracker/closed': "Check the tracker's URL if it never opens; links that exist are not touched.",
  'tracker/forged-signal': 'Nothing; if it stays, somebody tampers at the tracker: use another one.',
  'tracker/long-url': 'Give the tracker a shorter URL.',
  'tracker/no-token': 'This tracker lets only those in whom the publisher gave a token; pass `token` to connect().',
  'tracker/silent': "Nothing; the client dials again. If it stays, ask the tracker's operator.",
  'tracker/unreachable': "Nothing; the client dials on. Check the tracker's URL and its certificate if it never was there.",
  'wallet/account-in-use': 'Another tab uses this account; close it, or take another account.',
  'wallet/bad-checksum': 'The words do not belong together; compare each with what was written down.',
  'wallet/bad-word-count': 'A wallet has 12 or 24 words.',
  'wallet/elsewhere': 'Ask the application that keeps the words of this account.',
  'wallet/insufficient': 'The proven balance does not cover the amount with its fee.',
  'wallet/not-ready': 'The account is not proven yet; wait for the chain.',
  'wallet/not-written-down': 'The words of the wallet in this browser were not written down yet; write them down, or pass `forget`.',
  'wallet/queue-full': 'Too many transactions wait; wait for one.',
  'wallet/transaction-expired': 'Nothing; if it repeats, the chain is full or the node does not pass transactions on.',
  'wallet/unknown-word': 'A word is not in the English list of BIP-39; compare each with what was written down.',
  'wallet/words-differ': 'These are the words of another wallet.',
  'wallet/words-forgotten': 'The words were written down, and are not kept in this browser any more.',
  'wasm/blocked-by-csp': "Add 'wasm-unsafe-eval' to script-src in the Content-Security-Policy of the page.",
  'wasm/not-loaded': 'The .wasm file did not load, or is not what `integrity` says; serve antiphon_bg.wasm beside your script as application/wasm, or say where it is by `wasm`.',
  'wasm/unsupported': 'This browser has no WebAssembly.',
  'worker/not-loaded': 'The worker did not load; serve worker.js beside the page script and allow worker-src.',
  'worker/unsupported': 'There are no workers here, as on a server; connect() in a page, or pass a function that makes one by `worker`.',
  'worker/used': 'A worker that was made for connect() has crashed; pass a function that makes one, and it is started again.',
};

/** Returns one sentence on what to do about a code, or on where that stands. */
export function helpFor(code: string): string {
  return HELP[code] ?? `explain('${code}') of antiphon/codes says what to do, and so does \`antiphon explain ${code}\`.`;
}
