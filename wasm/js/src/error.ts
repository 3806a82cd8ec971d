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

const RETRYABLE = new Set([
  'call/full', 'call/interrupted', 'client/restarted', 'client/not-ready', 'client/stale', 'client/suspended', 'lookup/ahead', 'lookup/busy', 'lookup/not-ready', 'lookup/unreachable', 'wasm/not-loaded', 'secret/failed', 'segment/patience', 'storage/in-use', 'storage/write-failed',
]);

/** Codes that the host itself gives. */
const HELP: Readonly<Record<string, string>> = {
  'call/full': 'Too many calls are undecided or not yet read; read next_event() and say event_handled().',
  'call/key-reused': 'This key was used for another call; take a new key for each thing that is wanted once.',
  'call/unknown-key': 'No call of this key is known here.',
  'client/aborted': 'The caller aborted it.',
  'client/closed': 'Call connect() again; this one was closed.',
  'client/restarted': 'The client crashed and was started again; ask again.',
  'client/panicked': 'The client crashed; this is our bug, please report it with the message.',
  'client/gave-up': 'The client crashed too often; playback goes on over HTTP. Reload the page.',
  'client/leader-left': 'The tab that ran the client is gone; another one runs it now. Nothing is lost.',
  'client/not-ready': 'The chain is not known yet; wait for the first settled block.',
  'client/stale': 'What is known of the chain is too old to spend on; wait for a newer block.',
  'client/suspended': 'The client sleeps; call resume() first.',
  'client/no-stream': 'No stream plays; play one first.',
  'client/no-tracker': 'A room needs a tracker; pass `tracker` to connect().',
  'tracker/no-token': 'This tracker lets only those in whom the publisher gave a token; pass `token` to connect().',
  'client/playing': 'A stream plays; its listeners are the room.',
  'client/gift-too-small': 'A gift must be worth more than what it costs its payee to settle it.',
  'client/out-of-range': 'The sum is larger than an amount can be.',
  'client/nothing-to-settle': 'No voucher is worth a settlement yet.',
  'client/nothing-to-release': 'No pool is past its freeze yet.',
  'client/bad-input': 'The client cannot read what it was given: a value of the wrong shape, or page and wasm of two versions.',
  'field/not-evidence': 'This is no file of evidence, or one of a newer version.',
  'field/not-payment': 'The file is about something else than one payment; `antiphon evidence check` reads it.',
  'field/other-block': 'The header of the block that the file names commits other fields: the file proves nothing on this chain.',
  'light/split': 'Guardians signed two final blocks of one height; keep forkProof(), and believe nothing of this chain.',
  'lookup/ahead': 'The chain has no block of this height yet.',
  'lookup/busy': 'Too many look-ups are under way; wait for one.',
  'lookup/missing': 'Nobody serves a file that the proof needs; ask another node.',
  'lookup/not-checkpoint': 'Checkpoints are at multiples of snapshot().chain.spec.interval.',
  'lookup/not-ready': 'The chain is not known yet; wait for the first head.',
  'lookup/no-stake': 'This chain has no staking.',
  'lookup/too-far': 'Too many checkpoints lie between what is trusted and this block.',
  'lookup/unreachable': 'The node did not answer, or has no state of that block any more; ask again.',
  'map/not-signed': 'The publisher did not sign this initialisation segment; whoever served it altered it. It is not played.',
  'map/too-long': 'An initialisation segment has at most 64 KiB; this one is not played.',
  'options/invalid': 'Check the options of connect(): chain and publisher are 64 hexadecimal digits, node is a URL.',
  'player/not-decoded': 'This browser cannot decode the sound of this stream; on Linux, Firefox needs the libavcodec of the system for AAC.',
  'player/not-loaded': 'hls.js did not load; serve what your bundler makes of it beside your script.',
  'secret/failed': 'The store of secrets did not answer; unlock the device and ask again.',
  'secret/missing': 'There is no wallet of this name; create or restore one.',
  'secret/taken': 'There is a wallet of this name already; remove it first, once its words are written down.',
  'segment/patience': 'The client took too long for this segment; it was fetched over HTTP instead.',
  'sign-in/bad-expiry': 'A sign-in expires within ten minutes; ask the site for another, and see that the clock of this device is right.',
  'sign-in/bad-origin': 'Only a page of a web site can sign in at it; this one is a file, or in a sandbox.',
  'storage/in-use': 'The file of the client is in use; only one client may run with it.',
  'storage/unavailable': 'This browser gives no IndexedDB here; the account lives as long as the page.',
  'storage/write-failed': 'A write did not become durable; no money moves until it does. Free some space.',
  'wasm/blocked-by-csp': "Add 'wasm-unsafe-eval' to script-src in the Content-Security-Policy of the page.",
  'wasm/not-loaded': 'The .wasm file did not load, or is not what `integrity` says; serve antiphon_bg.wasm beside your script as application/wasm, or say where it is by `wasm`.',
  'wasm/unsupported': 'This browser has no WebAssembly.',
  'worker/not-loaded': 'The worker did not load; serve worker.js beside the page script and allow worker-src.',
  'worker/unsupported': 'There are no workers here, as on a server; connect() in a page, or pass a function that makes one by `worker`.',
  'worker/used': 'A worker that was made for connect() has crashed; pass a function that makes one, and it is started again.',
};

/** Returns one sentence on what to do about a code. */
export function helpFor(code: string): string {
  return HELP[code] ?? 'See the list of codes in the documentation.';
}
