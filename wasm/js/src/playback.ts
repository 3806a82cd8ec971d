/** hls.js around one audio element: opens, plays, recovers, and knows where the live edge is. */

import type Hls from 'hls.js';
import type { ErrorData } from 'hls.js';
import { Coming } from './coming.js';
import { AntiphonError } from './error.js';
import { Heard, type PlaybackView } from './heard.js';
import { antiphonLoaders, bufferedAhead, type SegmentSource } from './hls.js';
import { leisurely } from './leisure.js';
import { Recount } from './recount.js';

/** Wait before a fatal network error is tried again. Chosen here. */
const RETRY_MS = 2_000;
/** Distance from the live edge, in segments as they really are, that playback aims at. The default of hls.js counts
 * target durations, which are rounded up: three of 2.048 s would be nine seconds. */
const LIVE_SEGMENTS = 3;
/** After a pause that leaves it further behind the aim than this, in seconds, playing means jumping to live. */
const STALE_S = 10;
/** The same for who hears the stream for the first time: a page may have been open for long before that. Chosen here: one segment. */
const FRESH_S = 2;
/** Sound that is ready where live playback begins, in seconds, so that it does not end at once. Chosen here: what an origin on a slow line needs for a segment. */
const LEAD_S = 2.5;
/** What may be given up of the aim for it. Chosen here: more than lies between two looks at a playlist of short segments. */
const MAX_YIELD_S = 4;
/** Media errors in a row, with no sound between them, after which the browser is taken not to decode the stream. Chosen here: hls.js knows two ways to recover. */
const MAX_RECOVERIES = 3;

/** One quality of a stream. */
export interface Rendition {
  /** Bits per second, as the playlist of renditions says. */
  bitrate: number;
  /** As RFC 6381 writes it, or `null` if the playlist does not say. */
  codec: string | null;
}

/** Who is told what goes wrong. */
export interface Told {
  /** The browser cannot play the stream. */
  fail(error: AntiphonError): void;
  /** Something is not as it could be, by its code; it is played all the same. */
  trouble(code: string): void;
}

/** How often it is looked whether the page slept: a timer that is later than {@link SLEPT_MS} says so. Chosen here. */
const LOOK_MS = 1_000;
const SLEPT_MS = 10_000;
/** So long after a sleep playback is brought to the live edge: what the playlist lists by then must be read first. Chosen here. */
const WAKING_MS = 20_000;

type HlsLibrary = typeof import('hls.js').default;

/**
 * Loads hls.js, which is most of what a page loads: beside the client, not before it. Its light build has all that a live stream of
 * audio is played with, and is a third smaller; subtitles, digital rights and audio beside a video are left out.
 */
