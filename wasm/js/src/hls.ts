/**
 * Loaders for hls.js: segments come from the client, everything else (and everything it cannot give) over plain HTTP.
 *
 * ```text
 * segment --want--> client --delivered--> player
 *                     |----failed-------> plain loader --> player
 *                     '----patience-----> plain loader --> player
 * ```
 *
 * Audio never stops because of us: each answer of the client has a time limit, after which the origin is asked.
 */

import type {
  FragmentLoaderContext, HlsConfig, Loader, LoaderCallbacks, LoaderConfiguration, LoaderContext, PlaylistLoaderContext,
} from 'hls.js';

/** What the loaders need of a client. */
export interface SegmentSource {
  readonly isUp: boolean;
  segment(sequence: number, options: { bufferedMs: number; signal: AbortSignal }): Promise<ArrayBuffer>;
  playlist(url: string, text: string): void;
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
/** Part of the buffered time that may be spent waiting for the client before the origin is asked. */
const PATIENCE_SHARE = 0.5;

/** Makes the two loader classes. */
export function antiphonLoaders(options: LoaderOptions): AntiphonLoaders {
  const Plain = options.plain as unknown as new (config: HlsConfig) => Loader<LoaderContext>;

  class SegmentLoader implements Loader<FragmentLoaderContext> {
    readonly #plain: Loader<LoaderContext>;
    #abort: AbortController | null = null;
    #callbacks: LoaderCallbacks<FragmentLoaderContext> | null = null;
    context: FragmentLoaderContext | null = null;
    stats: Loader<LoaderContext>['stats'];

    constructor(config: HlsConfig) {
      this.#plain = new Plain(config);
      this.stats = this.#plain.stats;
    }

    load(
      context: FragmentLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): void {
      const client = options.client();
      this.context = context;
      this.#callbacks = callbacks;
      const { sn } = context.frag;
      if (client === null || !client.isUp || sn === 'initSegment' || context.part !== null || context.rangeEnd) {
        this.#loadPlain(context, config, callbacks);
        return;
      }
      const abort = new AbortController();
      this.#abort = abort;
      this.stats.loading.start = performance.now();
      const bufferedMs = bufferedAhead(options.media());
      const patience = Math.min(MAX_PATIENCE_MS, Math.max(MIN_PATIENCE_MS, bufferedMs * PATIENCE_SHARE));
      const timer = setTimeout(() => abort.abort(), patience);
      client
        .segment(sn, { bufferedMs, signal: abort.signal })
        .finally(() => clearTimeout(timer))
        .then(
          (data) => this.#deliver(data, context, callbacks),
          () => {
            if (this.#callbacks === null) return;
            this.#abort = null;
            this.stats.loading.start = 0;
            this.#loadPlain(context, config, callbacks);
          },
        );
    }

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

    #deliver(
      data: ArrayBuffer, context: FragmentLoaderContext, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): void {
      if (this.#callbacks === null) return;
      this.#abort = null;
      const { stats } = this;
      const end = performance.now();
      stats.loading.first = end;
      stats.loading.end = end;
      stats.loaded = data.byteLength;
      stats.total = data.byteLength;
      stats.chunkCount = 1;
      stats.bwEstimate = (data.byteLength * 8000) / Math.max(1, end - stats.loading.start);
      callbacks.onProgress?.(stats, context, data, null);
      callbacks.onSuccess({ url: context.url, data, code: 200 }, stats, context, null);
    }

    #loadPlain(
      context: FragmentLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<FragmentLoaderContext>,
    ): void {
      this.#plain.load(context, config, callbacks as unknown as LoaderCallbacks<LoaderContext>);
    }
  }

  class PlaylistLoader implements Loader<PlaylistLoaderContext> {
    readonly #plain: Loader<LoaderContext>;
    context: PlaylistLoaderContext | null = null;
    stats: Loader<LoaderContext>['stats'];

    constructor(config: HlsConfig) {
      this.#plain = new Plain(config);
      this.stats = this.#plain.stats;
    }

    load(
      context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<PlaylistLoaderContext>,
    ): void {
      this.context = context;
      const watched: LoaderCallbacks<PlaylistLoaderContext> = {
        ...callbacks,
        onSuccess: (response, stats, ctx, details) => {
          const text = response.data;
          if (typeof text === 'string' && text.includes('#EXTINF')) {
            options.client()?.playlist(new URL(response.url || context.url, document.baseURI).href, text);
          }
          callbacks.onSuccess(response, stats, ctx, details);
        },
      };
      this.#plain.load(context, config, watched as unknown as LoaderCallbacks<LoaderContext>);
    }

    abort(): void {
      this.#plain.abort();
    }

    destroy(): void {
      this.#plain.destroy();
      this.context = null;
    }

    getCacheAge(): number | null {
      return this.#plain.getCacheAge?.() ?? null;
    }

    getResponseHeader(name: string): string | null {
      return this.#plain.getResponseHeader?.(name) ?? null;
    }
  }

  return {
    fLoader: SegmentLoader as unknown as AntiphonLoaders['fLoader'],
    pLoader: PlaylistLoader as unknown as AntiphonLoaders['pLoader'],
  };
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
