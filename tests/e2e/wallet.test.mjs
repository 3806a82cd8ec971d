// The wallet of the site: words, accounts, sending to final, names, backups. Nothing is stubbed: a real chain, real pages.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { codesIn } from './lab/camera.mjs';
import { startNetwork } from './lab/network.mjs';
import { Purse } from './lab/purse.mjs';

/** What one Tansen is in smallest units. */
const ONE = 100_000_000n;
/** Words of nobody: the first vector of BIP-39. */
const VECTOR = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {Purse} */ let ann;
/** @type {Purse} */ let bob;
/** @type {string[]} */ let words;
let address = '';

before(async () => {
  network = await startNetwork({ blockTime: '500ms' });
  browser = await startBrowser();
  [ann, bob] = await Promise.all([Purse.open(browser, network.url, 'ann'), Purse.open(browser, network.url, 'bob')]);
});
after(async () => {
  await browser?.close();
  await network?.close();
});

test('a newcomer has an address, and words that are shown until they are written down', async () => {
  address = await ann.address();
  assert.match(address, /^A[1-9A-HJ-NP-Za-km-z]{33}$/);
  assert.notEqual(await bob.address(), address);
  assert.match(await ann.said('words-state'), /not written them down/);
  words = await ann.showWords();
  assert.equal(words.length, 12);
  await ann.get('words-next').click();
  for (const input of await ann.get('words-check').all()) await input.fill('zebra');
  await ann.get('words-confirm').click();
  await ann.sees('that it was another word', async () => /^Word \d+ is another one/.test(await ann.said('words-said')));
  assert.equal(await ann.get('wallet-words').getAttribute('data-written'), 'false');
  await ann.get('words-again').click();
  await ann.get('words-hide').click();
  assert.deepEqual(await ann.writeDown(), words);
  assert.equal(await ann.get('words-show').isVisible(), false, 'they are nowhere here any more');
  const code = await ann.page.evaluate(() => document.querySelector('antiphon-player')?.antiphon?.words().catch((error) => error.code));
  assert.equal(code, 'wallet/words-forgotten');
});

test('the code beside the address is read by a camera as this address, light and dark', async () => {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await ann.page.emulateMedia({ colorScheme });
    assert.deepEqual(await codesIn(ann.page.locator('.receive')), [address], colorScheme);
  }
  await ann.page.emulateMedia({ colorScheme: null });
});

test('money is asked for, and what it costs to send is shown before; too much is refused', async () => {
  await ann.fund();
  const balance = await ann.balance();
  await ann.get('send-to').fill(await bob.address());
  await ann.get('send-amount').fill('2,5');
  await ann.sees('the cost', async () => /The fee is [\d.]+; [\d.\u202f]+ Tansen are left/.test(await ann.said('send-cost')));
  await ann.get('send-amount').fill(String(balance / ONE + 1n));
  await ann.sees('that it is too much', async () => /more than you have/.test(await ann.said('send-cost')));
  assert.ok(await ann.get('send-review').isDisabled());
  for (const [text, why] of /** @type {const} */ ([['1,000', /thousand, or one/], ['two', /not an amount/], ['0.123456789', /eight digits/], ['0', /nothing/]])) {
    await ann.get('send-amount').fill(text);
    assert.match(await ann.said('send-cost'), why);
    assert.ok(await ann.get('send-review').isDisabled());
  }
});

test('an address with a mistyped character is refused before anything is sent', async () => {
  const right = await bob.address();
  const wrong = right.slice(0, -1) + (right.endsWith('z') ? 'y' : 'z');
  await ann.review(wrong, '1');
  await ann.sees('that it is mistyped', async () => /mistyped/.test(await ann.said('send-said')));
  assert.equal(await ann.get('send-question').isVisible(), false);
});

test('names are kept for addresses that are checked, and used to send', async () => {
  const to = await bob.address();
  await ann.get('person-name').fill('Bob');
  await ann.get('person-address').fill(`${to.slice(0, 33)}!`);
  await ann.get('person-keep').click();
  await ann.sees('that it is no address', async () => /not an address/.test(await ann.said('people-said')));
  await ann.get('person-address').fill(to);
  await ann.get('person-keep').click();
  await ann.sees('Bob in the book', async () => (await ann.get('people').getAttribute('data-count')) === '1');
  await ann.review('bob', '2.5');
  await ann.get('send-question').waitFor();
  assert.match(await ann.said('send-summary'), new RegExp(`Send 2.5 Tansen to Bob, ${to}`));
});

test('to an address of a Falcon key everything can be moved at once, and it is said what goes and what it costs', async () => {
  await ann.get('send-no').click();
  const falcon = 'F7p2zR4aJmX33Lu9297446Wz3uRmQ6Z2c5';
  assert.equal(await ann.get('send-all').isVisible(), false);
  await ann.get('send-to').fill(falcon);
  await ann.get('send-all').click();
  await ann.get('send-question').waitFor();
  assert.match(await ann.said('send-summary'), new RegExp(`^Send [^]* Tansen[^]* to ${falcon}[^]* and 0 are left`));
  await ann.get('send-no').click();
  await ann.review('bob', '2.5');
  await ann.get('send-question').waitFor();
});

