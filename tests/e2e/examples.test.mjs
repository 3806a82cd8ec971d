// Every page of `examples/`, as who tries it would: against a network of real processes.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener, show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';

/** Seconds behind the newest segment at which who pays plays: on a slow machine, too, neighbours have it by then. */
const BEHIND_S = 12;

/** Examples have no types; named so, none are asked for. @param {string} file */
const load = (file) => import(String(new URL(`../../examples/${file}`, import.meta.url)));
const { serve } = await load('serve.mjs');
const { serveSite } = await load('sign-in/server.mjs');

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  network = await startNetwork();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
});

/** Serves an example and opens its page so often. @param {import('node:test').TestContext} t @param {string} folder @param {number} [count] */
async function example(t, folder, count = 1) {
  const site = await (folder === 'sign-in' ? serveSite(network.page) : serve(folder, network.page));
  t.after(() => site.close());
  /** @type {Awaited<ReturnType<typeof openPage>>[]} */ const pages = [];
  for (let n = 0; n < count; n++) pages.push(await openPage(browser, site.url, `${folder} ${n}`));
  return {
    url: site.url,
    pages: pages.map(({ page }) => page),
    async close() {
      for (const { diary, close } of pages) {
        assert.deepEqual(diary.errors, []);
        await close();
      }
    },
  };
}

/** Waits until the page's one line of status says it. @param {import('playwright-core').Page | undefined} page @param {RegExp} words @param {number} [patienceMs] */
async function says(page, words, patienceMs = 60_000) {
  const status = async () => (await page?.getByRole('status').innerText()) ?? '';
  await until(`${words}`, async () => words.test(await status()), patienceMs, status);
}

test('player: two pages carry the stream for each other', async (t) => {
  const { pages, close } = await example(t, 'player', 2);
  for (const page of pages) await page.locator('antiphon-player').evaluate((player) => Reflect.get(player, 'play').call(player));
  for (const page of pages) await says(page, /[1-9][0-9]* % from listeners, [1-9]/);
  await close();
});

test('embed: a page of ten lines plays, carries and earns', async (t) => {
  const { pages, close } = await example(t, 'embed', 2);
  for (const page of pages) await page.locator('antiphon-player').evaluate((player) => Reflect.get(player, 'play').call(player));
  /** @returns {Promise<import('antiphon').Snapshot[]>} */
  const snapshots = () => Promise.all(pages.map((page) => page.locator('antiphon-player').evaluate((player) => Reflect.get(player, 'snapshot').call(player))));
  await until('one has carried for the other', async () => (await snapshots()).some(({ delivery }) => delivery.toPeers > 0), 60_000);
  // They give each other a few chunks on credit; who has a pool pays.
  const payer = await Listener.open(browser, network.url, 'payer');
  await payer.aim(BEHIND_S);
  await payer.fund();
  await payer.play();
  await until('one has earned', async () => (await snapshots()).some(({ wallet }) => wallet.vouchersIn > 0n), 90_000, async () => (
    [...(await snapshots()), await payer.snapshot()].map(show).join('\n')
  ));
  await payer.close();
  await close();
});

test('react: built by Vite, two pages carry the stream for each other', async (t) => {
  const root = fileURLToPath(new URL('../../examples/react', import.meta.url));
  await promisify(execFile)(`${root}/node_modules/.bin/vite`, ['build', '--logLevel', 'error'], { cwd: root });
  const { pages, close } = await example(t, 'react/dist', 2);
  for (const page of pages) await page.locator('antiphon-player').evaluate((player) => Reflect.get(player, 'play').call(player));
  for (const page of pages) await says(page, /[1-9][0-9]* % from listeners, [1-9]/);
  await close();
});

test('hls: two players of their own carry the stream for each other', async (t) => {
  const { pages, close } = await example(t, 'hls', 2);
  for (const page of pages) await page.locator('audio').evaluate((audio) => /** @type {HTMLAudioElement} */ (audio).play());
  for (const page of pages) await says(page, /[1-9][0-9]* bytes from listeners, .* 0 refused; block [1-9]/);
  await close();
});

