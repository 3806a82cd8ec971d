// The site's docs, as who follows an error's code or reads on a phone meets them: under the site's own policy, without a script.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openPage, startBrowser } from './lab/browser.mjs';
import { look } from './lab/looks.mjs';
import { Service } from './lab/network.mjs';
import { tour } from './lab/tour.mjs';

const ROOT = fileURLToPath(new URL('../../www/dist/', import.meta.url));
const CODES = fileURLToPath(new URL('../../wasm/js/src/codes.json', import.meta.url));

/** @type {string} */ let data;
/** @type {Service} */ let site;
/** @type {string} */ let url;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'antiphon-docs-'));
  await writeFile(join(data, 'config.json'), '{}');
  site = new Service(['site', '--root', ROOT, '--config', join(data, 'config.json'), '--listen', '127.0.0.1:0']);
  url = `${(await site.start()).url}docs/`;
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await site?.stop();
  await rm(data, { recursive: true, force: true });
});

/** Every page of the docs that is ours, as a path below them: references of other languages, if they were made, are their tools'. */
const pages = async () => (await readdir(`${ROOT}docs`, { recursive: true })).filter((path) => path.endsWith('.html') && !/^reference\/.*\//.test(path)).sort();

test('each code has its page, and each page its code', async () => {
  const codes = Object.keys(JSON.parse(await readFile(CODES, 'utf8'))).map((code) => `codes/${code}.html`);
  const found = (await pages()).filter((path) => /^codes\/.*\//.test(path));
  assert.ok(codes.length > 400);
  assert.deepEqual(found, codes.sort());
  const page = await readFile(`${ROOT}docs/codes/member/not-proven.html`, 'utf8');
  assert.match(page, /<title>member\/not-proven – Antiphon<\/title>/);
  assert.match(page, /What to do:.*wait for a settled block/);
});

test('every call of the bindings has its text in the references of Kotlin and Swift', async () => {
  const mobile = fileURLToPath(new URL('../../mobile/', import.meta.url));
  const languages = [
    { language: 'kotlin', file: 'kotlin/src/main/kotlin/io/antiphon/antiphon.kt', promised: /^public interface (\w+?)(?:Interface)? \{\n([^]*?)\n\}/gm },
    { language: 'swift', file: 'swift/Sources/Antiphon/Antiphon.swift', promised: /^public protocol (\w+?)(?:Protocol)?: AnyObject, Sendable \{\n([^]*?)\n\}/gm },
  ];
  for (const { language, file, promised } of languages) {
    const source = await readFile(mobile + file, 'utf8');
    const page = await readFile(`${ROOT}docs/reference/${language}.html`, 'utf8');
    let count = 0;
    for (const [, type = '', body = ''] of source.matchAll(promised)) {
      const [, chapter = ''] = page.split(`<h3 id="${type.toLowerCase()}">`);
      for (const [, name] of body.matchAll(/\bfunc? `?(\w+)`?\(/g)) {
        count += 1;
        const text = new RegExp(`<code>(?:suspend )?func? ${name}\\([^<]*</code> (?:<[^>]*>)*[A-Z].*\\.`);
        assert.match(chapter.split('<h3')[0] ?? '', text, `${language}: ${type}.${name}`);
      }
    }
    assert.ok(count > 40, `${language}: only ${count} calls`);
    for (const name of ['connect', 'generate', 'formatAmount']) assert.match(page, new RegExp(`<code>[a-z ]*\\b${name}\\(`), `${language}: ${name}`);
  }
});

test('no link of the docs is dead, to a page or to a place in one', async () => {
  /** @type {Map<string, string>} */ const texts = new Map();
  for (const path of await pages()) texts.set(new URL(path, url).href, await readFile(`${ROOT}docs/${path}`, 'utf8'));
  let count = 0;
  for (const [from, text] of texts) {
    for (const [, href = ''] of text.matchAll(/ href="([^"]*)"/g)) {
      const { origin, pathname, hash } = new URL(href, from);
      if (origin !== new URL(url).origin) continue;
      count += 1;
      const to = texts.get(origin + pathname);
      if (to === undefined) await readFile(`${ROOT}${pathname}`).catch(() => assert.fail(`${from} links to ${href}`));
      else if (hash !== '') assert.ok(to.includes(` id="${decodeURIComponent(hash.slice(1))}"`), `${from} links to ${href}`);
    }
  }
  assert.ok(count > 5_000, `only ${count} links`);
});

test('on a small phone, light and dark, nothing is wider than the screen and nothing is refused by the policy', async () => {
  for (const path of [...(await pages()).filter((path) => !path.startsWith('codes/')), 'codes/index.html', 'codes/member/frozen-other-device.html']) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const { page, diary, close } = await openPage(browser, url + path, path);
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 320, height: 640 });
      const { wide, paper } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, paper: getComputedStyle(document.body).backgroundColor }));
      assert.ok(wide <= 320, `${path} is ${wide} wide`);
      assert.equal(paper, colorScheme === 'dark' ? 'rgb(17, 19, 28)' : 'rgb(247, 241, 227)', path);
      assert.deepEqual(diary.errors, [], path);
      await close();
    }
  }
});

test('on a phone and on a desk, light and dark, a page of each kind has nothing that axe knows to be wrong, and no text on text', async () => {
  for (const path of ['index.html', 'embed.html', 'network.html', 'reference/swift.html', 'codes/index.html', 'codes/member/not-proven.html']) {
    const { page, diary, close } = await openPage(browser, url + path, path);
    await look(`docs-${path.replaceAll('/', '-')}`, page);
    assert.deepEqual(diary.errors, [], path);
    await close();
  }
});

test('the tab key leads past the list of guides to the text, and to what is wider than the screen', async () => {
  const { page, close } = await openPage(browser, `${url}costs.html`, 'keys');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the text');
  await page.keyboard.press('Enter');
  const reached = new Set();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.className || document.activeElement?.tagName));
  }
  assert.ok(reached.has('wide') && reached.has('A'), [...reached].join(' '));
  for (const path of ['costs.html', 'embed.html', 'codes/member/not-proven.html']) {
    await page.goto(url + path);
    const { shown, missed } = await tour(page);
    assert.ok(shown.length > 10, shown.join(', '));
    assert.deepEqual(missed, [], path);
  }
  await close();
});
