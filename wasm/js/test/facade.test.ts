import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AntiphonError } from '../src/error.js';
import { connect, type Abortable, type Antiphon, type AntiphonEvent } from '../src/facade.js';
import type { ToPage, ToWorker } from '../src/message.js';
import { EMPTY_SNAPSHOT, type ChainView } from '../src/snapshot.js';

/** What a page has and Node has not. */
Object.assign(globalThis, {
  addEventListener: () => {},
  document: { addEventListener: () => {}, baseURI: 'http://page.example/' },
});

/** A worker that says what the test tells it to. */
class Fake {
  onmessage: ((event: { data: ToPage }) => void) | null = null;
  onerror: unknown = null;
  readonly heard: ToWorker[] = [];

  postMessage(message: ToWorker): void {
    // It comes when it is compiled, beside everything else.
    if (message.type !== 'wasm') this.heard.push(message);
    if (message.type === 'start') queueMicrotask(() => this.say({ type: 'ready', account: 0, isStored: true }));
    if (message.type === 'stop') queueMicrotask(() => this.say({ type: 'stopped' }));
  }

  say(message: ToPage): void {
    this.onmessage?.({ data: message });
  }

  chain(change: Partial<ChainView>): void {
    this.say({ type: 'snapshot', snapshot: { ...EMPTY_SNAPSHOT, chain: { ...EMPTY_SNAPSHOT.chain, ...change } } });
  }

  terminate(): void {}
}

async function start(): Promise<{ antiphon: Antiphon; worker: Fake; told: AntiphonEvent['type'][] }> {
  const worker = new Fake();
  const antiphon = await connect({ node: 'http://node.example', chain: '07'.repeat(32), worker: () => worker as unknown as Worker });
  const told: AntiphonEvent['type'][] = [];
  for (const type of ['forkAlarm', 'split'] as const) antiphon.on(type, (event) => told.push(event.type));
  return { antiphon, worker, told };
}

const RENT = { key: 'rent', kind: 'transfer', payer: null, to: 'Aaddress', amount: 5n, token: 'operational', stage: 'asked', code: null } as const;
const KEY = 'ab'.repeat(32);

const hasCode = (code: string) => (error: unknown): boolean => error instanceof AntiphonError && error.code === code;

test('a fork alarm is told when it rises and when it falls, and a split once', async () => {
  const { antiphon, worker, told } = await start();
  const raised: boolean[] = [];
  antiphon.on('forkAlarm', ({ isRaised }) => raised.push(isRaised));
  for (const isAlarmed of [false, true, true, false]) worker.chain({ isAlarmed });
  assert.deepEqual(raised, [true, false]);
  worker.chain({ standing: 'split' });
  worker.chain({ standing: 'split', included: 3 });
  assert.deepEqual(told, ['forkAlarm', 'forkAlarm', 'split']);
});

test('the proof of a split is a file, and nothing before there is one', async () => {
  const { antiphon, worker } = await start();
  const none = antiphon.forkProof();
  worker.say({ type: 'failed', id: 1, code: 'light/no-fork' });
  assert.equal(await none, null);
  const some = antiphon.forkProof();
  worker.say({ type: 'delivered', id: 2, body: Uint8Array.of(1, 2, 3).buffer });
  assert.deepEqual(new Uint8Array(await (await some)?.arrayBuffer() ?? new ArrayBuffer(0)), Uint8Array.of(1, 2, 3));
  assert.deepEqual(worker.heard.filter(({ type }) => type === 'forkProof').length, 2);
});

test('a look-up asks the client, and what makes no sense is not asked', async () => {
  const { antiphon, worker } = await start();
  for (const height of [-1, 1.5, Number.NaN, 2 ** 53]) await assert.rejects(antiphon.findBlock(height), hasCode('options/invalid'));
  await assert.rejects(antiphon.findPool('07'), hasCode('options/invalid'));
  await assert.rejects(antiphon.findField('07'), hasCode('options/invalid'));
  const field = 'ab'.repeat(32);
  for (const place of [-1, 0.5, Number.NaN, 2 ** 32]) await assert.rejects(antiphon.provePayment(field, place, 0), hasCode('options/invalid'));
  await assert.rejects(antiphon.provePayment(field, 1, 2 ** 32), hasCode('options/invalid'));
  await assert.rejects(antiphon.enterRoom('ü'.repeat(33)), hasCode('options/invalid'));
  await assert.rejects(antiphon.give(field, 1n, 'ü'.repeat(17)), hasCode('options/invalid'));
  const asked = antiphon.findAccount('Aaddress');
  assert.deepEqual(worker.heard.at(-1), { type: 'lookUp', id: 1, question: { question: 'account', address: 'Aaddress', level: 'settled' } });
  worker.say({ type: 'lost', id: 1, code: 'state-proof/wrong-root' });
  await assert.rejects(asked, hasCode('state-proof/wrong-root'));
});

