import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientEvents } from '../src/client.js';
import { Engine } from '../src/engine.js';
import { AntiphonError } from '../src/error.js';
import type { Start, ToPage, ToWorker } from '../src/message.js';
import type { Carried } from '../src/wasm.js';

test('a command resolves when the client accepts it and rejects with its code', async () => {
  const { engine, workers } = supervise();
  const done = engine.command({ kind: 'settle' });
  workers[0]?.say({ type: 'commandDone', id: 1 });
  await done;
  const refused = engine.command({ kind: 'settle' });
  workers[0]?.say({ type: 'commandFailed', id: 2, code: 'payer/no-pool' });
  await assert.rejects(refused, hasCode('payer/no-pool'));
});

test('a crash fails the commands that were not answered, starts a new worker and says so', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { engine, workers, told } = supervise();
  workers[0]?.say({ type: 'ready', account: 3, isStored: true });
  const paid = engine.command({ kind: 'settle' });
  workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: 'here' });
  await assert.rejects(paid, hasCode('client/restarted'));
  assert.equal(workers[0]?.isTerminated, true);
  await assert.rejects(engine.command({ kind: 'settle' }), hasCode('client/restarted'));
  t.mock.timers.tick(200);
  assert.equal(workers.length, 2);
  const [first] = workers[1]?.heard ?? [];
  assert.equal(first?.type === 'start' && first.start.account, 3);
  assert.deepEqual(told, ['ready', 'restarted client/panicked']);
});

test('another account of the wallet is another worker, at once, which is told the stream and asked what was not answered', async () => {
  const { engine, workers, told } = supervise();
  workers[0]?.say({ type: 'ready', account: 0, isStored: true });
  const { signal } = new AbortController();
  const used = engine.wallet({ kind: 'use', account: 2 });
  const segment = engine.segment(7, 4000, signal);
  const paid = engine.command({ kind: 'settle' });
  workers[0]?.say({ type: 'told', id: 1, told: null });
  workers[0]?.say({ type: 'renew', account: 2 });
  await used;
  await assert.rejects(paid, hasCode('client/renewed'));
  assert.equal(workers[0]?.isTerminated, true);
  assert.equal(workers.length, 2);
  const [first, ...rest] = workers[1]?.heard ?? [];
  assert.equal(first?.type === 'start' && first.start.account, 2);
  assert.deepEqual(rest, [{ type: 'want', sequence: 7, bufferedMs: 4000, id: 2 }]);
  assert.deepEqual(told, ['ready', 'restarted client/renewed']);
  workers[1]?.say({ type: 'delivered', id: 2, body: new ArrayBuffer(1) });
  await segment;
});

test('what is wrong with words reaches the application with its place', async () => {
  const { engine, workers } = supervise();
  const shown = engine.wallet({ kind: 'restore', text: 'legal winer', forget: false });
  workers[0]?.say({ type: 'failed', id: 1, code: 'wallet/unknown-word', message: 'word 2 is not in the English list' });
  await assert.rejects(shown, (error) => error instanceof AntiphonError && error.code === 'wallet/unknown-word' && /word 2/.test(error.message));
});

test('a crash is a blip for whoever waits for anything else: the next worker knows the stream and the room, and is asked again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { engine, workers } = supervise();
  const { signal } = new AbortController();
  const old = engine.playlist('https://o/live.m3u8', '#old', signal);
  const entered = engine.command({ kind: 'enterRoom', name: 'choir' });
  workers[0]?.say({ type: 'delivered', id: 1, body: new ArrayBuffer(0) });
  workers[0]?.say({ type: 'commandDone', id: 2 });
  await Promise.all([old, entered]);
  const segment = engine.segment(7, 4000, signal);
  workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
  const newer = engine.playlist('https://o/live.m3u8', '#newer', signal);
  t.mock.timers.tick(200);
  assert.deepEqual(workers[1]?.heard.slice(1), [
    { type: 'playlist', url: 'https://o/live.m3u8', text: '#old', id: 5 },
    { type: 'command', command: { kind: 'enterRoom', name: 'choir' }, id: 6 },
    { type: 'playlist', url: 'https://o/live.m3u8', text: '#newer', id: 4 },
    { type: 'want', sequence: 7, bufferedMs: 4000, id: 3 },
  ]);
  for (const id of [4, 3]) workers[1]?.say({ type: 'delivered', id, body: new ArrayBuffer(id) });
  await newer;
  assert.equal((await segment).byteLength, 3);
});

