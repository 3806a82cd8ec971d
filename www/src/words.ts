/** Stable codes in plain words. */

const WORDS: Readonly<Record<string, string>> = {
  'light/wrong-chain': 'The node speaks for another chain. Refused.',
  'light/wrong-spec': 'The node showed the rules of another chain. Refused.',
  'light/conflict': 'Two final blocks contradict each other. Nothing of this chain is believed any more.',
  'light/trust-expired': 'What we trusted last is too old. A newer checkpoint is needed.',
  'certificate/below-quorum': 'The node showed a certificate that too few have signed. Refused.',
  'playlist/no-stream': 'This stream carries no signed records. Playing over plain HTTP.',
  'playlist/wrong-stream': 'This is not the stream that this page knows. Playing over plain HTTP.',
  'playlist/bad-signature': 'The stream is not signed by the publisher that this page knows. Playing over plain HTTP.',
  'payer/deposit-exhausted': 'The pool is used up. Open another one to pay your neighbours.',
  'payer/no-pool': 'There is no pool to pay from yet.',
  'payer/pool-exists': 'There is a pool for this stream already.',
  'payer/frozen-rolled-back': 'This device lost part of what it had promised. The pool is frozen, so that nothing is paid twice.',
  'payer/frozen-other-device': 'The pool is used on another device too. It is frozen, so that nothing is paid twice.',
  'client/gave-up': 'The client crashed too often. The stream plays on over plain HTTP; reload to try again.',
  'client/panicked': 'The client crashed and was started again.',
  'client/restarted': 'The client was started again.',
  'client/not-ready': 'The chain is not known yet; wait for the first settled block.',
  'client/no-stream': 'No stream plays yet.',
  'client/nothing-to-settle': 'No voucher is worth a settlement yet.',
  'client/out-of-range': 'That sum is too large.',
  'options/invalid': 'This page was configured wrongly: chain or node are missing. Playing over plain HTTP.',
  'storage/unavailable': 'This browser does not let us store your key: the purse is gone when the page closes.',
  'storage/write-failed': 'A write to this device failed. No money moves until writing works again.',
  'wasm/blocked-by-csp': "The page's security policy forbids WebAssembly. Playing over plain HTTP.",
  'wasm/not-loaded': 'The client could not be loaded. Playing over plain HTTP.',
  'wasm/unsupported': 'This browser has no WebAssembly. Playing over plain HTTP.',
  'worker/not-loaded': 'The worker could not be loaded. Playing over plain HTTP.',
};

/** What a family of codes means when the single code has no words of its own. */
const FAMILIES: readonly (readonly [string, string])[] = [
  ['certificate/', 'The node showed a certificate that too few, or the wrong ones, have signed. Refused.'],
  ['light/', 'What the node says about the chain does not hold. Refused.'],
  ['state-proof/', 'The node showed a balance or a pool without a proof that holds. Refused.'],
  ['bls/', "A guardian's signature does not verify. Refused."],
  ['crypto/', 'A signature does not verify. Refused.'],
  ['codec/', 'Something came that cannot be read. Refused.'],
  ['frame/', 'A peer sent something that cannot be read, and was cut off.'],
  ['origin/', 'The origin sent altered sound. It was refused.'],
  ['node/', 'The node does not answer. The stream plays on; balances stand still.'],
  ['tracker/', 'The tracker does not answer. No new peers until it is back; the stream plays on.'],
  ['segment/', 'The stream carries a record that its publisher did not sign. Playing over plain HTTP.'],
  ['playlist/', 'The playlist cannot be trusted in full. Playing over plain HTTP.'],
  ['chunk/', 'A peer sent altered sound. It was refused, and the peer is cut off.'],
  ['fetch/', 'Some sound could not be had from peers; the origin gave it.'],
  ['peer/', 'A peer broke the rules and was cut off.'],
  ['refusal/', 'A peer had to refuse; another one is asked.'],
  ['link/', 'A connection to a peer was lost.'],
  ['pool/', 'The chain does not allow this for a pool.'],
  ['payer/', 'The purse cannot pay this way now.'],
  ['payee/', 'A peer sent a voucher that does not hold. It gets nothing on credit.'],
  ['wallet/', 'The purse does not allow this now.'],
  ['address/', 'That is not an address.'],
  ['amount/', 'That is not an amount.'],
  ['storage/', 'What is stored on this device cannot be read.'],
];

/** Returns a sentence for a code. */
export function words(code: string): string {
  return WORDS[code] ?? FAMILIES.find(([family]) => code.startsWith(family))?.[1] ?? `Something went wrong (${code}).`;
}