async function loadHls(): Promise<HlsLibrary> {
  return (await import('hls.js/light')).default;
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
  #isToldOfParts = false;
  /** Whether somebody wants sound: an element that is given another source pauses without a word. */
  #isWished = false;

  readonly #behind: number | null;
  readonly #life = new AbortController();
  readonly #heard: Heard;
  #chosen: number | null = null;
  #recoveries = 0;
  readonly #recount = new Recount();
  readonly #fail: (error: AntiphonError) => void;
  readonly #trouble: (code: string) => void;

  /**
   * `coming` is the client that is being started, or `null` if it does not run; `behind` the seconds behind the newest
   * segment that live playback aims at, `null` for {@link LIVE_SEGMENTS}.
   */
  constructor(media: HTMLAudioElement, url: string, coming: Promise<SegmentSource | null>, behind: number | null, { fail, trouble }: Told) {
    this.media = media;
    this.#url = url;
    this.#behind = behind;
    this.#fail = fail;
    this.#trouble = trouble;
    const { signal } = this.#life;
    media.addEventListener('playing', () => void (this.#recoveries = 0), { signal });
    media.addEventListener('play', () => void (this.#isWished = true), { signal });
    media.addEventListener('pause', () => void (this.#isWished = false), { signal });
    this.#heard = new Heard(media, this.#life.signal);
    this.#client = new Coming(coming, (text) => {
      this.#aim(text);
      this.#tellOfParts(text);
    });
    this.#outliveFreezing();
    this.#outliveSleep();
    this.#outliveRecount();
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
      ...leisurely(Hls.DefaultConfig, this.media, this.#life.signal),
      lowLatencyMode: false, // Nobody signs parts of segments (RFC 8216bis): none could be verified before it is heard, or carried.
      startFragPrefetch: true, // Otherwise the first segment is asked for a tick after the element is ready for it.
      enableWorker: false, // Its worker is a blob, which a strict policy refuses; fMP4 needs none.
      ...(this.#behind === null ? { liveSyncDurationCount: LIVE_SEGMENTS } : { liveSyncDuration: this.#behind }),
      backBufferLength: 30,
    });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_event, data) => this.#recover(hls, data, data.type === Hls.ErrorTypes.MEDIA_ERROR));
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      if (this.#chosen !== null && this.#chosen in hls.levels) hls.loadLevel = this.#chosen;
    });
    hls.on(Hls.Events.MANIFEST_LOADING, () => this.#recount.forget());
    hls.on(Hls.Events.FRAG_LOADED, (_event, { frag: { level, sn } }) => {
      if (sn !== 'initSegment') this.#recount.loaded(level, sn);
    });
    hls.attachMedia(this.media);
    hls.loadSource(this.#url);
  }

  /** Plays; after a long pause at the live edge, and after the end whatever the playlist lists by now. */
  async play(): Promise<void> {
    this.#heard.wish();
    // Not waited for once it is open: some browsers let a page play only in the very moment of the gesture.
    if (this.#hls === null) await this.open();
    if (this.media.ended) this.#hls?.loadSource(this.#url);
    else if (this.media.paused && this.behindEdge() > (this.media.played.length === 0 ? FRESH_S : STALE_S)) this.goLive();
    await this.media.play();
  }

  /** Pauses. */
  pause(): void {
    this.media.pause();
  }

  /** Jumps to where live playback aims; in a stream that has ended nowhere. */
  goLive(): void {
    if (this.left() !== null) return;
    const edge = this.#hls?.liveSyncPosition ?? null;
    if (edge !== null) this.media.currentTime = withLead(edge, this.media.buffered);
  }

  /** Seconds until the end if the playlist says that nothing follows; `null` of a stream that goes on. */
  left(): number | null {
    const details = this.#hls?.latestLevelDetails ?? null;
    if (details === null || details.live) return null;
    return this.media.ended ? 0 : Math.max(0, details.edge - this.media.currentTime);
  }

  /** Seconds between the aim of live playback and the playhead. */
  behindEdge(): number {
    const edge = this.left() === null ? (this.#hls?.liveSyncPosition ?? null) : null;
    return edge === null ? 0 : Math.max(0, edge - this.media.currentTime);
  }

  /** Seconds between the broadcast (`EXT-X-PROGRAM-DATE-TIME`) and what is heard; `null` at the end, too. */
  delay(): number | null {
    const heard = this.#hls?.playingDate ?? null;
    return heard === null || this.media.ended ? null : Math.max(0, (Date.now() - heard.getTime()) / 1000);
  }

  /** The renditions that there are, once the playlist was read; of a stream without a list, the only one. */
  renditions(): Rendition[] {
    return (this.#hls?.levels ?? []).map(({ bitrate, audioCodec }) => ({ bitrate, codec: audioCodec ?? null }));
  }

  /** Which rendition is heard, or `null` before there is sound. */
  rendition(): number | null {
    const level = this.#hls?.currentLevel ?? -1;
    return level < 0 ? null : level;
  }

  /** Which rendition was chosen, or `null` if none was: whichever the line suffices for is played. */
  get chosen(): number | null {
    return this.#chosen;
  }

  /** Plays one rendition, or with `null` whichever the line suffices for; from the next segment that is loaded. One that there is not changes nothing. */
  choose(rendition: number | null): void {
    const count = this.#hls?.levels.length ?? 0;
    if (rendition !== null && count > 0 && !(rendition in this.renditions())) throw new AntiphonError('options/invalid');
    this.#chosen = rendition;
    if (this.#hls !== null && count > 0) this.#hls.loadLevel = rendition ?? -1;
  }

  /** Seconds of audio ready ahead of the playhead. */
  buffered(): number {
    return bufferedAhead(this.media) / 1000;
  }

  /** Playback as it is heard. */
  get view(): PlaybackView {
    return { ...this.#heard.counts, delayS: this.delay(), bufferedS: this.buffered(), leftS: this.left() };
  }

  /** Bytes that were played while there was no client to count them. */
  get unverified(): number {
    return this.#client.unverified;
  }

  /** Stops and frees. */
  close(): void {
    this.#isClosed = true;
    this.#life.abort();
    clearTimeout(this.#retry);
    this.#hls?.destroy();
    this.#hls = null;
    this.media.removeAttribute('src');
  }

  /** Says once that whole segments are played, though the playlist offers parts of them. */
  #tellOfParts(text: string): void {
    if (this.#isToldOfParts || !text.includes('\n#EXT-X-PART:')) return;
    this.#isToldOfParts = true;
    this.#trouble('playlist/parts');
  }

  /** A browser that freezes a hidden page pauses what it plays, and does not play it again. */
  #outliveFreezing(): void {
    const { signal } = this.#life;
    let wasPlaying = false;
    document.addEventListener('freeze', () => void (wasPlaying = !this.media.paused), { signal });
    document.addEventListener('resume', () => {
      // It may want a gesture first; then the button says that it is paused.
      if (wasPlaying && this.media.paused) this.play().catch(() => {});
    }, { signal });
  }

  /** A page that slept while it played goes on where it was, which nobody broadcasts any more. No event tells of a machine that slept. */
  #outliveSleep(): void {
    let last = performance.now();
    let awakeAt = -Infinity;
    const timer = setInterval(() => {
      const now = performance.now();
      if (now - last > SLEPT_MS) awakeAt = now;
      last = now;
      if (now - awakeAt < WAKING_MS && !this.media.paused && !this.media.seeking && this.behindEdge() > STALE_S) this.goLive();
    }, LOOK_MS);
    this.#life.signal.addEventListener('abort', () => clearInterval(timer));
  }

  /** A publisher that has lost its memory counts anew. hls.js would wait in silence until the numbers are those that it has played. */
  #outliveRecount(): void {
    const timer = setInterval(() => {
      const hls = this.#hls;
      const details = hls?.latestLevelDetails ?? null;
      const level = details?.fragments[0]?.level;
      if (hls === null || details === null || level === undefined) return;
      const isSilent = !this.media.paused && this.media.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && hls.inFlightFragments.main?.state === 'IDLE';
      const look = { level, newest: details.endSN, targetMs: details.targetduration * 1000, isSilent };
      if (!this.#recount.isSure(look, performance.now())) return;
      hls.loadSource(this.#url);
      this.media.play().catch(() => {}); // It may want a gesture first; then the button says that it is paused.
    }, LOOK_MS);
    this.#life.signal.addEventListener('abort', () => clearInterval(timer));
  }

  /** Sets the aim of live playback before hls.js reads its first playlist. */
  #aim(text: string): void {
    const seconds = meanSegment(text);
    if (this.#hls === null || this.#isAimed || this.#behind !== null || seconds <= 0) return;
    this.#isAimed = true;
    this.#hls.targetLatency = LIVE_SEGMENTS * seconds;
  }

  #recover(hls: Hls, data: ErrorData, isMedia: boolean): void {
    if (!data.fatal) return;
    if (isMedia) {
      this.#recoveries += 1;
      // What a browser has no decoder for does not get one by trying.
      if (this.#recoveries <= MAX_RECOVERIES && !data.details.endsWith('IncompatibleCodecsError')) {
        hls.recoverMediaError();
        if (this.#isWished) this.media.play().catch(() => {});
        return;
      }
      hls.destroy();
      this.#hls = null;
      return this.#fail(new AntiphonError('player/not-decoded', data.details, data.error));
    }
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.#hls !== hls) return;
      if (hls.levels.length === 0) hls.loadSource(this.#url);
      else hls.startLoad();
    }, RETRY_MS);
  }
}

/** Returns where to play instead of `aim` so that the sound that is `held` lasts for {@link LEAD_S}; `aim` if that is too far back. */
export function withLead(aim: number, held: TimeRanges): number {
  for (let i = held.length - 1; i >= 0; i -= 1) {
    if (held.start(i) > aim) continue;
    const place = Math.max(held.start(i), Math.min(aim, held.end(i) - LEAD_S));
    return aim - place > MAX_YIELD_S ? aim : place;
  }
  return aim;
}

/** Returns the mean duration of a playlist's segments in seconds, 0 if it has none. */
function meanSegment(text: string): number {
  const durations = [...text.matchAll(/^#EXTINF:([\d.]+)/gm)].map((match) => Number(match[1]));
  return durations.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, durations.length);
}
