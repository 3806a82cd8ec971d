// A tab of Chromium that can be hidden, frozen and stopped, as phones and laptops do to pages. Playwright makes every page
// believe that it is in front; here the browser decides.

import { kill } from 'node:process';
import { existsSync } from 'node:fs';
import { launch } from 'puppeteer-core';
import { FLAGS, HOST_FLAGS, KNOWN } from './browser.mjs';
import { openPuppet } from './puppet.mjs';

/** What would keep hidden pages awake. */
const AWAKE = ['--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'];

/** A listener in a browser of its own. */
export class Tab {
  /** @param {import('puppeteer-core').Browser} browser @param {import('./listener.mjs').Listener} listener @param {import('puppeteer-core').Page} page */
  constructor(browser, listener, page) {
    this.browser = browser;
    this.listener = listener;
    this.page = page;
  }

  /** @param {string} url @param {string} name */
  static async open(url, name) {
    const executablePath = process.env.CHROMIUM ?? KNOWN.find((path) => existsSync(path));
    if (executablePath === undefined) throw new Error('no browser: run `cargo xtask setup` or set CHROMIUM');
    const flags = FLAGS.filter((flag) => !AWAKE.includes(flag));
    const args = [...flags, ...(process.env.ANTIPHON_LAB === 'private' ? [] : HOST_FLAGS)];
    const browser = await launch({ executablePath, headless: true, args, ignoreDefaultArgs: AWAKE });
    const listener = await openPuppet(browser, url, name);
    const page = (await browser.browserContexts().at(-1)?.pages())?.[0];
    if (page === undefined) throw new Error('no page');
    return new Tab(browser, listener, page);
  }

  /** Puts another tab before it. */
  async hide() {
    const other = await this.page.browserContext().newPage();
    await other.bringToFront();
  }

  /** Puts it in front again. */
  async show() {
    await this.page.bringToFront();
  }

  /** Whether the page knows that nobody sees it. */
  isHidden() {
    return this.page.evaluate(() => document.visibilityState === 'hidden');
  }

  /** Lets nothing of the page run any more, or lets it run again, as Chromium does with hidden tabs. @param {'frozen' | 'active'} state */
  async become(state) {
    const session = await this.page.createCDPSession();
    await session.send('Page.setWebLifecycleState', { state });
    await session.detach();
  }

  /** Stops the process of the page, its worker and its connections, for so long: nobody there notices the time. @param {number} seconds */
  async sleep(seconds) {
    const session = await this.browser.target().createCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const renderers = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    for (const id of renderers) kill(id, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    for (const id of renderers) kill(id, 'SIGCONT');
  }

  async close() {
    await this.browser.close();
  }
}
