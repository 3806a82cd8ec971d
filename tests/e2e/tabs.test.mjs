// Tabs of one origin share one client: its tab is killed again and again, frozen, and its worker crashes.

import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBrowser, until } from './lab/browser.mjs';
import { serveFolders } from './lab/folder.mjs';
import { startFirefox } from './lab/firefox.mjs';
import { show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

const TABS = 5;
const KILLS = 100;
/** Every so many, the one that leads is killed only when it has signed something new. Each begins by repeating the newest voucher of the one before. */
const PAYS = 20;
/** Native peers that are paid. What a client that is killed had not paid yet each of them remembers, up to its credit of eight chunks. */
const PEERS = 3;
/** Half of the hand-overs must be quicker, on a machine that does much else. On a free one it is a tenth of that. */
const HAND_OVER_MS = 2_000;
const PAGES = fileURLToPath(new URL('./lab/tabs', import.meta.url));
const PACKAGE = fileURLToPath(new URL('../../wasm/js/dist', import.meta.url));

/** What the page that looks on was told. @typedef {{ worker: string, at: number, kind: 'fetch' | 'socket' | 'ready' | 'voucher', account?: number, to?: string, seq?: string, cum?: string, whole?: string }} Word */
/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {Awaited<ReturnType<typeof serveFolders>>} */ let site;
/** @type {Awaited<ReturnType<typeof startBrowser>>} */ let browser;

before(async () => {
  network = await startNetwork();
  const folder = join(network.data, 'tabs');
  await mkdir(folder);
  await cp(PACKAGE, join(folder, 'antiphon'), { recursive: true });
  const worker = join(folder, 'antiphon/worker.js');
  await writeFile(worker, (await readFile(join(PAGES, 'worker-prefix.js'), 'utf8')) + (await readFile(worker, 'utf8')));
  site = await serveFolders([folder, PAGES], "default-src 'self' http: ws:; script-src 'self' 'wasm-unsafe-eval'; img-src data:", { '/config.json': JSON.stringify(network.page) });
  // A tab a process: whoever is killed dies alone.
  browser = await startBrowser(['--renderer-process-limit=100']);
});
after(async () => {
  await browser?.close();
  site?.close();
  await network?.close();
});

/** Opens a tab; it is counted when its client is there. @param {import('playwright-core').BrowserContext} context */
async function openTab(context) {
  const page = await context.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => 'antiphon' in globalThis, undefined, { timeout: 30_000 });
  return page;
}

/** Whether the client runs in a tab. @param {Page} page @returns {Promise<boolean>} */
function leads(page) {
  return page.evaluate(() => Reflect.get(globalThis, 'antiphon').isLeading);
}

/** The tab that leads, as soon as there is one. @param {Page[]} tabs */
async function leader(tabs) {
  /** @type {Page | undefined} */ let found;
  await until('a tab leads', async () => {
    const leading = await Promise.all(tabs.map(leads));
    assert.ok(leading.filter(Boolean).length <= 1, 'one tab leads at most');
    found = tabs[leading.indexOf(true)];
    return found;
  });
  assert.ok(found);
  return found;
}

/** Ends a tab: a crash of its process, or as a person closes it. @param {Page} page @param {boolean} isCrash */
async function kill(page, isCrash) {
  if (!isCrash) return page.close();
  const gone = new Promise((resolve) => page.once('crash', resolve));
  const session = await page.context().newCDPSession(page);
  session.send('Page.crash').catch(() => {}); // Nobody is there to answer.
  await gone;
  return page.close();
}

/** Opens a page that notes what clients say to the world. @param {import('playwright-core').BrowserContext} context */
async function lookOn(context) {
  const watch = await context.newPage();
  await watch.goto(new URL('watch.html', site.url).href);
  await watch.evaluate(() => {
    const words = /** @type {unknown[]} */ ([]);
    const channel = new BroadcastChannel('looks-on');
    channel.onmessage = ({ data }) => words.push(data);
    Object.assign(globalThis, { words, channel });
  });
  return {
    /** @returns {Promise<Word[]>} */
    words: () => watch.evaluate(() => Reflect.get(globalThis, 'words')),
    crash: () => watch.evaluate(() => Reflect.get(globalThis, 'channel').postMessage('crash')),
  };
}

