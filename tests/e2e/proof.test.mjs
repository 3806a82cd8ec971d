// What a member can show of a payment field when it is over.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startBrowser } from './lab/browser.mjs';
import { PROGRAM, startNetwork } from './lab/network.mjs';
import { RoomPage } from './lab/room.mjs';

/** @type {Awaited<ReturnType<typeof startNetwork>>} */ let network;
/** @type {import('playwright-core').Browser} */ let browser;
/** @type {string} */ let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'antiphon-proof-'));
  network = await startNetwork({ blockTime: '300ms' });
  await network.configure({ stream: '' });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await network?.close();
  await rm(folder, { recursive: true, force: true });
});

/** What `antiphon evidence check` says of a file. @param {string} file @returns {Promise<{ exit: number, said: Record<string, unknown> }>} */
function check(file) {
  return new Promise((resolve) => {
    execFile(PROGRAM, ['evidence', 'check', file, '--json'], (error, stdout) => {
      resolve({ exit: typeof error?.code === 'number' ? error.code : 0, said: JSON.parse(stdout) });
    });
  });
}

/** Two pages in a field of one token each. @param {string} room */
async function share(room) {
  const pages = await Promise.all(['ada', 'bel'].map((name) => RoomPage.enter(browser, network.url, room, name)));
  const [ada, bel] = pages;
  assert.ok(ada !== undefined && bel !== undefined);
  await Promise.all(pages.map((page) => page.fund()));
  await Promise.all(pages.map((page) => page.sees('the other', async () => (await page.around()) === 1)));
  await ada.page.getByTestId('propose').click();
  await bel.reaches('invited');
  await bel.press('field-accept');
  await Promise.all(pages.map((page) => page.reaches('open')));
  return { ada, bel };
}

test('a member proves one payment of a closed field; the program checks the file, and a changed one shows nothing', async (t) => {
  const { ada, bel } = await share('receipts');
  await ada.burst('0.00003', 3);
  await bel.sees('three payments committed', async () => (await bel.field()).committed >= 3);
  await bel.sees('that the tower has the round', async () => (await bel.watched()) > 0);
  const sealed = await bel.saves('field-evidence', folder);
  const state = await check(sealed);
  assert.deepEqual([state.exit, state.said.kind, state.said.field], [0, 'sealed-state', (await bel.field()).id]);
  // The wallet's view saves the same state.
  await bel.page.locator('#view-wallet').click();
  const [download] = await Promise.all([bel.page.waitForEvent('download'), bel.page.getByTestId('evidence-save').click()]);
  assert.match(download.suggestedFilename(), /^antiphon-field-[0-9a-f]{8}\.evidence$/);
  assert.deepEqual(await readFile(await download.path()), await readFile(sealed));
  assert.match(await bel.page.getByTestId('backup-said').innerText(), /Saved\. Anyone can check it/);
  await bel.page.locator('#view-room').click();
  await bel.press('field-close');
  await Promise.all([ada, bel].map((page) => page.reaches('closed')));

  // The payee shows it; the payer is not asked.
  const field = bel.page.getByTestId('field').first();
  await field.getByTestId('payment-prove').first().click();
  await bel.sees('its proof', async () => (await field.getByTestId('payment-shown').getAttribute('data-units')) === '3000');
  const file = await bel.saves('field-keep', folder);
  assert.match(file, /payment-[0-9a-f]{8}-round-\d+-place-\d+\.evidence$/, 'no two payments have one name');
  const { exit, said } = await check(file);
  t.diagnostic(`${(await readFile(file)).length} bytes: ${JSON.stringify(said)}`);
  const [payer, payee] = [await ada.address(), await bel.address()];
  assert.deepEqual([exit, said.kind, said.payer, said.payee, said.units], [0, 'payment', payer, payee, '3000']);

  // A page that was never in that room judges the file alone, under what the guardians have made final; nothing was loaded for it before.
  const dot = await RoomPage.enter(browser, network.url, 'elsewhere', 'dot');
  /** @type {string[]} */ const loaded = [];
  dot.page.on('request', (request) => loaded.push(request.url()));
  await dot.sees('the chain', async () => (await dot.level('head-final')) > 0);
  assert.ok(!loaded.some((url) => url.includes('verify')));
  await dot.sees('the proof, final', async () => {
    const judged = await dot.judges(file);
    assert.deepEqual([judged.verdict, judged.units], ['holds', '3000'], judged.text);
    return judged.level === 'final';
  });
  assert.ok(loaded.some((url) => url.endsWith('antiphon_verify_bg.wasm')));
  const nothing = await dot.judges(sealed);
  assert.equal(nothing.verdict, 'refused');
  assert.match(nothing.text, /something else than one payment/);

  const bytes = await readFile(file);
  for (const at of [60, bytes.length >> 1, bytes.length - 1]) {
    const changed = Uint8Array.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const path = join(folder, `changed-${at}.evidence`);
    await writeFile(path, changed);
    const answer = await check(path);
    assert.equal(answer.said.holds, false, `byte ${at}`);
    assert.equal(answer.exit, 13, `byte ${at}`);
    assert.equal((await dot.judges(path)).verdict, 'refused', `byte ${at}`);
  }
  // The last byte of what comes before the proof: a height at which the chain committed nothing of it.
  const moved = Uint8Array.from(bytes);
  moved[52] = (moved[52] ?? 0) ^ 1;
  const path = join(folder, 'moved.evidence');
  await writeFile(path, moved);
  const elsewhere = await dot.judges(path);
  assert.equal(elsewhere.verdict, 'refused');
  assert.match(elsewhere.text, /commits other fields/);
  assert.deepEqual(dot.diary.errors, []);
  await Promise.all([ada.close(), bel.close(), dot.close()]);
});
