import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HlsConfig, Loader, LoaderCallbacks, LoaderContext } from 'hls.js';
import { AntiphonError } from '../src/error.js';
import { antiphonLoaders, type SegmentSource } from '../src/hls.js';

Object.assign(globalThis, { document: { baseURI: 'https://page.example/' } });

test('a segment that the client delivers reaches the player with full statistics', async () => {
  const bench = load({ segment: () => Promise.resolve(new ArrayBuffer(7)) });
  await bench.settled;
  assert.deepEqual(bench.log, ['success 7 https://o.example/1.m4s']);
  assert.equal(bench.loader.stats.loaded, 7);
  assert.ok(bench.loader.stats.loading.end >= bench.loader.stats.loading.start);
});

test('how long the client waited for a peer does not make the line look slow', async () => {
  const bench = load({ segment: () => new Promise((resolve) => setTimeout(() => resolve(new ArrayBuffer(40_000)), 700)) });
  await bench.settled;
  const { loading, loaded } = bench.loader.stats;
  assert.ok(loading.end - loading.start <= 500); // A quarter of the two seconds that it lasts:
  assert.ok((loaded * 8) / 2 < 0.7 * (loaded * 8000) / (loading.end - loading.start)); // so hls.js may step up.
});

test('what the client cannot give comes over plain HTTP, and is judged by it', async () => {
  let judged: number | null = null;
  const bench = load({
    segment: () => Promise.reject(new Error('fetch/origin-failed')),
    check: (sequence, bytes) => ((judged = sequence), Promise.resolve(bytes)),
  });
  await bench.settled;
  assert.equal(judged, 1);
  assert.deepEqual(bench.log, ['plain', 'success 3 plain']);
});

test('while the client only comes, a segment is loaded beside it, and judged when it has come', async () => {
  let asked = 0;
  const never = (): Promise<ArrayBuffer> => ((asked += 1), Promise.reject(new Error('asked for')));
  const judged = load({ isComing: true, segment: never, check: (_sequence, bytes) => Promise.resolve(bytes) });
  await judged.settled;
  assert.deepEqual(judged.log, ['plain', 'success 3 plain']);
  const refused = load({ isComing: true, segment: never, check: () => Promise.reject(new AntiphonError('origin/bad-chunk', undefined, undefined, true)) });
  await refused.settled;
  assert.deepEqual(refused.log, ['plain', 'error origin/bad-chunk']);
  assert.equal(asked, 0);
});

test('what nobody can judge is played and counted as unverified', async () => {
  const unknown = (): Promise<ArrayBuffer> => Promise.reject(new AntiphonError('fetch/unknown-segment'));
  const bench = load({ segment: unknown, check: unknown });
  await bench.settled;
  assert.deepEqual(bench.log, ['plain', 'unverified 3', 'success 3 plain']);
});

test('a segment that the client refuses is an error, and its bytes go nowhere', async () => {
  const bench = load({
    segment: () => Promise.reject(new Error('fetch/origin-failed')),
    check: () => Promise.reject(new AntiphonError('origin/bad-chunk', undefined, undefined, true)),
  });
  await bench.settled;
  assert.deepEqual(bench.log, ['plain', 'error origin/bad-chunk']);
});

test('a client that does not answer in time is passed over, and told so', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let isUnwanted = false;
  const bench = load({
    segment: (_sequence, { signal }) => new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        isUnwanted = true;
        reject(new Error('client/aborted'));
      });
    }),
  });
  t.mock.timers.tick(2_499);
  assert.equal(isUnwanted, false);
  t.mock.timers.tick(1);
  await bench.settled;
  assert.equal(isUnwanted, true);
  assert.deepEqual(bench.log, ['plain', 'unverified 3', 'success 3 plain']);
});

test('a jump towards a segment makes it urgent, and the client is asked no less meanwhile', async () => {
  const media = new FakeMedia(20);
  const asked: { bufferedMs: number; signal: AbortSignal }[] = [];
  const answers: ((bytes: ArrayBuffer) => void)[] = [];
  const bench = load({
    segment: (_sequence, options) => {
      assert.equal(asked.some(({ signal }) => signal.aborted), false); // Else the client drops what it has begun.
      asked.push(options);
      return new Promise((resolve, reject) => {
        answers.push(resolve);
        options.signal.addEventListener('abort', () => reject(new AntiphonError('client/aborted')));
      });
    },
  }, {}, media);
  media.currentTime = 18;
  media.dispatchEvent(new Event('seeking'));
  assert.deepEqual(asked.map(({ bufferedMs }) => bufferedMs), [20_000, 2_000]);
  assert.deepEqual(asked.map(({ signal }) => signal.aborted), [true, false]);
  answers[1]?.(new ArrayBuffer(7));
  await bench.settled;
  media.dispatchEvent(new Event('seeking'));
  assert.equal(asked.length, 2);
  assert.deepEqual(bench.log, ['success 7 https://o.example/1.m4s']);
});

