import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HlsConfig, Loader, LoaderCallbacks, LoaderContext } from 'hls.js';
import { AntiphonError } from '../src/error.js';
import { antiphonLoaders, type SegmentSource } from '../src/hls.js';

Object.assign(globalThis, { document: { baseURI: 'https://page.example/' } });

const URL_OF = 'https://o.example/live.m3u8';
const MEDIA = '#EXTM3U\n#EXTINF:2,\n1.m4s\n';
const LIST = '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n';

test('the client reads every playlist but the list of renditions that is loaded first', async () => {
  const bench = load('manifest', MEDIA);
  await bench.settled;
  assert.deepEqual(bench.told, [[URL_OF, MEDIA]]);
  assert.deepEqual(bench.log, [MEDIA]);
  const list = load('manifest', LIST);
  assert.deepEqual([list.told, list.log], [[], [LIST]]);
});

test('what stands where a rendition should be is judged by the client, whatever it is', () => {
  for (const text of [LIST, 'hello\n', '', '\ufffd\ufffd']) assert.deepEqual(load('level', text).told, [[URL_OF, text]]);
  const both = `${LIST}${MEDIA}`;
  assert.deepEqual(load('manifest', both).told, [[URL_OF, both]]);
  assert.deepEqual(load('manifest', 'hello').told, [[URL_OF, 'hello']]);
});

test('a playlist that the client refuses reaches no player; one of which nobody can tell does', async () => {
  const answer = (isRefusal: boolean) => () => Promise.reject(new AntiphonError('playlist/old-key', undefined, undefined, isRefusal));
  const refused = load('level', MEDIA, answer(true));
  await refused.settled;
  assert.deepEqual(refused.log, ['error playlist/old-key']);
  const unknown = load('level', MEDIA, answer(false));
  await unknown.settled;
  assert.deepEqual(unknown.log, [MEDIA]);
});

test('a client that does not answer does not stop the player, and an aborted playlist goes nowhere', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let fail: (error: Error) => void = () => {};
  const never = (): Promise<void> => new Promise((_resolve, reject) => (fail = reject));
  const slow = load('level', MEDIA, never);
  t.mock.timers.tick(1_000);
  fail(new AntiphonError('client/aborted'));
  await slow.settled;
  assert.deepEqual(slow.log, [MEDIA]);
  const gone = load('level', MEDIA, never);
  gone.loader.abort();
  fail(new AntiphonError('playlist/old-key', undefined, undefined, true));
  await Promise.resolve().then(() => {}).then(() => {}).then(() => {});
  assert.deepEqual(gone.log, ['abort']);
});

test('a playlist over the limit reaches no player, and the client only so far that it can say so', async () => {
  const limit = 4 << 20;
  const long = load('level', `${MEDIA}#${'x'.repeat(limit)}`);
  await long.settled;
  assert.equal(long.told[0]?.[1].length, limit + 1);
  assert.deepEqual(long.log, ['error playlist/too-long']);
  const longest = load('level', MEDIA.padEnd(limit, 'x'));
  await longest.settled;
  assert.deepEqual(longest.log.map((text) => `${text}`.length), [limit]);
});

/** Loads a text as hls.js would. */
function load(type: string, text: string, judge: () => Promise<void> = () => Promise.resolve()): { told: [string, string][]; log: unknown[]; loader: Loader<LoaderContext>; settled: Promise<void> } {
  const told: [string, string][] = [];
  const log: unknown[] = [];
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));
  class Plain {
    stats = {};
    load(context: LoaderContext, _config: unknown, callbacks: LoaderCallbacks<LoaderContext>): void {
      callbacks.onSuccess({ url: context.url, data: text }, this.stats as never, context, null);
    }
    abort(): void {}
    destroy(): void {}
  }
  const client = {
    isUp: true,
    playlist: (url: string, read: string) => {
      told.push([url, read]);
      return judge();
    },
  } as unknown as SegmentSource;
  const { pLoader } = antiphonLoaders({ client: () => client, plain: Plain as never, media: () => null });
  const loader = new pLoader({} as HlsConfig) as unknown as Loader<LoaderContext>;
  loader.load({ url: 'https://o.example/live.m3u8', type } as never, {} as never, {
    onSuccess: (response) => {
      log.push(response.data);
      settle();
    },
    onError: (error) => {
      log.push(`error ${error.text}`);
      settle();
    },
    onTimeout: () => log.push('timeout'),
    onAbort: () => log.push('abort'),
  });
  return { told, log, loader, settled };
}
