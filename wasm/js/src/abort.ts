/** Waiting that may be given up. */

import { AntiphonError } from './error.js';

/** Resolves as `promise` does, unless the signal comes first: then it rejects with `client/aborted`. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new AntiphonError('client/aborted'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
