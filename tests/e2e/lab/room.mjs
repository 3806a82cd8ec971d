// A page in a room, used as a person would: through what it shows and its own buttons.

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
    return until(`${this.name} sees ${what}`, condition, patienceMs, () => this.diary.tail());
  }

  /** Asks the faucet and waits for the money. */
  async fund() {
    await this.sees('the chain', async () => (await this.level('head-final')) > 0);
    await this.page.getByTestId('room-faucet').click();
    await this.sees('its money', async () => /^\d/.test(await this.page.getByTestId('room-balance').innerText()));
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
      level: element.dataset.level ?? '',
      balances: /** @type {HTMLElement[]} */ ([...element.querySelectorAll('[data-testid=field-members] li')])
        .map((item) => [item.dataset.address ?? '', item.dataset.units ?? '']),
    }));
  }

  /** @param {string} phase @param {number} [patienceMs] */
  async reaches(phase, patienceMs = 60_000) {
    await this.sees(`the field ${phase}`, async () => (await this.page.getByTestId('field').count()) > 0 && (await this.field()).phase === phase, patienceMs);
  }

  /** @param {string} testid */
  press(testid) {
    return this.page.getByTestId('field').first().getByTestId(testid).click();
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