/** What a tab got, what it asked for and did not get, what it was told. @param {Page} page @returns {Promise<{ got: number, missed: string[], events: string[] }>} */
function seen(page) {
  return page.evaluate(() => Reflect.get(globalThis, 'seen'));
}

/** Waits until each tab gets what it asks for. @param {Page[]} tabs */
async function hear(tabs) {
  const before = await Promise.all(tabs.map(seen));
  await until('every tab gets what it asks for', async () => {
    const now = await Promise.all(tabs.map(seen));
    return now.every(({ got }, i) => got > (before[i]?.got ?? 0));
  }, 30_000, async () => JSON.stringify(await Promise.all(tabs.map(seen))));
}

test(`${TABS} tabs, ${KILLS} leaders killed: one client at a time, one account, no voucher signed twice`, async (t) => {
  const peers = await Promise.all(Array.from({ length: PEERS }, () => network.startPeer()));
  const context = await browser.newContext();
  const { words } = await lookOn(context);
  const vouchers = async () => (await words()).filter(({ kind }) => kind === 'voucher');
  /** Each voucher, and which client was the first to send it. */
  const firsts = async () => new Map((await vouchers()).reverse().map(({ whole, worker }) => [whole, worker]));

  /** How the tab that leads and its neighbours see each other. @param {Page} page */
  const explain = async (page) => {
    const snapshot = await page.evaluate(() => Reflect.get(globalThis, 'antiphon').snapshot());
    const known = show(/** @type {any} */ ({ ...snapshot, chain: null }));
    const others = await Promise.all(peers.map(async ({ ready }) => (await fetch(String(ready.status))).text()));
    return `${killed.length} killed\n${known}\n${others.join('\n')}`;
  };

  /** @type {number[]} */ const killed = [];
  let tabs = await Promise.all(Array.from({ length: TABS }, () => openTab(context)));
  const first = await leader(tabs);
  await first.evaluate(async () => {
    const antiphon = Reflect.get(globalThis, 'antiphon');
    const sees = (/** @type {(snapshot: any) => unknown} */ condition) => new Promise((resolve) => {
      const look = () => condition(antiphon.snapshot()) && resolve(null);
      antiphon.on('changed', look);
      look();
    });
    await sees(({ chain }) => chain.settled > 0);
    await antiphon.askFaucet();
    await sees(({ wallet }) => (wallet.account?.balance.value ?? 0n) > 0n);
    await antiphon.openPool(10n ** 8n);
    await sees(({ wallet }) => wallet.pool?.deposit != null);
  });
  await until('something is paid', async () => (await vouchers()).length > 0, 60_000, () => explain(first));

  for (let count = 0; count < KILLS; count++) {
    const one = await leader(tabs);
    const known = new Set((await words()).map(({ worker }) => worker));
    const sent = (await firsts()).size;
    if (count % PAYS === 0) await until('it pays', async () => (await firsts()).size > sent, 60_000, () => explain(one));
    killed.push(Date.now());
    await kill(one, count % 2 === 0);
    tabs = tabs.filter((tab) => tab !== one);
    await until('another client runs', async () => (await words()).some(({ kind, worker }) => kind === 'ready' && !known.has(worker)));
    tabs.push(await openTab(context));
  }

  const leading = await leader(tabs);
  const all = await words();
  const ready = all.filter(({ kind }) => kind === 'ready');
  assert.equal(ready.length, KILLS + 1, 'a client for each leader, and no other');
  assert.deepEqual([...new Set(ready.map(({ account }) => account))], [0], 'all have the same account');
  const order = [...new Set(all.map(({ worker }) => worker))];
  const turns = all.map(({ worker }) => order.indexOf(worker));
  assert.deepEqual(turns, [...turns].sort((a, b) => a - b), 'when a client has said a word to the world, none before it ever does');
  assert.deepEqual(await Promise.all(tabs.map(async (tab) => tab.workers().length)), tabs.map((tab) => (tab === leading ? 1 : 0)));

  /** @type {Map<string, string>} */ const signed = new Map();
  /** The last number and sum of each. @type {Map<string, [bigint, bigint]>} */ const last = new Map();
  for (const { to = '', seq = '', cum = '', whole = '' } of await vouchers()) {
    const name = `${to} ${seq}`;
    assert.equal(signed.get(name) ?? whole, whole, `voucher ${name} is signed once`);
    signed.set(name, whole);
    const [number, sum] = last.get(to) ?? [0n, 0n];
    assert.ok(BigInt(seq) >= number && BigInt(cum) >= sum, 'what is promised never falls');
    last.set(to, [BigInt(seq), BigInt(cum)]);
  }

  const waits = ready.slice(1).map(({ at }, i) => at - (killed[i] ?? 0)).sort((a, b) => a - b);
  const median = waits[waits.length >> 1] ?? Infinity;
  const payers = new Set((await firsts()).values()).size;
  t.diagnostic(`hand-over: ${waits[0]} ms at least, ${median} in the middle, ${waits.at(-1)} at most`);
  t.diagnostic(`${signed.size} vouchers of ${payers} clients`);
  assert.ok(payers >= KILLS / PAYS, 'clients pay, one after the other');
  assert.ok(last.size > 1, 'several are paid');
  assert.ok(median < HAND_OVER_MS, `${median} ms`);

  await hear(tabs);
  assert.deepEqual((await Promise.all(tabs.map(seen))).flatMap(({ missed }) => missed), [], 'nobody missed anything');
  for (const peer of peers) await peer.stop();
  await context.close();
});

