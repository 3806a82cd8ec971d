/**
 * A client that is being started, as if it were there and slow: what is asked of it waits, as long as the asker is
 * patient. Nothing that is played goes past the client only because it was early.
 */

import { unlessAborted } from './abort.js';
import { AntiphonError } from './error.js';
import type { SegmentSource } from './hls.js';

/** A client to come. */
export class Coming implements SegmentSource {
  readonly #coming: Promise<SegmentSource | null>;
  readonly #onPlaylist: (text: string) => void;
  #client: SegmentSource | null = null;
  /** Whether it has come, or will not. */
  #isDecided = false;
  #unverified = 0;

  /** `coming` gives `null` if the client does not run; `onPlaylist` sees every playlist before the player does. */
  constructor(coming: Promise<SegmentSource | null>, onPlaylist: (text: string) => void) {
    this.#onPlaylist = onPlaylist;
    this.#coming = coming.then((client) => {
      this.#client = client;
      this.#isDecided = true;
      return client;
    });
  }

  get isUp(): boolean {
    return this.#isDecided ? (this.#client?.isUp ?? false) : true;
  }

  get isComing(): boolean {
    return !this.#isDecided;
  }

  /** Bytes that nobody verified while there was no client to count them. */
  get unverified(): number {
    return this.#unverified;
  }

  segment(sequence: number, options: { bufferedMs: number; signal: AbortSignal }): Promise<ArrayBuffer> {
    return this.#ask(options.signal, (client) => client.segment(sequence, options));
  }

  check(sequence: number | null, bytes: ArrayBuffer, options: { signal: AbortSignal }): Promise<ArrayBuffer> {
    return this.#ask(options.signal, (client) => client.check(sequence, bytes, options));
  }

  /**
   * At once where there is a client: a segment that is asked for next must be known to it by then. Nobody waits for a
   * client that is still to come: what a first playlist lists is judged segment by segment.
   */
  async playlist(url: string, text: string, options: { signal: AbortSignal }): Promise<void> {
    this.#onPlaylist(text);
    if (this.#isDecided) {
      await this.#client?.playlist(url, text, options);
    } else {
      const untold = { signal: new AbortController().signal };
      void this.#coming.then((client) => client?.playlist(url, text, untold)).catch(() => {});
    }
  }

  countUnverified(bytes: number): void {
    if (this.#client === null) this.#unverified += bytes;
    else this.#client.countUnverified(bytes);
  }

  async #ask(
    signal: AbortSignal, question: (client: SegmentSource) => Promise<ArrayBuffer>,
  ): Promise<ArrayBuffer> {
    const client = this.#isDecided ? this.#client : await unlessAborted(this.#coming, signal);
    if (client === null) throw new AntiphonError('client/closed');
    return question(client);
  }
}
