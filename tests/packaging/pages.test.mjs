// Every way in which a page gets the package, opened in both browsers under the strictest policy.

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, Service } from '../e2e/lab/network.mjs';
import { lookExtended, startBrowsers } from './lab/browsers.mjs';
import { install, open, WORK } from './lab/package.mjs';
import { strict } from './lab/policy.mjs';
import { serveFolders } from '../e2e/lab/folder.mjs';

const SITE = fileURLToPath(new URL('../../www', import.meta.url));
/** How many things a page looks at. */
const LOOKS = 7;

/** @type {string} */ let data;
/** @type {Service} */ let chain;
/** @type {Awaited<ReturnType<typeof startBrowsers>>} */ let browsers;
/** @type {Readonly<Record<string, string | Buffer>>} */ let texts;

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'antiphon-packaging-'));
  chain = new Service(['dev', '--data', join(data, 'chain'), '--rpc', `127.0.0.1:${await freePort()}`, '--block-time', '1s']);
  const [ready] = await Promise.all([chain.start(), install()]);
  texts = { '/config.json': JSON.stringify({ chain: ready.chain, node: ready.base }) };
  browsers = await startBrowsers();
});
after(async () => {
  await browsers?.close();
  await chain?.stop();
  await rm(data, { recursive: true, force: true });
});

/** Opens an address in both browsers at once; each must find all well. @param {string} url @param {readonly string[]} [missed] */
async function isWell(url, missed = []) {
  await Promise.all(browsers.all.map(async ([name, look]) => {
    const { count, faults } = await look(url);
    assert.deepEqual(faults, [], `${name}; not found: ${missed}`);
    assert.equal(count, LOOKS, name);
  }));
  assert.deepEqual(missed, []);
}

for (const name of ['vite', 'webpack', 'webpack-require', 'esbuild', 'rollup', 'importmap', 'inline']) {
  test(`${name}: built, and well in both browsers`, async () => {
    const project = await import(`./projects/${name}/project.mjs`);
    const { folder, policy } = await project.make(await open(name));
    const server = await serveFolders([folder, SITE], strict(policy ?? project.policy), texts);
    try {
      await isWell(server.url, server.missed);
    } finally {
      server.close();
    }
  });
}

for (const name of ['vite', 'vite-plugin']) {
  test(`${name}: served while it is developed, and well in both browsers`, async () => {
    const project = await import(`./projects/${name}/project.mjs`);
    const files = await serveFolders([SITE], strict(), texts);
    const server = await project.serve(await open(name, `${name}-dev`), files.url);
    try {
      await isWell(server.url);
      assert.deepEqual(server.unbundled(), []);
    } finally {
      await server.close();
      files.close();
    }
  });
}

test('extension: a page of a Manifest V3 extension is well in Chromium', async () => {
  const project = await import('./projects/extension/project.mjs');
  const made = await project.make(await open('extension'), `${SITE}/sample`, String(texts['/config.json']));
  const { count, faults } = await lookExtended(made.folder, made.url);
  assert.deepEqual(faults, []);
  assert.equal(count, LOOKS);
});

/** Serves the project without a bundler, with another policy or other files. @param {(policy: string) => string} policy @param {Readonly<Record<string, string | Buffer>>} files */
async function altered(policy, files) {
  const project = await import('./projects/importmap/project.mjs');
  const made = await project.make(await open('importmap', 'altered'));
  return serveFolders([made.folder, SITE], policy(strict(made.policy)), { ...texts, ...files });
}

test('a policy that forbids wasm is named in one code, in both browsers', async () => {
  const server = await altered((policy) => policy.replace(" 'wasm-unsafe-eval'", ''), {});
  try {
    for (const [name, look] of browsers.all) {
      const { faults } = await look(server.url);
      assert.ok(faults.some((fault) => fault.startsWith('thrown: AntiphonError: wasm/blocked-by-csp')), `${name}: ${faults}`);
    }
  } finally {
    server.close();
  }
});

test('wasm that is not what `integrity` says is not started, in both browsers', async () => {
  // A custom section more: the module would run as before.
  const wasm = Buffer.concat([await readFile(`${WORK}/node_modules/antiphon/dist/antiphon_bg.wasm`), Buffer.of(0, 2, 1, 0x78)]);
  assert.ok(WebAssembly.validate(wasm));
  const server = await altered((policy) => policy, { '/antiphon/antiphon_bg.wasm': wasm });
  try {
    for (const [name, look] of browsers.all) {
      const { faults } = await look(server.url);
      assert.ok(faults.some((fault) => fault.startsWith('thrown: AntiphonError: wasm/not-loaded')), `${name}: ${faults}`);
    }
  } finally {
    server.close();
  }
});

test('a script of the package that is not what the import map says does not run, in both browsers', async () => {
  const verify = await readFile(`${WORK}/node_modules/antiphon/dist/verify.js`, 'utf8');
  const server = await altered((policy) => policy, { '/antiphon/verify.js': `${verify};` });
  try {
    for (const [name, look] of browsers.all) {
      const { count, faults } = await look(server.url, 3_000);
      assert.equal(count, 0, name);
      assert.ok(faults.some((fault) => /integrity/i.test(fault)), `${name}: ${faults}`);
    }
  } finally {
    server.close();
  }
});