test('pools of a lost device are asked for, and why there is no answer is said', async () => {
  const { antiphon, worker } = await start();
  const asked = antiphon.findOwnPools();
  assert.deepEqual(worker.heard.at(-1), { type: 'lookUp', id: 1, question: { question: 'ownPools' } });
  worker.say({ type: 'lost', id: 1, code: 'lookup/busy' });
  await assert.rejects(asked, hasCode('lookup/busy'));
});

test('money moves once by its key, and each change is handled before the next is told', async () => {
  const { antiphon, worker } = await start();
  await assert.rejects(antiphon.once('tip').give('Aaddress', 1n, 'ü'.repeat(17)), hasCode('options/invalid'));
  const sent = antiphon.once('rent').transfer('Aaddress', 5n);
  assert.deepEqual(worker.heard.at(-1), { type: 'begin', id: 1, key: 'rent', command: { kind: 'transfer', token: 'operational', to: 'Aaddress', amount: 5n } });
  worker.say({ type: 'found', id: 1, found: RENT });
  assert.deepEqual(await sent, RENT);
  const events = antiphon.moneyEvents();
  const first = events.next();
  worker.say({ type: 'found', id: 2, found: { id: 7, call: RENT } });
  assert.deepEqual((await first).value, { id: 7, call: RENT });
  const second = events.next();
  assert.deepEqual(worker.heard.at(-1), { type: 'handled', id: 3, event: 7 });
  worker.say({ type: 'found', id: 3, found: undefined });
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(worker.heard.at(-1), { type: 'nextEvent', id: 4 });
  worker.say({ type: 'lost', id: 4, code: 'client/suspended' });
  await assert.rejects(second, hasCode('client/suspended'));
});

test('who gives up waiting for a transfer takes nothing back: by its key it is told, and moved once', async () => {
  const { antiphon, worker } = await start();
  const stop = new AbortController();
  const sent = antiphon.once('rent', { signal: stop.signal }).transfer('Aaddress', 5n);
  stop.abort();
  await assert.rejects(sent, hasCode('client/aborted'));
  // The client has it already, and nobody waits for its answer.
  worker.say({ type: 'found', id: 1, found: RENT });
  const asked = antiphon.call('rent');
  worker.say({ type: 'found', id: 2, found: { ...RENT, stage: 'pending' } });
  assert.equal((await asked).stage, 'pending');
  await assert.rejects(antiphon.once('rent', { signal: stop.signal }).transfer('Aaddress', 5n), hasCode('client/aborted'));
  assert.deepEqual(worker.heard.slice(1), [
    { type: 'begin', id: 1, key: 'rent', command: { kind: 'transfer', token: 'operational', to: 'Aaddress', amount: 5n } },
    { type: 'unwant', id: 1 },
    { type: 'call', id: 2, key: 'rent' },
  ]);
});

/** Everything that waits for an answer, given up by a signal. */
const ASKED: Readonly<Record<string, (antiphon: Antiphon, options: Abortable) => Promise<unknown>>> = {
  openPool: (antiphon, options) => antiphon.openPool(1n, options),
  settle: (antiphon, options) => antiphon.settle(options),
  release: (antiphon, options) => antiphon.release(options),
  askFaucet: (antiphon, options) => antiphon.askFaucet(options),
  transfer: (antiphon, options) => antiphon.transfer('Aaddress', 1n, 'staking', options),
  bond: (antiphon, options) => antiphon.bond('Aaddress', 1n, options),
  unbond: (antiphon, options) => antiphon.unbond('Aaddress', 1n, options),
  withdraw: (antiphon, options) => antiphon.withdraw('Aaddress', options),
  give: (antiphon, options) => antiphon.give(KEY, 1n, 'a tip', options),
  call: (antiphon, options) => antiphon.call('rent', options),
  calls: (antiphon, options) => antiphon.calls(options),
  nextEvent: (antiphon, options) => antiphon.nextEvent(options),
  eventHandled: (antiphon, options) => antiphon.eventHandled(7, options),
  enterRoom: (antiphon, options) => antiphon.enterRoom('choir', options),
  leaveRoom: (antiphon, options) => antiphon.leaveRoom(options),
  proposeField: (antiphon, options) => antiphon.proposeField([KEY], 1n, undefined, options),
  acceptField: (antiphon, options) => antiphon.acceptField(KEY, options),
  declineField: (antiphon, options) => antiphon.declineField(KEY, options),
  payMember: (antiphon, options) => antiphon.payMember(KEY, KEY, 1n, options),
  admitMember: (antiphon, options) => antiphon.admitMember(KEY, KEY, 1n, options),
  leaveField: (antiphon, options) => antiphon.leaveField(KEY, options),
  closeField: (antiphon, options) => antiphon.closeField(KEY, options),
  forgetField: (antiphon, options) => antiphon.forgetField(KEY, options),
  provePayment: (antiphon, options) => antiphon.provePayment(KEY, 1, 0, options),
  fieldEvidence: (antiphon, options) => antiphon.fieldEvidence(KEY, options),
  findBlock: (antiphon, options) => antiphon.findBlock(1, options),
  findOwnPools: (antiphon, options) => antiphon.findOwnPools(options),
  forkProof: (antiphon, options) => antiphon.forkProof(options),
  follow: (antiphon, options) => antiphon.follow(options),
  wallet: (antiphon, options) => antiphon.wallet(options),
  words: (antiphon, options) => antiphon.words(options),
  wordsWrittenDown: (antiphon, options) => antiphon.wordsWrittenDown('legal winner', options),
  restoreWords: (antiphon, options) => antiphon.restoreWords('legal winner', { forget: true, ...options }),
  useAccount: (antiphon, options) => antiphon.useAccount(1, options),
  checkAddress: (antiphon, options) => antiphon.checkAddress('Aaddress', options),
  backup: (antiphon, options) => antiphon.backup(new Uint8Array(1), options),
  restoreBackup: (antiphon, options) => antiphon.restoreBackup(new Blob(['backup']), options),
  signIn: (antiphon, options) => antiphon.signIn({ nonce: KEY, expires: 1 }, options),
};