test('a room that was entered or left by who gave up waiting is entered or left: the next worker knows', async () => {
  for (const [last, kinds] of [['enterRoom', ['enterRoom']], ['leaveRoom', []]] as const) {
    const { engine, workers } = supervise();
    workers[0]?.say({ type: 'ready', account: 0, isStored: true });
    const stop = new AbortController();
    const asked = [engine.command({ kind: 'enterRoom', name: 'choir' }, stop.signal)];
    if (last === 'leaveRoom') asked.push(engine.command({ kind: last }, stop.signal));
    stop.abort();
    for (const one of asked) await assert.rejects(one, hasCode('client/aborted'));
    workers[0]?.say({ type: 'renew', account: 1 });
    assert.deepEqual(workers[1]?.heard.slice(1).map((message) => message.type === 'command' && message.command.kind), kinds);
  }
});

test('each worker is brought what was compiled once, and one that is gone is not', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const wasm = await WebAssembly.compile(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  const { workers } = supervise(wasm);
  workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
  t.mock.timers.tick(200);
  await Promise.resolve();
  assert.deepEqual(workers.map(({ brought }) => brought), [[], [wasm]]);
});

test('what the client may have crashed of is asked twice, not for ever', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { engine, workers, told } = supervise();
  workers[0]?.say({ type: 'ready', account: 0, isStored: true });
  const poison = engine.check(1, new ArrayBuffer(9), new AbortController().signal);
  workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
  t.mock.timers.tick(200);
  workers[1]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
  await assert.rejects(poison, hasCode('client/restarted'));
  t.mock.timers.tick(400);
  assert.deepEqual(workers[2]?.heard.map(({ type }) => type), ['start']);
  assert.deepEqual(told, ['ready', 'restarted client/panicked', 'restarted client/panicked']);
});

test('a look-up that is given up is not waited for', async () => {
  const { engine, workers } = supervise();
  const abort = new AbortController();
  const asked = engine.lookUp({ question: 'stakers', level: 'final' }, abort.signal);
  abort.abort();
  await assert.rejects(asked, hasCode('client/aborted'));
  assert.deepEqual(workers[0]?.heard.at(-1), { type: 'unwant', id: 1 });
  await assert.rejects(engine.lookUp({ question: 'stakers', level: 'final' }, abort.signal), hasCode('client/aborted'));
});

test('a client that crashes again and again stays down', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { engine, workers, told } = supervise();
  for (let i = 0; i < 6; i += 1) {
    workers.at(-1)?.say({ type: 'fatal', code: 'client/panicked', message: '' });
    t.mock.timers.tick(60_000);
  }
  assert.equal(workers.length, 6);
  assert.equal(engine.isUp, false);
  assert.equal(told.at(-1), 'fatal client/gave-up');
});

test('what a restart cannot cure is not restarted', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { workers, told } = supervise();
  workers[0]?.say({ type: 'fatal', code: 'wasm/blocked-by-csp', message: '' });
  t.mock.timers.tick(60_000);
  assert.equal(workers.length, 1);
  assert.deepEqual(told, ['fatal wasm/blocked-by-csp']);
});

test('aborting a segment tells the client once', async () => {
  const { engine, workers } = supervise();
  const abort = new AbortController();
  const asked = engine.segment(1, 4000, abort.signal);
  abort.abort();
  await assert.rejects(asked, hasCode('client/aborted'));
  workers[0]?.say({ type: 'delivered', id: 1, body: new ArrayBuffer(1) });
  assert.deepEqual(workers[0]?.heard.slice(1), [
    { type: 'want', id: 1, sequence: 1, bufferedMs: 4000 },
    { type: 'unwant', id: 1 },
  ]);
});