test('wallet: what one sends the other has, and what cannot be sent is explained', async (t) => {
  const { pages: [one, two], close } = await example(t, 'wallet', 2);
  assert.ok(one && two);
  await says(one, /^0, (settled|final|included) at block/);
  await one.locator('#fund').click();
  await says(one, /^100, /);
  await until('the other knows its address', async () => /^A\w{33}$/.test(await two.locator('#address').innerText()), 30_000);
  /** @param {string} to @param {string} amount */
  const send = async (to, amount) => {
    await one.locator('#to').fill(to);
    await one.locator('#amount').fill(amount);
    await one.getByRole('button', { name: 'Send' }).click();
  };
  await send(await two.locator('#address').innerText(), '12.5');
  await says(two, /^12\.5, (settled|final) at block/);
  const trouble = one.getByRole('alert');
  await send(await two.locator('#address').innerText(), 'much');
  await until('what is no amount is explained', async () => /^amount\/not-decimal\. The text has .* Write an amount/.test(await trouble.innerText()), 10_000);
  await send(await two.locator('#address').innerText(), '1000');
  await until('what is too much is explained', async () => /^wallet\/insufficient\. .* does not cover/.test(await trouble.innerText()), 10_000);
  await close();
});

test('tip-jar: a tip is reserved for the publisher', async (t) => {
  const { pages: [page], close } = await example(t, 'tip-jar');
  await page?.locator('antiphon-player').evaluate((player) => Reflect.get(player, 'play').call(player));
  await until('there is a client', async () => (await page?.locator('antiphon-player').evaluate((player) => Reflect.get(player, 'antiphon') !== null)) ?? false);
  await page?.locator('#fund').click();
  await says(page, /You have 100, proven/);
  await page?.locator('#tip').click();
  await says(page, /^1 (reserved|sure|settled|final)\.$/);
  await close();
});

test('room: two pages share a field, pay, and close it', async (t) => {
  const { pages, close } = await example(t, 'room', 2);
  const [one, two] = pages;
  for (const page of pages) await page.locator('#fund').click();
  for (const page of pages) await says(page, /1 other\(s\) here\. You have 100/);
  await one?.locator('#propose').click();
  await two?.locator('#accept').click();
  for (const page of pages) await says(page, /1(\.0+1)? in the field \(open\)/);
  await two?.locator('#pay').click();
  for (const page of pages) await says(page, /1 payments committed/);
  await one?.locator('#close').click();
  for (const page of pages) await says(page, /\(closed\)/, 90_000);
  await close();
});

test('words: words are kept, and open a client of their account', async (t) => {
  const { pages: [page], close } = await example(t, 'words');
  /** @param {string} line @param {RegExp} answer */
  const say = async (line, answer) => {
    await page?.locator('#line').fill(line);
    await page?.getByRole('button').click();
    await says(page, answer);
  };
  await say('restore legal winner', /^error wallet\/bad-word-count$/);
  await say('create', /^address A\w{33}$/);
  await say('open', /^open$/);
  await say('faucet', /^balance 100$/);
  await page?.reload();
  await say('create', /^error secret\/taken$/);
  await say('open', /^open$/);
  await close();
});

test('sign-in: the account is signed in, once, here and in time', async (t) => {
  const { pages: [page], url, close } = await example(t, 'sign-in');
  await until('it knows its address', async () => {
    await page?.locator('#sign-in').click();
    return /You are A\w{33}\./.test((await page?.getByRole('status').innerText()) ?? '');
  }, 60_000);
  /** @param {string} body */
  const post = async (body) => (await fetch(`${url}/sign-in`, { method: 'POST', body })).status;
  const signed = await page?.evaluate(async () => {
    const { connect } = await import(/* @vite-ignore */ `${location.origin}/antiphon/antiphon.js`);
    const { node, chain } = await (await fetch('/config.json')).json();
    const antiphon = await connect({ node, chain, storage: 'memory' });
    const draw = async () => antiphon.signIn(await (await fetch('/challenge')).json());
    return { good: await draw(), altered: await draw(), elsewhere: await draw() };
  });
  assert.ok(signed);
  const { good, altered, elsewhere } = signed;
  assert.equal(await post(JSON.stringify(good)), 200);
  assert.equal(await post(JSON.stringify(good)), 401, 'a nonce counts once');
  const other = altered.signature.replace(/^../, altered.signature.startsWith('00') ? '11' : '00');
  assert.equal(await post(JSON.stringify({ ...altered, signature: other })), 401);
  assert.equal(await post(JSON.stringify({ ...elsewhere, nonce: '0'.repeat(64) })), 401, 'nobody drew this nonce');
  assert.equal(await post('what is this'), 401);
  await close();
});