for (const [name, ask] of Object.entries(ASKED)) {
  test(`${name} is given up by a signal: before it is asked, and while it is waited for`, async () => {
    const { antiphon, worker } = await start();
    await assert.rejects(ask(antiphon, { signal: AbortSignal.abort() }), hasCode('client/aborted'));
    assert.deepEqual(worker.heard.map(({ type }) => type), ['start']);
    const stop = new AbortController();
    const asked = assert.rejects(ask(antiphon, { signal: stop.signal }), hasCode('client/aborted'));
    // A file is read first.
    while (worker.heard.length < 2) await new Promise((resolve) => setTimeout(resolve));
    stop.abort();
    await asked;
    assert.deepEqual(worker.heard.slice(2), [{ type: 'unwant', id: 1 }]);
  });
}

test('who gives up while another account opens is not kept waiting for it', async () => {
  const { antiphon, worker } = await start();
  const stop = new AbortController();
  const used = assert.rejects(antiphon.useAccount(1, { signal: stop.signal }), hasCode('client/aborted'));
  worker.say({ type: 'told', id: 1, told: null });
  await new Promise((resolve) => setTimeout(resolve));
  stop.abort();
  await used;
});

test('addresses are hidden only behind a TURN server, and what is given is shown', async () => {
  const options = { node: 'http://node.example', chain: '07'.repeat(32), relayOnly: true };
  const worker = new Fake();
  const make = (): Worker => worker as unknown as Worker;
  for (const iceServers of [undefined, [{ urls: 'stun:stun.example' }]]) {
    await assert.rejects(connect({ ...options, iceServers, worker: make }), hasCode('options/invalid'));
  }
  const iceServers = [{ urls: ['stun:stun.example', 'turn:turn.example'], username: 'a', credential: 'b' }];
  const antiphon = await connect({ ...options, iceServers, worker: make, upload: { isEnabled: false } });
  assert.equal(antiphon.snapshot().sharing.why, 'declined');
  const first = worker.heard[0];
  assert.equal(first?.type === 'start' && first.start.upload.isEnabled, false);
});

test('how many others a page is linked with is from 1 to 100, and 16 unless it is said', async () => {
  const worker = new Fake();
  const options = { node: 'http://node.example', chain: '07'.repeat(32), worker: () => worker as unknown as Worker };
  for (const maxPeers of [0, -1, 101, 1.5, Number.NaN]) await assert.rejects(connect({ ...options, maxPeers }), hasCode('options/invalid'));
  assert.deepEqual(worker.heard, []);
  for (const maxPeers of [undefined, 1, 100]) await connect({ ...options, maxPeers });
  assert.deepEqual(worker.heard.map((message) => message.type === 'start' && message.start.maxPeers), [16, 1, 100]);
});

test('tabs share one client by chain, account and name', async () => {
  const names = new Set<string>();
  const request = (name: string): Promise<void> => {
    names.add(name.replace(/\/[\da-f-]{36}$/, ''));
    return new Promise(() => {});
  };
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { locks: { request } }, configurable: true });
  const stop = new AbortController();
  const chain = '07'.repeat(32);
  const opened = [undefined, 'A', 'B'].map((address) => {
    const account = address === undefined ? undefined : { secret: new Uint8Array(32), key: '', address };
    return connect({ node: 'http://node.example', chain, shared: 'radio', account, signal: stop.signal, worker: () => new Fake() as unknown as Worker });
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  stop.abort();
  for (const one of opened) await assert.rejects(one, (error) => error instanceof AntiphonError && error.code === 'client/aborted');
  if (before === undefined) Reflect.deleteProperty(globalThis, 'navigator');
  else Object.defineProperty(globalThis, 'navigator', before);
  assert.deepEqual([...names], [`antiphon/${chain}/radio`, `antiphon/${chain}/A/radio`, `antiphon/${chain}/B/radio`]);
});