test('what is refused rejects as a refusal, what cannot be judged does not', async () => {
  const { engine, workers } = supervise();
  const bytes = new ArrayBuffer(5);
  const signal = new AbortController().signal;
  const kept = engine.check(null, bytes, signal);
  const refused = engine.check(null, bytes, signal);
  const unknown = engine.check(null, bytes, signal);
  workers[0]?.say({ type: 'delivered', id: 1, body: bytes });
  workers[0]?.say({ type: 'refused', id: 2, code: 'map/not-signed' });
  workers[0]?.say({ type: 'failed', id: 3, code: 'client/no-stream' });
  assert.equal((await kept).byteLength, 5);
  await assert.rejects(refused, (error) => hasCode('map/not-signed')(error) && (error as AntiphonError).isRefusal);
  await assert.rejects(unknown, (error) => hasCode('client/no-stream')(error) && !(error as AntiphonError).isRefusal);
});

test('the client is never given more to judge than one byte above what can be signed', () => {
  const { engine, workers } = supervise();
  for (const length of [16 << 20, (16 << 20) + 1, 20 << 20]) {
    void engine.check(1, new ArrayBuffer(length), new AbortController().signal).catch(() => {});
  }
  const lengths = workers[0]?.heard.map((message) => (message.type === 'check' ? message.body.byteLength : 0));
  assert.deepEqual(lengths?.slice(1), [16 << 20, (16 << 20) + 1, (16 << 20) + 1]);
});

test('a call by its key is asked again of the next worker once that names the same account: it is done once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { engine, workers } = supervise();
  workers[0]?.say({ type: 'ready', account: 2, isStored: true });
  const begun = engine.begin('rent', { kind: 'openPool', deposit: 1n });
  workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
  t.mock.timers.tick(200);
  assert.deepEqual(workers[1]?.heard.slice(1), []);
  workers[1]?.say({ type: 'ready', account: 2, isStored: true });
  assert.deepEqual(workers[1]?.heard.slice(1), [{ type: 'begin', key: 'rent', command: { kind: 'openPool', deposit: 1n }, id: 1 }]);
  const call = { key: 'rent', kind: 'openPool', payer: null, to: null, amount: 1n, token: 'operational', stage: 'asked', code: null } as const;
  workers[1]?.say({ type: 'found', id: 1, found: call });
  assert.deepEqual(await begun, call);
});

test('what is of an account is not asked of another that was chosen', async () => {
  const { engine, workers } = supervise();
  workers[0]?.say({ type: 'ready', account: 0, isStored: true });
  const asked = [engine.begin('rent', { kind: 'openPool', deposit: 1n }), engine.nextEvent(), engine.eventHandled(1), engine.signIn('n', 1), engine.wallet({ kind: 'backup', notes: new Uint8Array() }), engine.lookUp({ question: 'ownPools' })];
  const found = engine.lookUp({ question: 'stakers', level: 'final' });
  workers[0]?.say({ type: 'renew', account: 1 });
  for (const one of asked) await assert.rejects(one, hasCode('client/renewed'));
  assert.deepEqual(workers[1]?.heard.slice(1), [{ type: 'lookUp', question: { question: 'stakers', level: 'final' }, id: 7 }]);
  workers[1]?.say({ type: 'lost', id: 7, code: 'client/no-head' });
  await assert.rejects(found, hasCode('client/no-head'));
});

test('what is of an account is not asked of another that is what a crash left, nor of one that was kept nowhere', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const [before, after] of [[0, 1], [0, -1], [-1, 0], [-1, -1]] as const) {
    const { engine, workers } = supervise();
    workers[0]?.say({ type: 'ready', account: before, isStored: before >= 0 });
    const begun = assert.rejects(engine.begin('rent', { kind: 'openPool', deposit: 1n }), hasCode('client/restarted'));
    workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
    t.mock.timers.tick(200);
    const late = assert.rejects(engine.command({ kind: 'settle' }), hasCode('client/restarted'));
    workers[1]?.say({ type: 'ready', account: after, isStored: after >= 0 });
    await Promise.all([begun, late]);
    assert.deepEqual(workers[1]?.heard.map((message) => message.type === 'start' && message.start.account), [before]);
  }
});

