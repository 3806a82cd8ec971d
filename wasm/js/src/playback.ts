/** hls.js around one audio element: opens, plays, recovers, and knows where the live edge is. */

import Hls, { type ErrorData } from 'hls.js';
import { AntiphonError } from './error.js';
import { antiphonLoaders, bufferedAhead, type SegmentSource } from './hls.js';

/** Wait before a fatal network error is tried again. Chosen here. */
const RETRY_MS = 2_000;
/** Distance from the live edge, in segments as they really are, that playback aims at. The default of hls.js counts
 * target durations, which are rounded up: three of 2.048 s would be nine seconds. */
const LIVE_SEGMENTS = 3;
/** After a pause longer than this many segments' time behind the aim, playing means jumping to live. */
const STALE_S = 10;

/** One stream in one audio element. */
export class Playback {
  readonly media: HTMLAudioElement;
  readonly #url: string;
  readonly #client: () => SegmentSource | null;
  #hls: Hls | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #isOpen = false;
  #isAimed = false;
  #unverified = 0;

  constructor(media: HTMLAudioElement, url: string, client: () => SegmentSource | null) {
    this.media = media;
    this.#url = url;
    this.#client = client;
  }

  /** Loads the playlist and fills the buffer. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    if (!Hls.isSupported()) {
      this.media.src = this.#url; // iOS before Managed Media Source: plays, but alone.
      return;
    }
    const loaders = antiphonLoaders({
      client: () => this.#source(),
      plain: Hls.DefaultConfig.loader,
      media: () => this.media,
    });
    const hls = new Hls({
      ...loaders,
      enableWorker: false, // Its worker is a blob, which a strict policy refuses; fMP4 needs none.
      liveSyncDurationCount: LIVE_SEGMENTS,
      backBufferLength: 30,
    });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_event, data) => this.#recover(hls, data));
    hls.attachMedia(this.media);
    hls.loadSource(this.#url);
  }

  /** Plays; after a long pause at the live edge. */
  async play(): Promise<void> {
    this.open();
    if (this.media.paused && this.behindEdge() > STALE_S) this.goLive();
    await this.media.play();
  }

  /** Pauses. */
  pause(): void {
    this.media.pause();
  }

  /** Jumps to where live playback aims. */
  goLive(): void {
    const edge = this.#hls?.liveSyncPosition ?? null;
    if (edge !== null) this.media.currentTime = edge;
  }

  /** Seconds between the aim of live playback and the playhead. */
  behindEdge(): number {
    const edge = this.#hls?.liveSyncPosition ?? null;
    return edge === null ? 0 : Math.max(0, edge - this.media.currentTime);
  }

  /** Seconds between the broadcast (`EXT-X-PROGRAM-DATE-TIME`) and what is heard. */
  delay(): number | null {
    const heard = this.#hls?.playingDate ?? null;
    return heard === null ? null : Math.max(0, (Date.now() - heard.getTime()) / 1000);
  }

  /** Seconds of audio ready ahead of the playhead. */
  buffered(): number {
    return bufferedAhead(this.media) / 1000;
  }

  /** Bytes that were played while there was no client to count them. */
  get unverified(): number {
    return this.#unverified;
  }

  /** Stops and frees. */
  close(): void {
    clearTimeout(this.#retry);
    this.#hls?.destroy();
    this.#hls = null;
    this.media.removeAttribute('src');
  }

  /** The client, and an eye on the playlist before hls.js reads it. */
  #source(): SegmentSource {
    const client = this.#client();
    return {
      isUp: client?.isUp ?? false,
      segment: (sequence, options) =>
        client?.segment(sequence, options) ?? Promise.reject(new AntiphonError('client/closed')),
      check: (sequence, bytes, options) =>
        client?.check(sequence, bytes, options) ?? Promise.reject(new AntiphonError('client/closed')),
      countUnverified: (bytes) => {
        if (client === null) this.#unverified += bytes;
        else client.countUnverified(bytes);
      },
      playlist: (url, text) => {
        const seconds = meanSegment(text);
        if (this.#hls !== null && !this.#isAimed && seconds > 0) {
          this.#isAimed = true;
          this.#hls.targetLatency = LIVE_SEGMENTS * seconds;
        }
        client?.playlist(url, text);
      },
    };
  }

  #recover(hls: Hls, data: ErrorData): void {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      return;
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#hls !== hls) return;
      if (hls.levels.length === 0) hls.loadSource(this.#url);
      else hls.startLoad();
    }, RETRY_MS);
  }
}

/** Returns the mean duration of a playlist's segments in seconds, 0 if it has none. */
function meanSegment(text: string): number {
  const durations = [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].map((match) => Number(match[1]));
  return durations.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, durations.length);
}
