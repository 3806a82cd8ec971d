// A page in a room, used as a person would: through what it shows and its own buttons.

import { join } from 'node:path';
import { openPage, until } from './browser.mjs';

/** Smallest units in a token. */
const UNIT = 100_000_000n;

export class RoomPage {
  /** @param {Awaited<ReturnType<typeof openPage>>} opened @param {string} name */
  constructor(opened, name) {
    this.page = opened.page;
    this.diary = opened.diary;
    this.close = opened.close;
    this.name = name;
  }

  /** @param {import('playwright-core').Browser} browser @param {string} url @param {string} room @param {string} name */
  static async enter(browser, url, room, name) {
    const page = new RoomPage(await openPage(browser, `${url}#/room/${room}`, name), name);
    await page.sees('the room', async () => (await page.page.locator('#room-said').innerText()).startsWith('You are in'), 30_000);
    return page;
  }

  /** @param {string} what @param {() => Promise<boolean>} condition @param {number} [patienceMs] */
  sees(what, condition, patienceMs = 30_000) {
    return until(`${this.name} sees ${what}`, condition, patienceMs, () => this.#stands());
  }

  /** How the page stands, to be shown beside a failure. */
  async #stands() {
    const shown = await this.page.evaluate(() => ['#room-said', '[data-testid=room-balance]', '[data-testid=room-final]', '[data-testid=head-final]']
      .map((name) => `${name}: ${document.querySelector(name)?.textContent}`));
    return `${shown.join('\n')}\n${this.diary.tail()}`;
  }

  /** Asks the faucet and waits for the money. */
  async fund() {
    await this.sees('the chain', async () => (await this.level('head-final')) > 0);
    await this.page.getByTestId('room-faucet').click();
    await this.sees('its money', async () => /^[1-9]/.test(await this.page.getByTestId('room-balance').innerText()));
  }

  /** How many others are around. */
  around() {
    return this.page.locator('#around li').count();
  }

  /** The newest field, as the page shows it. */
  field() {
    return this.page.getByTestId('field').first().evaluate((element) => ({
      id: element.dataset.field ?? '',
      phase: element.dataset.phase ?? '',
      committed: Number(element.dataset.committed),
      round: Number(element.dataset.round),
      version: Number(element.dataset.version),
      level: element.dataset.level ?? '',
      balances: /** @type {HTMLElement[]} */ ([...element.querySelectorAll('[data-testid=field-members] li')])
        .map((item) => [item.dataset.address ?? '', item.dataset.units ?? '']),
      own: /** @type {HTMLElement | null} */ (element.querySelector('[data-testid=field-members] [data-self=true]'))?.dataset.units ?? '0',
    }));
  }

  /** @param {string} phase @param {number} [patienceMs] */
  async reaches(phase, patienceMs = 60_000) {
    await this.sees(`the field ${phase}`, async () => (await this.page.getByTestId('field').count()) > 0 && (await this.field()).phase === phase, patienceMs);
  }

  /** Waits until the chain has begun this version of the field. @param {number} version */
  begins(version) {
    return this.sees(`version ${version}`, async () => {
      const field = await this.field();
      return field.phase === 'open' && field.version === version;
    }, 60_000);
  }

  /** Whether this page is asked to sign the next version of the field. */
  isAsked() {
    return this.page.getByTestId('field').first().getByTestId('field-agree').isVisible();
  }

  /** @param {string} testid */
  press(testid) {
    return this.page.getByTestId('field').first().getByTestId(testid).click();
  }

  /** The newest round that the watch-tower has, as the page shows it. */
  async watched() {
    return Number(await this.page.getByTestId('field').first().getAttribute('data-watched'));
  }

  /** Its own address, as its member's row shows it. */
  address() {
    return this.page.getByTestId('field').first().locator('[data-self=true]').getAttribute('data-address');
  }

  /** Presses what saves a file, and returns where it lies. @param {string} testid @param {string} folder */
  async saves(testid, folder) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.press(testid)]);
    const path = join(folder, download.suggestedFilename());
    await download.saveAs(path);
    return path;
  }

  /** Shows this page a file that somebody else made, and returns what it says of it. @param {string} path */
  async judges(path) {
    const judged = this.page.getByTestId('judged');
    await this.page.getByTestId('judge-file').setInputFiles([]);
    await this.page.getByTestId('judge-file').setInputFiles(path);
    await this.sees('a verdict', async () => !!(await judged.getAttribute('data-verdict')));
    const { verdict, level, units } = await judged.evaluate((element) => ({ .../** @type {HTMLElement} */ (element).dataset }));
    return { verdict, level, units, text: await judged.innerText() };
  }

  /** Pays everybody so many times. @param {string} amount @param {number} times */
  async burst(amount, times) {
    const field = this.page.getByTestId('field').first();
    await field.getByTestId('field-amount').fill(amount);
    await field.getByTestId('field-times').fill(String(times));
    await field.getByTestId('field-burst').click();
  }

  /** What the guardians have made final of its account, in smallest units; `null` before that is proven. */
  async finalBalance() {
    const units = await this.page.getByTestId('room-final').getAttribute('data-units');
    return units ? BigInt(units) : null;
  }

  /** The same, once there is some. @returns {Promise<bigint>} */
  async finalBalanceSettled() {
    await this.sees('its money final', async () => ((await this.finalBalance()) ?? 0n) > 0n, 60_000);
    return (await this.finalBalance()) ?? 0n;
  }

  /** Height of a head. @param {string} testid */
  async level(testid) {
    return Number(await this.page.getByTestId(testid).getAttribute('data-height'));
  }
}

/** Writes tokens as smallest units. @param {number} tokens */
export function units(tokens) {
  return BigInt(tokens) * UNIT;
}

/** What the account in this page's browser has written so far. @param {import('playwright-core').Page} page @param {string} chain */
export async function copyOfDisk(page, chain) {
  return page.evaluate(async (name) => {
    const done = (/** @type {IDBRequest} */ request) => new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const db = await done(indexedDB.open(name, 1));
    const store = db.transaction('state', 'readonly').objectStore('state');
    const [names, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    db.close();
    return names.map((/** @type {string} */ key, /** @type {number} */ at) => [key, Array.from(values[at])]);
  }, await diskOf(page, chain));
}

/** Puts such a copy back, as a restored backup does; no client may run. @param {import('playwright-core').Page} page @param {string} chain @param {[string, number[]][]} rows */
export async function restoreDisk(page, chain, rows) {
  return page.evaluate(async ([name, rows]) => {
    const db = await new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const transaction = db.transaction('state', 'readwrite', { durability: 'strict' });
    const store = transaction.objectStore('state');
    store.clear();
    for (const [key, value] of rows) store.put(Uint8Array.from(value), key);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(null);
      transaction.onabort = () => reject(transaction.error);
    });
    db.close();
  }, /** @type {const} */ ([await diskOf(page, chain), rows]));
}

/** The database of the one account that this page's browser has. @param {import('playwright-core').Page} page @param {string} chain */
async function diskOf(page, chain) {
  const names = await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name ?? ''));
  const [name, ...others] = names.filter((name) => name.startsWith(`antiphon-${chain}-`));
  if (name === undefined || others.length > 0) throw new Error(`not one account: ${names.join(' ')}`);
  return name;
}
