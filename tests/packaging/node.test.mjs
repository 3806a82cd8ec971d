// The package on a server: imported and required, and what the judges of packages say.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, Service } from '../e2e/lab/network.mjs';
import { install, tool, WORK } from './lab/package.mjs';

const run = promisify(execFile);
const PROJECT = fileURLToPath(new URL('./projects/node', import.meta.url));
const DIST = `${WORK}/node_modules/antiphon/dist`;
/** Longest that the packed package may be, in bytes: both wasm modules, one of them twice (inline), and the rest. Chosen here. */
const MAX_TARBALL = 1_000_000;

/** @type {string} */ let tarball;
/** @type {string} */ let data;
/** @type {Service} */ let chain;
/** @type {string[]} */ let network;

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'antiphon-packaging-'));
  chain = new Service(['dev', '--data', join(data, 'chain'), '--rpc', `127.0.0.1:${await freePort()}`, '--block-time', '200ms']);
  const ready = await chain.start();
  network = [ready.base, ready.chain];
  tarball = await install();
  await cp(PROJECT, `${WORK}/node`, { recursive: true });
});
after(async () => {
  await chain?.stop();
  await rm(data, { recursive: true, force: true });
});

for (const kind of ['mjs', 'cjs']) {
  test(`${kind}: every entry loads in Node, touches nothing, and does there what can be done`, async () => {
    const { stdout } = await run(process.execPath, [`${WORK}/node/main.${kind}`], { timeout: 30_000 });
    assert.equal(stdout, 'all well\n');
  });

  for (const [runtime, words] of /** @type {const} */ ([['deno', ['run', '--allow-all', '--no-lock', '--cached-only']], ['bun', ['run']]])) {
    test(`${kind}: the same in ${runtime}, and a block of a chain is proven there`, async () => {
      const { isGood, said } = await tool(runtime, [...words, `${WORK}/node/main.${kind}`, ...network], WORK);
      assert.ok(isGood, said);
      assert.ok(said.endsWith('all well\n'), said);
    });
  }

  test(`${kind}: the types are those of what is loaded, for the strictest compiler`, async () => {
    const types = kind.replace('js', 'ts');
    const { isGood, said } = await tool('tsc', ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable,esnext.disposable', '--types', 'node', `${WORK}/node/types.${types}`]);
    assert.ok(isGood, said);
  });
}

test('the types tell the codes of errors and the kinds of answers apart: what is wrong does not compile', async () => {
  const wrong = `${WORK}/node/wrong.mts`;
  const lines = [
    "import { connect } from 'antiphon';",
    "const antiphon = await connect({ node: 'https://n', chain: '00' });",
    "const sum: number = (await antiphon.findAccount('A')).account.balance;",
    "antiphon.on('nothing', () => {});",
    "void connect({ node: 'https://n' });",
    'void sum;',
  ];
  await writeFile(wrong, lines.join('\n'));
  const { isGood, said } = await tool('tsc', ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom', '--types', 'node', wrong]);
  assert.ok(!isGood);
  const found = [...said.matchAll(/wrong\.mts\((\d+),/g)].map(([, line]) => Number(line));
  assert.deepEqual([...new Set(found)], [3, 4, 5], said);
});

test('publint finds nothing', async () => {
  const { isGood, said } = await tool('publint', [tarball, '--strict']);
  assert.ok(isGood && said.includes('All good!'), said);
});

test('are-the-types-wrong finds nothing, in any way of resolving', async () => {
  const { isGood, said } = await tool('attw', [tarball, '--format', 'json']);
  assert.ok(isGood, said);
  assert.deepEqual(JSON.parse(said).problems, {});
});

test('integrity.json says what every file is that a page may load, and nothing else', async () => {
  const hashes = JSON.parse(await readFile(`${DIST}/integrity.json`, 'utf8'));
  const names = (await readdir(DIST)).filter((name) => /\.(js|wasm)$/.test(name)).sort();
  assert.deepEqual(Object.keys(hashes), names);
  for (const name of names) {
    const hash = createHash('sha384').update(await readFile(`${DIST}/${name}`)).digest('base64');
    assert.equal(hashes[name], `sha384-${hash}`, name);
  }
});

test('the tarball holds what pages need: no sources, no tests, no maps, no names in the wasm', async () => {
  const { stdout } = await run('tar', ['-tzf', tarball]);
  const files = stdout.trim().split('\n').map((name) => name.replace(/^package\//, ''));
  const known = /^(package\.json|README\.md|dist\/([\w-]+\.js|[\w-]+\.wasm|integrity\.json|types\/([\w-]+\/)?[\w-]+\.d\.ts|cjs\/(package\.json|src\/([\w-]+\/)?[\w-]+\.js|types\/([\w-]+\/)?[\w-]+\.d\.ts)))$/;
  assert.deepEqual(files.filter((name) => !known.test(name)), []);
  const { size } = await stat(tarball);
  assert.ok(size < MAX_TARBALL, `${size} bytes`);
  for (const name of ['antiphon_bg.wasm', 'antiphon_verify_bg.wasm', 'antiphon_words_bg.wasm']) {
    const module = await WebAssembly.compile(await readFile(`${DIST}/${name}`));
    assert.equal(WebAssembly.Module.customSections(module, 'name').length, 0, name);
  }
});
