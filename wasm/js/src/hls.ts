/**
 * Loaders for hls.js: segments come from the client, everything else (and everything it cannot give) over plain HTTP.
 *
 * ```text
 * segment --want--> client --delivered--> player
 *                     '----failed, patience----> plain loader --> check
 * segment, before there is a client ------------> plain loader --> check
 * map (`EXT-X-MAP`) ----------------------------> plain loader --> check
 *
 * check --bytes--> client --delivered-------> player
 *                    |------refused---------> error; hls.js tries again
 *                    '------failed, patience-> player, counted as unverified
 *
 * playlist -> plain loader --text--> client --delivered, failed, patience--> player
 *                                      '-----refused--> error; hls.js keeps what it has and tries again
 * ```
 *
 * Audio never stops because of us: each answer of the client has a time limit, after which the origin is asked.
 * But what is not what the publisher signed is no audio: where the client can tell, it never reaches the player.
 */

import type {
  FragmentLoaderContext, HlsConfig, Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext, PlaylistContextType, PlaylistLoaderContext,
} from 'hls.js';
import { AntiphonError } from './error.js';

/** What the loaders need of a client. */
export interface SegmentSource {
  readonly isUp: boolean;
  /** Whether it is only being started: it can judge what came meanwhile. */
  readonly isComing?: boolean;
  segment(sequence: number, options: { bufferedMs: number; signal: AbortSignal }): Promise<ArrayBuffer>;
  /** Judges a segment, or with `null` a map. A rejection with `isRefusal` forbids it; any other says that nobody can tell. */
  check(sequence: number | null, bytes: ArrayBuffer, options: { signal: AbortSignal }): Promise<ArrayBuffer>;
  /** Reads a playlist. A rejection with `isRefusal` forbids to follow it. */
  playlist(url: string, text: string, options: { signal: AbortSignal }): Promise<void>;
  /** Told of bytes that are played and that nobody verified. */
  countUnverified(bytes: number): void;
}

/** What the loaders are made from. */
export interface LoaderOptions {
  /** The client, or `null` while there is none. Asked for each segment. */
  client: () => SegmentSource | null;
  /** `Hls.DefaultConfig.loader`. */
  plain: HlsConfig['loader'];
  /** The element that plays; tells how urgent a segment is. */
  media: () => HTMLMediaElement | null;
}

/** What to spread into the configuration of hls.js. */
export interface AntiphonLoaders {
  fLoader: NonNullable<HlsConfig['fLoader']>;
  pLoader: NonNullable<HlsConfig['pLoader']>;
}

/** Shortest time that the client gets, with an empty buffer. Chosen here. */
const MIN_PATIENCE_MS = 2_500;
/** Longest time that the client gets, however full the buffer. Chosen here: below hls.js' own first-byte limit. */
const MAX_PATIENCE_MS = 8_000;
/** Time that the client gets to judge a segment that it could not bring: by then it has used up its patience. Chosen here. */
const CHECK_PATIENCE_MS = 1_000;
/** Part of the buffered time that may be spent waiting for the client before the origin is asked. */
const PATIENCE_SHARE = 0.5;
/**
 * Part of a segment's duration that its loading is said to have taken at most, where the client brought it. How long it
 * waited for a peer says nothing of the line; that it came in time says that the line suffices. Chosen here: a quarter,
 * so that hls.js dares to step up to the next rendition, and learns better where that one has to come from the origin.
 */
const LOAD_SHARE = 0.25;
/** Longest playlist that anybody reads: `MAX_PLAYLIST_BYTES` of `core/src/delivery/playlist.rs`. */
const MAX_PLAYLIST_BYTES = 4 << 20;

