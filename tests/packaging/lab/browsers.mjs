// Chromium and Firefox, told apart by nothing: each opens an address and says what the page found.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBrowser, startExtended } from '../../e2e/lab/browser.mjs';
import { startFirefox } from '../../e2e/lab/firefox.mjs';

/** How long a page may take. */
const PATIENCE_MS = 60_000;

/** What the page found; and what it said meanwhile, and what was not given to it. @typedef {{ count: number, faults: string[], log: string[] }} Outcome */

/** Starts both. */
export async function startBrowsers() {
  const [chromium, firefox] = await Promise.all([startBrowser(), startFirefox()]);
  /** @param {string} url @param {number} [patienceMs] @returns {Promise<Outcome>} */
  const inChromium = async (url, patienceMs = PATIENCE_MS) => lookIn(await chromium.newContext(), url, patienceMs);
  /** @param {string} url @param {number} [patienceMs] @returns {Promise<Outcome>} */
  const inFirefox = async (url, patienceMs = PATIENCE_MS) => {
    const context = await firefox.browser.createBrowserContext();
    const page = await context.newPage();
    const log = said(page);
    await page.goto(url);
    try {
      await page.waitForFunction(() => 'outcome' in globalThis, { timeout: patienceMs });
      return { ...(await page.evaluate(() => Reflect.get(globalThis, 'outcome'))), log };
    } catch (error) {
      return { count: 0, faults: [String(error), ...log], log };
    } finally {
      await context.close();
    }
  };
  return {
    all: /** @type {const} */ ([['Chromium', inChromium], ['Firefox', inFirefox]]),
    close: async () => { await Promise.all([chromium.close(), firefox.close()]); },
  };
}

/** Opens a page of an extension, in a Chromium that has it. @param {string} folder @param {string} url @returns {Promise<Outcome>} */
export async function lookExtended(folder, url) {
  const profile = await mkdtemp(join(tmpdir(), 'antiphon-extended-'));
  try {
    return await lookIn(await startExtended(profile, folder), url, PATIENCE_MS);
  } finally {
    await rm(profile, { recursive: true, force: true });
  }
}

/** Opens a page in Chromium, and closes all of it. @param {Awaited<ReturnType<typeof startExtended>>} context @param {string} url @param {number} patienceMs @returns {Promise<Outcome>} */
async function lookIn(context, url, patienceMs) {
  try {
    const page = await context.newPage();
    const log = said(page);
    await page.goto(url);
    try {
      await page.waitForFunction(() => 'outcome' in globalThis, undefined, { timeout: patienceMs });
      return { ...(await page.evaluate(() => Reflect.get(globalThis, 'outcome'))), log };
    } catch (error) {
      return { count: 0, faults: [String(error), ...log], log };
    }
  } finally {
    await context.close();
  }
}

/** What a page says on its console and by what it throws, and what a server has not. @param {any} page @returns {string[]} */
function said(page) {
  /** @type {string[]} */ const log = [];
  page.on('console', (/** @type {any} */ message) => log.push(`console.${message.type()}: ${message.text()}`));
  page.on('pageerror', (/** @type {Error} */ error) => log.push(`thrown: ${error.message}`));
  page.on('response', (/** @type {any} */ response) => { if (response.status() >= 400) log.push(`status ${response.status()}: ${response.url()}`); });
  return log;
}
