/** Stable codes in plain words. */

const WORDS: Readonly<Record<string, string>> = {
  'client/gave-up': 'The client crashed too often. The stream plays on over plain HTTP; reload to try again.',
  'client/panicked': 'The client crashed and was started again.',
  'client/restarted': 'The client was started again.',
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
  ['certificate/', 'The node showed a certificate that too few have signed. Refused.'],
  ['checkpoint/', 'The node showed a checkpoint that does not hold. Refused.'],
  ['proof/', 'The node showed a proof that does not hold. Refused.'],
  ['light/', 'What the node says about the chain does not hold. Refused.'],
  ['chain/', 'The node speaks for another chain, or its headers do not hold. Refused.'],
  ['set/', 'The node showed a committee that does not match the chain. Refused.'],
  ['crypto/', 'A signature does not verify. Refused.'],
  ['codec/', 'Something came that cannot be read. Refused.'],
  ['node/', 'The node does not answer. The stream plays on; balances stand still.'],
  ['tracker/', 'The tracker does not answer. No new peers until it is back; the stream plays on.'],
  ['record/', 'The stream carries a record that its publisher did not sign. Playing over plain HTTP.'],
  ['playlist/', 'The playlist cannot be read in full. Playing over plain HTTP.'],
  ['chunk/', 'A peer sent altered sound. It was refused, and the peer is cut off.'],
  ['delivery/', 'Some sound could not be had from peers; the origin gave it.'],
  ['peer/', 'A peer broke the rules and was cut off.'],
  ['link/', 'A connection to a peer was lost.'],
  ['pool/', 'The pool does not allow this.'],
  ['voucher/', 'A peer sent a voucher that does not hold.'],
  ['wallet/', 'The purse does not allow this now.'],
  ['transaction/', 'The chain refused a transaction.'],
  ['amount/', 'That is not an amount.'],
  ['storage/', 'What is stored on this device cannot be read.'],
];

/** Returns a sentence for a code. */
export function words(code: string): string {
  return WORDS[code] ?? FAMILIES.find(([family]) => code.startsWith(family))?.[1] ?? `Something went wrong (${code}).`;
}