test('what is sent is pending, then final, and both sides see it with its block', async () => {
  await bob.sees('a proven balance', async () => (await bob.balance()) === 0n);
  const units = (-5n * ONE) / 2n;
  const shown = await ann.stages(units);
  await ann.get('send-yes').click();
  await ann.sees('it is final', async () => (await ann.get('past').locator(`li[data-testid=entry][data-stage=final][data-units="${units}"]`).count()) === 1, 60_000);
  const stages = await shown();
  assert.equal(stages[0], 'pending', stages.join(' '));
  assert.equal(stages.at(-1), 'final', stages.join(' '));
  await bob.sees('the money', async () => (await bob.balance()) === (5n * ONE) / 2n);
  await bob.sees('who it came from', async () => (await bob.get('past').locator('li[data-stage=final]').count()) === 1, 60_000);
  assert.match(await bob.get('past').locator('li').first().innerText(), /\+2\.5[^]*received from/);
  assert.match(await bob.said('wallet-said'), /2\.5 Tansen have come from/);
  await bob.get('past').locator('li a').first().click();
  await bob.page.locator('#found .heading').waitFor();
  assert.match(await bob.page.locator('.transactions li[aria-current]').innerText(), /2\.5/);
  await bob.page.locator('#view-wallet').click();
});

test('words of another wallet do not replace one that is on no paper, and do not count as it', async () => {
  const code = (/** @type {string} */ words) => bob.page.evaluate((words) => document.querySelector('antiphon-player')?.antiphon?.wordsWrittenDown(words).then(() => '', (error) => error.code), words);
  assert.equal(await code(VECTOR), 'wallet/words-differ');
  const before = await bob.address();
  assert.match(await bob.bringBack(VECTOR), /not written down yet/);
  assert.equal(await bob.address(), before);
  assert.equal(await bob.get('wallet-words').getAttribute('data-written'), 'false');
});

test('wrong words are named one by one, and the right ones bring the address back', async () => {
  const cy = await Purse.open(browser, network.url, 'cy');
  await cy.sees('a proven balance', async () => (await cy.balance()) === 0n);
  assert.match(await cy.bringBack('abandon abandon'), /twelve or twenty-four/);
  assert.match(await cy.bringBack(VECTOR.replace('abandon abandon', 'abandon abandom')), /Word 2, “abandom”/);
  assert.match(await cy.bringBack(VECTOR.replace('about', 'abandon')), /do not belong together/);
  const before = await cy.address();
  assert.match(await cy.bringBack(`  ${words.join('  ').toUpperCase()} `), /back/);
  await cy.sees("Ann's address", async () => (await cy.address()) === address);
  assert.notEqual(before, address);
  await cy.sees('her money', async () => (await cy.balance()) > 0n);
  await cy.close();
});

test('several accounts come from the words, one at a time, and a reload keeps all', async () => {
  await ann.get('wallet-account').selectOption('1');
  await ann.sees('another address', async () => ![address, ''].includes(await ann.address()));
  const second = await ann.address();
  assert.match(await ann.page.locator('#wallet-title').innerText(), /2/);
  await ann.page.reload();
  await ann.isUp();
  await ann.sees('the account that was used last', async () => (await ann.address()) === second);
  await ann.get('wallet-account').selectOption('0');
  await ann.sees('the first again', async () => (await ann.address()) === address);
  await ann.sees('its past', async () => (await ann.get('past').locator('[data-testid=entry]').count()) >= 2);
  assert.equal(await ann.get('people').getAttribute('data-count'), '1');
  assert.equal(await ann.get('wallet-words').getAttribute('data-written'), 'true');
  const other = await ann.page.context().newPage();
  await other.goto(`${network.url}#/wallet`);
  await ann.sees('that a second tab has another account', async () => /^Account [^1]/.test(await other.locator('#wallet-title').innerText()));
  await other.getByTestId('wallet-account').selectOption('0');
  await ann.sees('that the first is in use', async () => /Another tab/.test(await other.getByTestId('wallet-said').innerText()));
  await other.close();
});

test('a backup brings pools to another device, where they are frozen', async () => {
  await ann.page.locator('#view-listen').click();
  await ann.sees('the stream', () => ann.page.evaluate(() => document.querySelector('antiphon-player')?.snapshot().stream !== null));
  await ann.page.getByTestId('deposit').fill('1');
  await ann.page.getByTestId('open-pool').click();
  await ann.sees('the pool', () => ann.page.evaluate(() => document.querySelector('antiphon-player')?.snapshot().wallet.pool?.deposit != null));
  await ann.page.locator('#view-wallet').click();
  await ann.sees('it in the list', async () => (await ann.get('locked').getAttribute('data-count')) === '1');
  assert.equal(await ann.get('locked-pool').getAttribute('data-freeze'), '');
  const [download] = await Promise.all([ann.page.waitForEvent('download'), ann.get('backup-save').click()]);
  const file = await download.path();

  const dan = await Purse.open(browser, network.url, 'dan');
  await dan.sees('a proven balance', async () => (await dan.balance()) === 0n);
  await dan.get('backup-file').setInputFiles(file);
  await dan.sees('that it is of another account', async () => /another account/.test(await dan.said('backup-said')));
  assert.match(await dan.bringBack(words.join(' ')), /Words do not know of pools.*take a backup/);
  await dan.sees("Ann's money", async () => (await dan.balance()) > 0n);
  assert.equal(await dan.get('locked').getAttribute('data-count'), '0', 'words alone know no pool');
  await dan.get('backup-file').setInputFiles(file);
  await dan.sees('the pool, frozen', async () => (await dan.get('locked-pool').getAttribute('data-freeze').catch(() => null)) === 'payer/frozen-other-device');
  assert.equal(await dan.get('people').getAttribute('data-count'), '1', 'the names came, too');
  await dan.sees('when it comes back', async () => /comes back from block/.test(await dan.get('locked-pool').innerText()));
  await dan.page.reload();
  await dan.isUp();
  await dan.sees('it is frozen still', async () => (await dan.get('locked-pool').getAttribute('data-freeze').catch(() => null)) === 'payer/frozen-other-device');
  assert.deepEqual([ann, bob, dan].flatMap(({ diary }) => diary.errors), []);
  await dan.close();
});
