// Real Firefox, driven by WebDriver BiDi: Playwright cannot drive the one that a distribution ships.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from 'puppeteer-core';
import { Listener, watch } from './listener.mjs';
import { Diary, until } from './browser.mjs';

/** Where Firefox lives; `FIREFOX` names another. */
const KNOWN = ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/opt/firefox/firefox'];

const PREFERENCES = {
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // Pages are listeners at the same time: none of them is in the background.
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'media.suspend-bkgnd-video.enabled': false,
};
/** What WebRTC needs where the only address may be loopback. */
const HOST_PREFERENCES = { 'media.peerconnection.ice.loopback': true, 'media.peerconnection.ice.obfuscate_host_addresses': false };

/** A sound device that swallows all: without any, Firefox plays nothing. */
const SILENCE = 'pcm.!default { type null }\nctl.!default { type null }\n';

/** Starts Firefox with an empty profile. */
export async function startFirefox() {
  const executablePath = process.env.FIREFOX ?? KNOWN.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`no Firefox at ${KNOWN.join(', ')}: run \`cargo xtask setup\` or set FIREFOX`);
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-firefox-'));
  const sound = join(folder, 'asound.conf');
  await writeFile(sound, SILENCE);
  const browser = await launch({
    browser: 'firefox', executablePath, headless: true,
    env: { ...process.env, HOME: folder, ALSA_CONFIG_PATH: sound, MOZ_DISABLE_CONTENT_SANDBOX: '1' },
    extraPrefsFirefox: { ...PREFERENCES, ...(process.env.ANTIPHON_LAB === 'private' ? {} : HOST_PREFERENCES) },
  });
  const close = async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}

/**
 * Opens the site in a context of its own, as a listener.
 * @param {import('puppeteer-core').Browser} browser @param {string} url @param {string} name
 */
export async function openFirefoxListener(browser, url, name) {
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
    evaluate: page.evaluate.bind(page),
    locator,
    getByTestId: (/** @type {string} */ id) => locator(`[data-testid="${id}"]`),
    on: (/** @type {any} */ event, /** @type {any} */ handler) => void page.on(event, handler),
  };
  return /** @type {any} */ (speaks);
}
