// Real Chromium, one context a listener, everything that a page says collected.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Where browsers live; `CHROMIUM` names another. */
export const KNOWN = ['/usr/bin/chromium', '/usr/bin/google-chrome', '/opt/google/chrome/chrome'];

export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--mute-audio', '--autoplay-policy=no-user-gesture-required',
  // Pages are listeners at the same time: none of them is in the background.
  '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows',
];
/** What WebRTC between pages needs where the only address may be loopback. */
export const HOST_FLAGS = ['--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection'];

/** Where Chromium is. */
export function browserPath() {
  const path = process.env.CHROMIUM ?? KNOWN.find((path) => existsSync(path));
  if (path === undefined) throw new Error(`no browser at ${KNOWN.join(', ')}: run \`cargo xtask setup\` or set CHROMIUM`);
  return path;
}

/** Starts a browser with an unpacked extension, and a folder for its profile. @param {string} profile @param {string} extension */
export async function startExtended(profile, extension) {
  const args = [...FLAGS, `--disable-extensions-except=${extension}`, `--load-extension=${extension}`];
  return chromium.launchPersistentContext(profile, { executablePath: browserPath(), headless: true, args, ignoreDefaultArgs: ['--disable-extensions'] });
}

/** Starts a browser with an empty profile. @param {string[]} [flags] */
export async function startBrowser(flags = []) {
  const executablePath = browserPath();
  const args = [...FLAGS, ...(process.env.ANTIPHON_LAB === 'private' ? [] : HOST_FLAGS), ...flags];
  return chromium.launch({ executablePath, headless: true, args });
}

/** What a page said: console lines, uncaught errors, failed requests. */
export class Diary {
  /** @type {string[]} */ lines = [];
  /** @type {string[]} */ errors = [];

  /** @param {import('playwright-core').Page} page @param {string} name */
  constructor(page, name) {
    this.name = name;
    const started = Date.now();
    /** @param {string} text */
    const write = (text) => this.lines.push(`${((Date.now() - started) / 1000).toFixed(2)} ${name} ${text}`);
    page.on('console', (message) => write(`console.${message.type()}: ${message.text()}`));
    page.on('requestfailed', (request) => write(`request failed: ${request.url()} ${request.failure()?.errorText}`));
    page.on('crash', () => this.errors.push('the page crashed'));
    page.on('pageerror', (error) => {
      write(`error: ${error.stack ?? error.message}`);
      this.errors.push(error.message);
    });
  }

  /** The last lines, to be shown beside a failure. */
  tail(count = 30) {
    return this.lines.slice(-count).join('\n');
  }
}

/**
 * Opens a page in a context of its own: its own storage, keys and cache.
 * @param {import('playwright-core').Browser} browser @param {string} url @param {string} [name]
 * @param {() => void} [first] Runs in the page before its own scripts.
 */
export async function openPage(browser, url, name = 'page', first) {
  const context = await browser.newContext();
  if (first !== undefined) await context.addInitScript(first);
  const page = await context.newPage();
  const diary = new Diary(page, name);
  await page.goto(url);
  return { page, diary, close: () => context.close() };
}

/**
 * Waits until `condition` returns something true, and returns it; fails with what was last seen.
 * @template T
 * @param {string} what @param {() => Promise<T> | T} condition @param {number} [patienceMs]
 * @param {() => string | Promise<string>} [explain] Called when it fails.
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(what, condition, patienceMs = 20_000, explain = () => '') {
  const end = Date.now() + patienceMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${patienceMs / 1000} s: ${what}\n${await explain()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
