// A page that Playwright does not drive, as a listener: in Firefox, and where Chromium must see that a page is hidden.

import { Diary, until } from './browser.mjs';
import { Listener } from './listener.mjs';
import { watch } from './watch.mjs';

/**
 * Opens the site in a context of its own, as a listener.
 * @param {import('puppeteer-core').Browser} browser @param {string} url @param {string} name
 */
export async function openPuppet(browser, url, name) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.evaluateOnNewDocument(watch);
  const shown = adapt(page);
  const listener = new Listener({ page: shown, diary: new Diary(shown, name), close: () => context.close() });
  await page.goto(url);
  await until(`${name} has a player with a client`, () => listener.hasClient(), 30_000, () => listener.explain());
  return listener;
}

/**
 * Speaks as much of Playwright's page as a `Listener` and its `Diary` use.
 * @param {import('puppeteer-core').Page} page
 * @returns {import('playwright-core').Page}
 */
function adapt(page) {
  const locator = (/** @type {string} */ selector) => ({
    click: () => page.locator(selector).click(),
    fill: (/** @type {string} */ text) => page.locator(selector).fill(text),
    innerText: () => page.$eval(selector, (element) => /** @type {HTMLElement} */ (element).innerText),
  });
  const speaks = {
    evaluate: (/** @type {Function} */ act, /** @type {unknown[]} */ ...words) => evaluate(page, act, words),
    locator,
    getByTestId: (/** @type {string} */ id) => locator(`[data-testid="${id}"]`),
    on: (/** @type {any} */ event, /** @type {any} */ handler) => void page.on(event, handler),
  };
  return /** @type {any} */ (speaks);
}

/**
 * Runs a function in the page as Playwright does. What DevTools cannot carry by value, large integers and infinite numbers, goes as
 * text; the whole as an expression, for pages forbid to evaluate what comes as text.
 * @param {import('puppeteer-core').Page} page @param {Function} act @param {unknown[]} words
 */
async function evaluate(page, act, words) {
  const carry = (/** @type {string} */ _, /** @type {unknown} */ value) => {
    if (typeof value === 'bigint') return { big: String(value) };
    return typeof value === 'number' && !Number.isFinite(value) ? { odd: String(value) } : value;
  };
  const said = await page.evaluate(`(async () => JSON.stringify(await (${act})(...${JSON.stringify(words)}), ${carry}))()`);
  return typeof said !== 'string' ? undefined : JSON.parse(said, (_, value) => {
    if (typeof value?.big === 'string') return BigInt(value.big);
    return typeof value?.odd === 'string' ? Number(value.odd) : value;
  });
}
