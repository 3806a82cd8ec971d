/** What a player asks: segments, and whether what it loaded itself may be played. */

import type { Client } from '../client.js';

/** A client, as a player sees it. */
export abstract class MediaCalls {
  /** @internal */
  protected abstract readonly client: Client;

  /** Whether the client is up; while it is not, play over HTTP. */
  get isUp(): boolean {
    return this.client.isUp;
  }

  /** Resolves with the segment of this media sequence number, checked against its signed record. */
  segment(sequence: number, options: { bufferedMs: number; signal: AbortSignal }): Promise<ArrayBuffer> {
    return this.client.segment(sequence, options.bufferedMs, options.signal);
  }

  /**
   * Judges what the player loaded by itself: the segment of this media sequence number, or with `null` a map
   * (`EXT-X-MAP`). Resolves with the same bytes if the publisher signed them. Rejects with `isRefusal` if it did
   * not: they must not be played. Any other rejection says that nobody can tell.
   */
  check(sequence: number | null, bytes: ArrayBuffer, options: { signal: AbortSignal }): Promise<ArrayBuffer> {
    return this.client.check(sequence, bytes, options.signal);
  }

  /**
   * Tells the client which media playlist the player loaded: its absolute URL and its text. Rejects with `isRefusal` if
   * the stream that plays is another one, or its publisher did not sign the newest that is listed: it must not be followed. Any
   * other rejection says that nobody can tell.
   */
  playlist(url: string, text: string, options: { signal: AbortSignal }): Promise<void> {
    return this.client.playlist(url, text, options.signal);
  }
}
