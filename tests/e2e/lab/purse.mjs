// Somebody with a wallet: the site's wallet view in a context of its own, used as a person uses it.

import { openPage, until } from './browser.mjs';

export class Purse {
  /** @param {Awaited<ReturnType<typeof openPage>>} opened */
  constructor(opened) {
    this.page = opened.page;
    this.diary = opened.diary;
    this.close = opened.close;
    this.page.setDefaultTimeout(15_000);
  }

  /** @param {import('playwright-core').Browser} browser @param {string} url @param {string} name */
  static async open(browser, url, name) {
    const purse = new Purse(await openPage(browser, `${url}#/wallet`, name));
    await purse.isUp();
    return purse;
  }

  /** Waits for an address. */
  isUp() {
    return until(`${this.diary.name} has an address`, () => this.address(), 40_000, () => this.diary.tail());
  }

  /** @param {string} id */
  get(id) {
    return this.page.getByTestId(id);
  }

  /** @param {string} id */
  async said(id) {
    return (await this.get(id).innerText()).trim();
  }

  /** The address, as the groups that are shown spell it. */
  async address() {
    const text = await this.get('wallet-address').innerText().catch(() => '');
    const address = text.replace(/\s/g, '');
    return address.length > 1 ? address : '';
  }

  /** Smallest units that are proven, or -1. */
  async balance() {
    const units = await this.get('wallet-balance').getAttribute('data-units');
    return units ? BigInt(units) : -1n;
  }

  /** Waits. @template T @param {string} what @param {() => Promise<T>} condition @param {number} [patienceMs] */
  sees(what, condition, patienceMs = 30_000) {
    const explain = async () => [...(await this.page.locator('#wallet .said').allInnerTexts()), this.diary.tail()].join('\n');
    return until(`${this.diary.name}: ${what}`, condition, patienceMs, explain);
  }

  /** Asks the faucet and waits for its money. */
  async fund() {
    await this.sees('a proven balance', async () => (await this.balance()) >= 0n);
    const before = await this.balance();
    await this.get('wallet-faucet').click();
    await this.sees('the money of the faucet', async () => (await this.balance()) > before);
  }

  /** Fills the form and asks for the question. @param {string} to @param {string} amount */
  async review(to, amount) {
    await this.get('send-to').fill(to);
    await this.get('send-amount').fill(amount);
    await this.get('send-review').click();
  }

  /**
   * Notes from now on each stage that the history shows of what changed the balance by `units`, however short: a block may come
   * at once. Returns what tells them in their order. @param {bigint} units
   */
  async stages(units) {
    await this.get('past').evaluate((list, units) => {
      const stages = /** @type {string[]} */ ([]);
      const note = () => {
        const { stage } = list.querySelector(/** @type {'li'} */ (`li[data-units="${units}"]`))?.dataset ?? {};
        if (stage !== undefined && stage !== stages.at(-1)) stages.push(stage);
      };
      new MutationObserver(note).observe(list, { childList: true });
      Object.assign(globalThis, { stages });
    }, String(units));
    return () => this.page.evaluate(() => /** @type {string[]} */ (Reflect.get(globalThis, 'stages')));
  }

  /** Lets the words be shown. */
  async showWords() {
    await this.get('words-show').click();
    await this.get('words').waitFor();
    return this.get('words').locator('li').allInnerTexts();
  }

  /** Writes the words down and answers what is asked of them. @returns {Promise<string[]>} */
  async writeDown() {
    const words = await this.showWords();
    await this.get('words-next').click();
    for (const input of await this.get('words-check').all()) {
      await input.fill(words[Number(await input.getAttribute('data-place')) - 1] ?? '');
    }
    await this.get('words-confirm').click();
    await this.sees('that the words are on paper', async () => (await this.get('wallet-words').getAttribute('data-written')) === 'true');
    return words;
  }

  /** Brings a wallet back. @param {string} words */
  async bringBack(words) {
    if (!(await this.get('restore-words').isVisible())) await this.get('restore-open').click();
    await this.get('restore-words').fill(words);
    await this.get('restore-go').click();
    await this.sees('an answer', async () => !/^(Deriving.*)?$/.test(await this.said('restore-said')));
    return this.said('restore-said');
  }
}