test('who sleeps ends its worker, answers nobody, and goes on with the same room', async () => {
  const { engine, workers } = supervise();
  const entered = engine.command({ kind: 'enterRoom', name: 'choir' });
  workers[0]?.say({ type: 'commandDone', id: 1 });
  await entered;
  const event = engine.nextEvent();
  const asleep = engine.suspend();
  await assert.rejects(engine.calls(), hasCode('client/suspended'));
  workers[0]?.say({ type: 'stopped' });
  await asleep;
  await assert.rejects(event, hasCode('client/suspended'));
  assert.equal(workers[0]?.isTerminated, true);
  await engine.resume();
  await engine.resume();
  assert.equal(workers.length, 2);
  assert.deepEqual(workers[1]?.heard.slice(1), [{ type: 'command', command: { kind: 'enterRoom', name: 'choir' }, id: 3 }]);
  workers[1]?.say({ type: 'commandDone', id: 3 });
  const closed = engine.close();
  workers[1]?.say({ type: 'stopped' });
  await closed;
  await assert.rejects(engine.resume(), hasCode('client/closed'));
});

test('who is resumed before it slept waits for the goodbye, and what was said last counts', async () => {
  const { engine, workers } = supervise();
  const [asleep, awake] = [engine.suspend(), engine.resume()];
  assert.equal(engine.isUp, false);
  await assert.rejects(engine.calls(), hasCode('client/suspended'));
  assert.equal(workers.length, 1);
  workers[0]?.say({ type: 'stopped' });
  await Promise.all([asleep, awake]);
  assert.deepEqual(workers.map(({ isTerminated }) => isTerminated), [true, false]);
  assert.equal(engine.isUp, true);
  const last = [engine.suspend(), engine.resume(), engine.suspend()];
  workers[1]?.say({ type: 'stopped' });
  await Promise.all(last);
  assert.equal(workers.length, 2);
  assert.equal(engine.isUp, false);
});

test('who sleeps and is resumed while a crash is waited out has one worker', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { engine, workers } = supervise();
  workers[0]?.say({ type: 'fatal', code: 'client/panicked', message: '' });
  await engine.suspend();
  await engine.resume();
  t.mock.timers.tick(60_000);
  assert.equal(workers.length, 2);
  assert.equal(workers[1]?.isTerminated, false);
});

class FakeWorker {
  readonly heard: ToWorker[] = [];
  readonly brought: Carried[] = [];
  isTerminated = false;
  onmessage: ((event: { data: ToPage }) => void) | null = null;
  onerror: unknown = null;
  postMessage(message: ToWorker): void {
    if (message.type === 'wasm') this.brought.push(message.wasm);
    else this.heard.push(message);
  }
  terminate(): void {
    this.isTerminated = true;
  }
  say(message: ToPage): void {
    this.onmessage?.({ data: message });
  }
}

function supervise(wasm: Carried = new Uint8Array(0)): { engine: Engine; workers: FakeWorker[]; told: string[] } {
  const workers: FakeWorker[] = [];
  const told: string[] = [];
  const events: ClientEvents = {
    ready: () => told.push('ready'),
    snapshot: () => {},
    notice: () => {},
    restarted: (code) => told.push(`restarted ${code}`),
    fatal: (error) => told.push(`fatal ${error.code}`),
  };
  const start: Start = {
    node: 'https://n', chain: '00'.repeat(32), checkpoint: null, publisher: null, tracker: null, token: null, tower: null, witness: null, cacheBytes: 0, maxPeers: 16,
    upload: { isEnabled: true, rate: null, total: null }, integrity: null, own: null, storage: 'memory', account: -1, patienceMs: 500,
  };
  const make = (): Worker => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker as unknown as Worker;
  };
  return { engine: new Engine(make, start, wasm, {}, events), workers, told };
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof AntiphonError && error.code === code;
}
