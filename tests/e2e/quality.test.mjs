// A stream of several renditions: who listens chooses one in the player, without a mouse and on a phone; where there is one
// there is nothing to choose.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { Listener } from './lab/listener.mjs';
import { startNetwork } from './lab/network.mjs';
import { makeRenditions } from './lab/renditions.mjs';

/** The least that a finger hits, in pixels (WCAG 2.5.5). */
const FINGER = 44;

/** @type {Awaited<ReturnType<typeof makeRenditions>>} */ let source;
/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Listener} */ let listener;

before(async () => {
  source = await makeRenditions();
  network = await startNetwork({ source: source.folder, price: '0' });
  browser = await startBrowser();
  listener = await Listener.open(browser, network.url, 'listener');
  await listener.play();
});
after(async () => {
  await browser?.close();
  await network?.close();
  await source?.remove();
});

const list = () => listener.page.getByTestId('quality');
/** Which rendition is heard. */
const heard = () => listener.page.evaluate(() => document.querySelector('antiphon-player')?.rendition);
/** What has the focus inside the player. */
const focused = () => listener.page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute('data-testid') ?? '');

/** @param {number} rendition */
const hears = (rendition) => until(`rendition ${rendition} is heard`, async () => (await heard()) === rendition, 30_000, () => listener.explain());

test('what there is to choose is said, with what is heard by itself', async () => {
  await list().waitFor();
  const texts = () => list().locator('option').allInnerTexts();
  await until('it says what it plays', async () => /^Auto, (160|320) kbit\/s$/.test((await texts())[0] ?? ''), 20_000, () => listener.explain());
  assert.deepEqual((await texts()).slice(1), ['160 kbit/s', '320 kbit/s']);
});

test('a rendition is chosen by keyboard alone, and the choice taken back', async () => {
  await listener.page.evaluate(() => { if (document.activeElement instanceof HTMLElement) document.activeElement.blur(); });
  for (let i = 0; i < 12 && (await focused()) !== 'quality'; i += 1) await listener.page.keyboard.press('Tab');
  assert.equal(await focused(), 'quality', 'the tab key leads to it');
  const stalls = await listener.stalls();
  await listener.page.keyboard.press('1'); // As in any list: what begins with it.
  await hears(0);
  assert.equal(await list().inputValue(), '0');
  await listener.page.keyboard.press('3');
  await hears(1);
  await listener.page.keyboard.press('m');
  assert.equal(await listener.page.evaluate(() => document.querySelector('antiphon-player')?.media?.muted), false, 'letters are the list’s');
  await listener.page.keyboard.press('Home');
  assert.equal(await list().inputValue(), '');
  assert.equal(await listener.page.evaluate(() => document.querySelector('antiphon-player')?.state), 'playing');
  const start = await listener.position();
  await until('it plays on', async () => (await listener.position()) >= start + 5, 20_000, () => listener.explain());
  assert.equal(await listener.stalls(), stalls, await listener.silence());
  const { delivery } = await listener.snapshot();
  assert.ok(delivery.bad === 0 && delivery.unverified === 0);
  assert.deepEqual(listener.diary.errors, []);
});

test('what a program chooses is shown', async () => {
  await listener.page.evaluate(() => document.querySelector('antiphon-player')?.chooseRendition(0));
  await until('it is shown', async () => (await list().inputValue()) === '0');
  await hears(0);
});

test('a finger finds it on a phone, and nothing sticks out', async () => {
  for (const width of [320, 360, 412]) {
    await listener.page.setViewportSize({ width, height: 740 });
    const box = await list().boundingBox();
    assert.ok(box && box.width >= FINGER && box.height >= FINGER, `${width}: ${JSON.stringify(box)}`);
    assert.ok(box.x >= 0 && box.x + box.width <= width, `${width}: ${JSON.stringify(box)}`);
    const wide = await listener.page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `the page is ${wide} wide on ${width}`);
    const overlaps = await listener.page.evaluate(() => {
      const root = document.querySelector('antiphon-player')?.shadowRoot;
      const all = [...(root?.querySelectorAll('button, select, input') ?? [])].map((one) => one.getBoundingClientRect()).filter((box) => box.width > 0);
      const isOver = (/** @type {DOMRect} */ a, /** @type {DOMRect} */ b) => a.left < b.right - 0.5 && b.left < a.right - 0.5 && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;
      return all.flatMap((one, i) => all.slice(i + 1).filter((other) => isOver(one, other)).map((other) => [one.toJSON(), other.toJSON()]));
    });
    assert.deepEqual(overlaps, [], `controls overlap on ${width}`);
  }
  await list().selectOption('1');
  await hears(1);
});

test('where a stream has one rendition there is nothing to choose', async () => {
  const alone = network.page.stream.replace('live.m3u8', 'live-0.m3u8');
  await network.configure({ stream: alone });
  try {
    const other = await Listener.open(browser, network.url, 'other');
    await other.play();
    assert.equal(await other.page.getByTestId('quality').isVisible(), false);
    await other.close();
  } finally {
    await network.configure({ stream: network.page.stream });
  }
});

test('a browser that decodes none of the renditions says so, instead of waiting', async () => {
  const { page, close } = await openPage(browser, network.url, 'deaf', () => {
    // It has a decoder, and none for sound.
    MediaSource.isTypeSupported = (type) => type.includes('avc1');
  });
  const state = () => page.evaluate(() => document.querySelector('antiphon-player')?.state);
  await until('the player gives up', async () => (await state()) === 'failed');
  assert.match(await page.getByTestId('problems').innerText(), /cannot decode/);
  await close();
});