test('a tab that is about to be frozen gives the lead away, and asks whoever has it when it wakes up', async () => {
  const context = await browser.newContext();
  const tabs = await Promise.all([openTab(context), openTab(context)]);
  const one = await leader(tabs);
  const other = tabs.find((tab) => tab !== one);
  assert.ok(other);
  await hear(tabs);
  // A browser without a window freezes no page: it is told as if, and the lock must be free before anything else runs in it.
  const isFree = await one.evaluate(async () => {
    document.dispatchEvent(new Event('freeze'));
    await Promise.resolve();
    return !Reflect.get(globalThis, 'antiphon').isLeading;
  });
  assert.ok(isFree);
  await until('the other leads', () => leads(other));
  await hear([other]);
  await one.evaluate(() => document.dispatchEvent(new Event('resume')));
  await hear(tabs);
  assert.equal(await leads(one), false);
  await context.close();
});

test('a worker that crashes is a blip: nobody misses what was asked, and all are told', async () => {
  const CRASHES = 4;
  const context = await browser.newContext();
  const { words, crash } = await lookOn(context);
  const tabs = await Promise.all([openTab(context), openTab(context)]);
  for (let count = 1; count <= CRASHES; count++) {
    await hear(tabs);
    await crash();
    await until('another worker runs', async () => (await words()).filter(({ kind }) => kind === 'ready').length > count, 30_000);
  }
  await hear(tabs);
  for (const { missed, events } of await Promise.all(tabs.map(seen))) {
    assert.deepEqual(missed, []);
    assert.deepEqual(events.filter((event) => !event.startsWith('trouble')), Array(CRASHES).fill('restarted client/panicked'));
  }
  assert.deepEqual([...new Set((await words()).filter(({ kind }) => kind === 'ready').map(({ account }) => account))], [0]);
  await context.close();
});

test('in Firefox, too, the next tab leads when the one that leads is closed', async (t) => {
  const firefox = await startFirefox();
  try {
    const context = await firefox.browser.createBrowserContext();
    const open = async () => {
      const page = await context.newPage();
      await page.goto(site.url);
      await page.waitForFunction(() => 'antiphon' in globalThis, { timeout: 30_000 });
      return /** @type {Page} */ (/** @type {unknown} */ (page));
    };
    let tabs = [await open(), await open(), await open()];
    for (let count = 0; count < 3; count++) {
      const one = await leader(tabs);
      const at = Date.now();
      await one.close();
      await leader(tabs.filter((tab) => tab !== one));
      t.diagnostic(`another leads ${Date.now() - at} ms later`);
      tabs = [...tabs.filter((tab) => tab !== one), await open()];
      await hear(tabs);
    }
    assert.deepEqual((await Promise.all(tabs.map(seen))).flatMap(({ missed }) => missed), []);
  } finally {
    await firefox.close();
  }
});
