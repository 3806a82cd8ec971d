/** hls.js around one audio element: opens, plays, recovers, and knows where the live edge is. */

import type Hls from 'hls.js';
import type { ErrorData } from 'hls.js';
import { Coming } from './coming.js';
import { antiphonLoaders, bufferedAhead, type SegmentSource } from './hls.js';

/** Wait before a fatal network error is tried again. Chosen here. */
const RETRY_MS = 2_000;
/** Distance from the live edge, in segments as they really are, that playback aims at. The default of hls.js counts
 * target durations, which are rounded up: three of 2.048 s would be nine seconds. */
const LIVE_SEGMENTS = 3;
/** After a pause longer than this many segments' time behind the aim, playing means jumping to live. */
const STALE_S = 10;

type HlsLibrary = typeof import('hls.js').default;

/** Loads hls.js, which is most of what a page loads: beside the client, not before it. */
async function loadHls(): Promise<HlsLibrary> {
  return (await import('hls.js')).default;
}

/** One stream in one audio element. */
export class Playback {
  readonly media: HTMLAudioElement;
  readonly #url: string;
  readonly #client: Coming;
  #hls: Hls | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #opening: Promise<void> | null = null;
  #isClosed = false;
  #isAimed = false;

  /** `coming` is the client that is being started, or `null` if it does not run. */
  constructor(media: HTMLAudioElement, url: string, coming: Promise<SegmentSource | null>) {
    this.media = media;
    this.#url = url;
    this.#client = new Coming(coming, (text) => this.#aim(text));
  }

  /** Loads the playlist and fills the buffer. Resolves when the element has a source; rejects if hls.js does not load. */
  open(): Promise<void> {
    this.#opening ??= loadHls().then(
      (library) => this.#start(library),
      (error: unknown) => {
        this.#opening = null;
        throw error;
      },
    );
    return this.#opening;
  }

  #start(Hls: HlsLibrary): void {
    if (this.#isClosed) return;
    if (!Hls.isSupported()) {
      this.media.src = this.#url; // iOS before Managed Media Source: plays, but alone.
      return;
    }
    const loaders = antiphonLoaders({
      client: () => this.#client,
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
    hls.on(Hls.Events.ERROR, (_event, data) => this.#recover(hls, data, data.type === Hls.ErrorTypes.MEDIA_ERROR));
    hls.attachMedia(this.media);
    hls.loadSource(this.#url);
  }

  /** Plays; after a long pause at the live edge. */
  async play(): Promise<void> {
    // Not waited for once it is open: some browsers let a page play only in the very moment of the gesture.
    if (this.#hls === null) await this.open();
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
    return this.#client.unverified;
  }

  /** Stops and frees. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#hls?.destroy();
    this.#hls = null;
    this.media.removeAttribute('src');
  }

  /** Sets the aim of live playback before hls.js reads its first playlist. */
  #aim(text: string): void {
    const seconds = meanSegment(text);
    if (this.#hls === null || this.#isAimed || seconds <= 0) return;
    this.#isAimed = true;
    this.#hls.targetLatency = LIVE_SEGMENTS * seconds;
  }

  #recover(hls: Hls, data: ErrorData, isMedia: boolean): void {
    if (!data.fatal) return;
    if (isMedia) {
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
