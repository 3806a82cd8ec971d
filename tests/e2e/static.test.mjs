// The page verifies a chain from plain files on a server that knows nothing of it, and goes on when the node is gone.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, until } from './lab/browser.mjs';
import { freePort, Service } from './lab/network.mjs';

const DIST = fileURLToPath(new URL('../../www/dist', import.meta.url));

/** @type {string} */ let folder;
/** @type {string} */ let url;
/** @type {Service[]} */ const services = [];
/** @type {import('node:child_process').ChildProcess} */ let server;
/** @type {import('playwright-core').Browser} */ let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'antiphon-static-'));
  const [rpc, port] = await Promise.all([freePort(), freePort()]);
  await cp(DIST, join(folder, 'site'), { recursive: true });
  const chain = new Service(['dev', '--data', join(folder, 'chain'), '--rpc', `127.0.0.1:${rpc}`, '--block-time', '300ms']);
  await chain.start();
  services.push(chain);
  const id = String(chain.ready.chain);
  const mirror = new Service(['light', 'export', join(folder, 'site'), '--node', String(chain.ready.base), '--chain', id, '--every', '1s']);
  await mirror.start();
  services.push(mirror);
  // A server that comes with every Python, and knows neither headers for caches nor compressed twins.
  server = spawn('python3', ['-m', 'http.server', String(port), '--bind', '127.0.0.1', '--directory', join(folder, 'site')], { stdio: 'ignore' });
  url = `http://127.0.0.1:${port}/`;
  await writeFile(join(folder, 'site/config.json'), JSON.stringify({ node: url, chain: id, stream: '' }));
  await until('the server answers', () => fetch(url).then((answer) => answer.ok, () => false));
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  server?.kill();
  for (const service of services.reverse()) await service.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Opens the explorer and waits for a final head of at least this height. @param {string} name @param {number} least */
async function explore(name, least) {
  const opened = await openPage(browser, `${url}#/chain`, name);
  const head = opened.page.getByTestId('explore-final');
  await until(`${name} proves a final head`, async () => (await head.count()) > 0 && Number(await head.getAttribute('data-height')) >= least, 60_000, () => opened.diary.tail());
  return { ...opened, height: Number(await head.getAttribute('data-height')) };
}

test('a page proves the heads of a chain from files alone, and they move', async () => {
  const { page, diary, height, close } = await explore('static', 10);
  await until('the final head moves', async () => Number(await page.getByTestId('explore-final').getAttribute('data-height')) > height, 40_000, () => diary.tail());
  await page.evaluate(() => { location.hash = '#/block/7'; });
  await page.getByTestId('proven').waitFor();
  assert.equal(await page.getByTestId('proven').getAttribute('data-level'), 'final');
  assert.equal(await page.getByTestId('transactions').getAttribute('data-count'), '0');
  // State is not in the files: who asks for it is told so, and shown nothing.
  await page.evaluate((address) => { location.hash = `#/account/${address}`; }, String(services[0]?.ready.faucet));
  await page.getByTestId('refused').waitFor({ timeout: 20_000 });
  assert.equal(await page.getByTestId('refused').getAttribute('data-code'), 'lookup/unreachable');
  assert.deepEqual(diary.errors, []);
  await close();
});

test('when the node is gone, a new page proves what was exported last', async () => {
  for (const service of services.splice(0).reverse()) await service.stop();
  const { page, diary, height, close } = await explore('late', 10);
  await page.evaluate((height) => { location.hash = `#/checkpoint/${height}`; }, height);
  await page.getByTestId('proven').waitFor();
  const ring = page.locator('#found [data-testid=guardians]');
  assert.ok(Number(await ring.getAttribute('data-signed')) >= Number(await ring.getAttribute('data-quorum')));
  assert.deepEqual(diary.errors, []);
  await close();
});
