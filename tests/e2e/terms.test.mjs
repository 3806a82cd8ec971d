// What a listener agreed to give is what it gives: a month's cap, no more; and its word is kept over visits.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener, show } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { watch } from './lab/watch.mjs';

/** Bytes that the first page agrees to give in a month: a dozen chunks. */
const MONTH = 200_000;
/** How long nothing more may be given once that is spent. */
const QUIET_S = 8;
/** What was promised before is still leaving, and a page shows its counts once a second. */
const LEAVING_MS = 2_000;

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

test('a page gives what its month allows and not a byte more, also after it was loaded anew', async (t) => {
  const giver = await Listener.open(browser, network.url, 'giver');
  await giver.page.evaluate((monthly) => {
    const player = document.querySelector('antiphon-player');
    if (player !== null) player.upload = { monthly };
  }, MONTH);
  await giver.play();
  const taker = await Listener.open(browser, network.url, 'taker');
  await taker.fund();
  await taker.play();
  await giver.sees('the month is spent', ({ sharing }) => sharing.why === 'spent', 60_000);
  await new Promise((resolve) => setTimeout(resolve, LEAVING_MS));
  const spent = await giver.snapshot();
  t.diagnostic(`${spent.delivery.toPeers} of ${MONTH} bytes given`);
  assert.ok(spent.delivery.toPeers > MONTH / 2 && spent.delivery.toPeers <= MONTH, show(spent));
  const stalls = await taker.stalls();
  const from = await taker.position();
  await until('the taker plays on', async () => (await taker.position()) >= from + QUIET_S, (QUIET_S + 15) * 1000, () => taker.explain());
  assert.equal((await giver.snapshot()).delivery.toPeers, spent.delivery.toPeers);
  assert.equal(await taker.stalls(), stalls, `the sound stopped\n${await taker.silence()}`);
  assert.equal(await giver.page.evaluate(() => document.querySelector('antiphon-player')?.snapshot().sharing.monthBytes), spent.delivery.toPeers);

  // The same browser comes again: the month is as spent as it was.
  await giver.page.reload();
  await until('it has a client again', () => giver.hasClient(), 20_000, () => giver.explain());
  await giver.page.evaluate((monthly) => {
    const player = document.querySelector('antiphon-player');
    if (player !== null) player.upload = { monthly };
  }, MONTH);
  const again = await giver.sees('it knows', ({ sharing }) => sharing.monthly === MONTH);
  assert.ok(again.sharing.monthBytes >= spent.delivery.toPeers, show(again));
});

test('who declines is asked for nothing, and need not say so twice', async () => {
  const page = await Listener.open(browser, network.url, 'silent');
  await page.page.getByTestId('share-on').uncheck();
  await page.sees('it carries for nobody', ({ sharing }) => !sharing.isOn && sharing.why === 'declined');
  assert.match(await page.said('sharing'), /carry for nobody/i);
  await page.page.getByTestId('share-month').fill('five');
  await page.page.getByTestId('share-month').blur();
  assert.equal(await page.page.getByTestId('share-month').getAttribute('aria-invalid'), 'true');
  await page.page.reload();
  await until('it has a client again', () => page.hasClient(), 20_000, () => page.explain());
  assert.equal(await page.page.getByTestId('share-on').isChecked(), false);
  assert.equal((await page.snapshot()).sharing.why, 'declined');
});

test('what a listener declines while the client starts, or before there is a player, is not given', async () => {
  const { page, close } = await openPage(browser, network.url, 'early', watch);
  await page.waitForFunction(() => customElements.get('antiphon-player') !== undefined);
  const { stream, node, chain } = network.page;
  const seen = await page.evaluate(async ([src = '', from = '', id = '']) => {
    const player = document.createElement('antiphon-player');
    for (const [name, value] of Object.entries({ src: new URL(src, location.href).href, node: new URL(from, location.href).href, chain: id })) player.setAttribute(name, value);
    document.body.append(player);
    player.upload = { isEnabled: false };
    while (player.antiphon === null) await new Promise((resolve) => setTimeout(resolve, 20));
    const { why } = player.snapshot().sharing;
    player.remove();
    return [why, player.state];
  }, [stream, node, chain]);
  assert.deepEqual(seen, ['declined', 'idle']);

  // Markup and a script of the page's own come before the module that defines the element.
  const early = await page.evaluate(() => {
    const frame = document.body.appendChild(document.createElement('iframe'));
    const known = frame.contentDocument?.body;
    const plain = known?.appendChild(frame.contentDocument?.createElement('antiphon-player') ?? document.createElement('i'));
    const Player = customElements.get('antiphon-player');
    if (plain === undefined || Player === undefined) return null;
    Object.assign(plain, { upload: { isEnabled: false }, relayOnly: true });
    document.adoptNode(plain);
    customElements.upgrade(plain);
    frame.remove();
    return [Reflect.get(plain, 'upload'), Reflect.get(plain, 'relayOnly'), Object.hasOwn(plain, 'upload')];
  });
  assert.deepEqual(early, [{ isEnabled: false }, true, false]);
  await close();
});
