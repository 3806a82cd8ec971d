// Either browser, for what both drivers understand.

import { startBrowser } from './browser.mjs';
import { startFirefox } from './firefox.mjs';

/** @param {string | undefined} place `firefox`, or Chromium @returns {Promise<{ browser: any, close(): Promise<void> }>} */
export async function openBrowser(place) {
  if (place === 'firefox') return startFirefox();
  const browser = await startBrowser();
  return { browser, close: () => browser.close() };
}