test('an aborted segment is not fetched over HTTP', async () => {
  const bench = load({
    segment: (_sequence, { signal }) => new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('client/aborted')));
    }),
  });
  bench.loader.abort();
  await Promise.resolve().then(() => {}).then(() => {}).then(() => {});
  assert.deepEqual(bench.log, ['abort']);
  assert.equal(bench.loader.stats.aborted, true);
});

test('a map reaches the player only as the client gives it back', async () => {
  let asked = 0;
  const bench = load({ check: (_sequence, bytes) => Promise.resolve(new ArrayBuffer((asked = bytes.byteLength) + 1)) }, MAP);
  await bench.settled;
  assert.equal(asked, 3);
  assert.deepEqual(bench.log, ['plain', 'success 4 plain']);
});

test('a map that the client refuses is an error, and its bytes go nowhere', async () => {
  const refusal = new AntiphonError('map/not-signed', undefined, undefined, true);
  for (const change of [MAP, { ...MAP, rangeEnd: 10 }]) {
    const bench = load({ check: () => Promise.reject(refusal) }, change);
    await bench.settled;
    assert.deepEqual(bench.log, ['plain', 'error map/not-signed']);
  }
});

test('a map that nobody can judge is played: the stream is unsigned, or the client does not answer', async (t) => {
  const unsigned = load({ check: () => Promise.reject(new AntiphonError('client/no-stream')) }, MAP);
  await unsigned.settled;
  assert.deepEqual(unsigned.log, ['plain', 'unverified 3', 'success 3 plain']);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const silent = load({
    check: (_sequence, _bytes, { signal }) => new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new AntiphonError('client/aborted')));
    }),
  }, MAP);
  t.mock.timers.tick(8_000);
  await silent.settled;
  assert.deepEqual(silent.log, ['plain', 'unverified 3', 'success 3 plain']);
});

test('an aborted map goes nowhere, whatever the client says of it', async () => {
  const bench = load({ check: (_sequence, bytes) => Promise.resolve(bytes) }, MAP);
  bench.loader.abort();
  await Promise.resolve().then(() => {}).then(() => {}).then(() => {});
  assert.deepEqual(bench.log, ['plain', 'abort']);
});

test('a byte range and a missing client go straight to HTTP', async () => {
  const must = (): Promise<ArrayBuffer> => Promise.reject(new Error('must not be asked'));
  const never: Partial<SegmentSource> = { segment: must, check: must };
  for (const change of [{ rangeEnd: 10 }, { isUp: false }, { ...MAP, isUp: false }]) {
    const bench = load(never, change);
    await bench.settled;
    assert.deepEqual(bench.log, ['plain', 'unverified 3', 'success 3 plain']);
  }
});

const MAP = { sn: 'initSegment' };

/** An audio element that holds so many seconds from the start. */
class FakeMedia extends EventTarget {
  currentTime = 0;
  readonly buffered: { length: number; start: () => number; end: () => number };

  constructor(seconds: number) {
    super();
    this.buffered = { length: 1, start: () => 0, end: () => seconds };
  }
}

interface Bench {
  loader: Loader<LoaderContext>;
  log: string[];
  settled: Promise<void>;
}

function load(source: Partial<SegmentSource>, change: { sn?: string; rangeEnd?: number; isUp?: boolean } = {}, media: FakeMedia | null = null): Bench {
  const log: string[] = [];
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));
  class Plain {
    stats = { aborted: false, loaded: 0, total: 0, chunkCount: 0, bwEstimate: 0, retry: 0, loading: { start: 0, first: 0, end: 0 } };
    load(context: LoaderContext, _config: unknown, callbacks: LoaderCallbacks<LoaderContext>): void {
      assert.equal(this.stats.loading.start, 0);
      log.push('plain');
      callbacks.onSuccess({ url: 'plain', data: new ArrayBuffer(3) }, this.stats as never, context, null);
    }
    abort(): void {}
    destroy(): void {}
  }
  const client: SegmentSource = {
    isUp: change.isUp ?? true,
    isComing: source.isComing ?? false,
    segment: source.segment ?? (() => Promise.reject(new Error('none'))),
    check: source.check ?? (() => Promise.reject(new Error('none'))),
    playlist: () => Promise.resolve(),
    countUnverified: (bytes) => log.push(`unverified ${bytes}`),
  };
  const { fLoader } = antiphonLoaders({ client: () => client, plain: Plain as never, media: () => media as HTMLMediaElement | null });
  const loader = new fLoader({} as HlsConfig) as unknown as Loader<LoaderContext>;
  const context = { url: 'https://o.example/1.m4s', frag: { sn: change.sn ?? 1, duration: 2 }, part: null, rangeEnd: change.rangeEnd };
  loader.load(context as never, { loadPolicy: {} } as never, {
    onSuccess: (response) => {
      log.push(`success ${(response.data as ArrayBuffer).byteLength} ${response.url}`);
      settle();
    },
    onError: (error) => {
      log.push(`error ${error.text}`);
      settle();
    },
    onTimeout: () => log.push('timeout'),
    onAbort: () => log.push('abort'),
  });
  return { loader, log, settled };
}