/** Makes the two loader classes. */
export function antiphonLoaders(options: LoaderOptions): AntiphonLoaders {
  const Plain = options.plain as unknown as new (config: HlsConfig) => Loader<LoaderContext>;

  /** What both are without the client: a plain loader, and what is asked of it passed on. */
  abstract class OverPlain<C extends LoaderContext> implements Loader<C> {
    readonly #plain: Loader<LoaderContext>;
    #abort: AbortController | null = null;
    #callbacks: LoaderCallbacks<C> | null = null;
    context: C | null = null;
    stats: Loader<LoaderContext>['stats'];

    constructor(config: HlsConfig) {
      this.#plain = new Plain(config);
      this.stats = this.#plain.stats;
    }

    abstract load(context: C, config: LoaderConfiguration, callbacks: LoaderCallbacks<C>): void;

    abort(): void {
      const abort = this.#abort;
      if (abort === null) {
        this.#plain.abort();
        return;
      }
      const { context } = this;
      const callbacks = this.#callbacks;
      this.#abort = null;
      this.#callbacks = null;
      this.stats.aborted = true;
      abort.abort();
      if (context !== null) callbacks?.onAbort?.(this.stats, context, null);
    }

    destroy(): void {
      this.#callbacks = null;
      this.#abort?.abort();
      this.#abort = null;
      this.#plain.destroy();
      this.context = null;
    }

    getCacheAge(): number | null {
      return this.#plain.getCacheAge?.() ?? null;
    }

    getResponseHeader(name: string): string | null {
      return this.#plain.getResponseHeader?.(name) ?? null;
    }

    protected begin(context: C, callbacks: LoaderCallbacks<C>): void {
      this.context = context;
      this.#callbacks = callbacks;
    }

    /**
     * Asks the client for so many milliseconds, in place of what it was asked before. Nothing comes of it once this
     * loader was aborted. Returns the signal that tells when it is over.
     */
    protected ask<A>(
      patience: number, question: (signal: AbortSignal) => Promise<A>,
      onAnswer: (answer: A) => void, onFailure: (error: unknown) => void,
    ): AbortSignal {
      const before = this.#abort;
      const abort = new AbortController();
      this.#abort = abort;
      const timer = setTimeout(() => abort.abort(), patience);
      const done = <T>(act: (result: T) => void) => (result: T): void => {
        clearTimeout(timer);
        if (this.#abort !== abort) return;
        this.#abort = null;
        abort.abort();
        act(result);
      };
      question(abort.signal).then(done(onAnswer), done(onFailure));
      before?.abort(); // Only now: the client keeps what it has begun for whom still wants it.
      return abort.signal;
    }

    protected loadPlain(context: C, config: LoaderConfiguration, callbacks: LoaderCallbacks<C>): void {
      this.#plain.load(context, config, callbacks as unknown as LoaderCallbacks<LoaderContext>);
    }
  }

  class SegmentLoader extends OverPlain<FragmentLoaderContext> {
    override load(
      context: FragmentLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): void {
      const client = options.client();
      this.begin(context, callbacks);
      const { sn } = context.frag;
      if (client === null || !client.isUp || context.part !== null) {
        this.loadPlain(context, config, this.#counted(client, callbacks));
      } else if (sn === 'initSegment') {
        // All the time there is: an origin that keeps the client busy must not get a map past it.
        this.loadPlain(context, config, this.#checked(client, null, MAX_PATIENCE_MS, callbacks));
      } else if (context.rangeEnd) {
        this.loadPlain(context, config, this.#counted(client, callbacks)); // Records are of whole files.
      } else if (client.isComing) {
        // It will know no peer yet, and would ask the origin: so the segment is here when it comes.
        this.loadPlain(context, config, this.#checked(client, sn, MAX_PATIENCE_MS, callbacks));
      } else {
        this.#loadFrom(client, sn, context, config, callbacks);
      }
    }

    #loadFrom(
      client: SegmentSource, sn: number, context: FragmentLoaderContext, config: LoaderConfiguration,
      callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): void {
      this.stats.loading.start = performance.now();
      const media = options.media();
      const ask = (): void => {
        const bufferedMs = bufferedAhead(media);
        const patience = Math.min(MAX_PATIENCE_MS, Math.max(MIN_PATIENCE_MS, bufferedMs * PATIENCE_SHARE));
        const signal = this.ask(
          patience,
          (of) => client.segment(sn, { bufferedMs, signal: of }),
          (data) => this.#deliver(data, context, callbacks),
          () => {
            this.stats.loading.start = 0;
            this.loadPlain(context, config, this.#checked(client, sn, CHECK_PATIENCE_MS, callbacks));
          },
        );
        // Who jumps nearer to what is being fetched needs it sooner.
        media?.addEventListener('seeking', ask, { once: true, signal });
      };
      ask();
    }

    /** Lets the client judge what the plain loader brings before the player gets it. */
    #checked(
      client: SegmentSource, sequence: number | null, patience: number, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): LoaderCallbacks<FragmentLoaderContext> {
      return this.#after(callbacks, (response, stats, context, details) => this.ask(
        patience,
        (signal) => client.check(sequence, response.data as ArrayBuffer, { signal }),
        (data) => hand(callbacks, { ...response, data }, stats, context, details),
        (error) => {
          if (error instanceof AntiphonError && error.isRefusal) {
            callbacks.onError({ code: 0, text: error.code }, context, details, stats);
          } else {
            this.#counted(client, callbacks).onSuccess(response, stats, context, details);
          }
        },
      ));
    }

    /** Gives the player what nobody judges, and has it counted. */
    #counted(
      client: SegmentSource | null, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): LoaderCallbacks<FragmentLoaderContext> {
      return this.#after(callbacks, (response, stats, context, details) => {
        client?.countUnverified((response.data as ArrayBuffer).byteLength);
        hand(callbacks, response, stats, context, details);
      });
    }

    /** The same callbacks but for success. No `onProgress`: no part may pass before the whole is judged. */
    #after(
      { onError, onTimeout, onAbort }: LoaderCallbacks<FragmentLoaderContext>,
      onSuccess: LoaderCallbacks<FragmentLoaderContext>['onSuccess'],
    ): LoaderCallbacks<FragmentLoaderContext> {
      return { onSuccess, onError, onTimeout, ...(onAbort && { onAbort }) };
    }

    #deliver(
      data: ArrayBuffer, context: FragmentLoaderContext, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): void {
      const { stats } = this;
      const end = performance.now();
      stats.loading.start = Math.max(stats.loading.start, end - context.frag.duration * 1000 * LOAD_SHARE);
      stats.loading.first = end;
      stats.loading.end = end;
      stats.loaded = data.byteLength;
      stats.total = data.byteLength;
      stats.chunkCount = 1;
      stats.bwEstimate = (data.byteLength * 8000) / Math.max(1, end - stats.loading.start);
      hand(callbacks, { url: context.url, data, code: 200 }, stats, context, null);
    }
  }

  class PlaylistLoader extends OverPlain<PlaylistLoaderContext> {
    override load(
      context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<PlaylistLoaderContext>,
    ): void {
      this.begin(context, callbacks);
      this.loadPlain(context, config, {
        ...callbacks,
        onSuccess: (response, stats, ctx, details) => {
          const text = typeof response.data === 'string' ? response.data : '';
          const refuse = (code: string): void => callbacks.onError({ code: 0, text: code }, ctx, details, stats);
          const follow = (): void => {
            if (text.length > MAX_PLAYLIST_BYTES) refuse('playlist/too-long');
            else callbacks.onSuccess(response, stats, ctx, details);
          };
          // One character too many is enough to be refused; all of it could make the client run out of memory.
          const read = text.slice(0, MAX_PLAYLIST_BYTES + 1);
          // The list of renditions is between the player and the origin: only the first thing that is loaded may be one.
          const isList = context.type === ('manifest' as PlaylistContextType) && read.includes('#EXT-X-STREAM-INF:');
          const client = options.client();
          if (client === null || (isList && !read.includes('#EXTINF:'))) {
            follow();
            return;
          }
          const url = new URL(response.url || context.url, document.baseURI).href;
          this.ask(CHECK_PATIENCE_MS, (signal) => client.playlist(url, read, { signal }), follow, (error) => {
            if (error instanceof AntiphonError && error.isRefusal) refuse(error.code);
            else follow();
          });
        },
      });
    }
  }

  return {
    fLoader: SegmentLoader as unknown as AntiphonLoaders['fLoader'],
    pLoader: PlaylistLoader as unknown as AntiphonLoaders['pLoader'],
  };
}

/** Hands the player the whole of a segment; where hls.js loads progressively, it takes the bytes as progress. */
function hand(
  callbacks: LoaderCallbacks<FragmentLoaderContext>,
  ...[response, stats, context, details]: Parameters<LoaderCallbacks<FragmentLoaderContext>['onSuccess']>
): void {
  callbacks.onProgress?.(stats, context, response.data as ArrayBuffer, details);
  callbacks.onSuccess(response, stats, context, details);
}

/** Returns the milliseconds of audio buffered ahead of the playhead. */
export function bufferedAhead(media: HTMLMediaElement | null): number {
  if (media === null) return 0;
  const { buffered, currentTime } = media;
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) <= currentTime + 0.1 && currentTime < buffered.end(i)) {
      return Math.floor((buffered.end(i) - currentTime) * 1000);
    }
  }
  return 0;
}
