// Light clients of npm beside ours: what a page downloads, how soon it runs, with which tools. One line of JSON for each on standard output.

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { publint } from 'publint';
import { startBrowser } from '../../e2e/lab/browser.mjs';
import { startFirefox } from '../../e2e/lab/firefox.mjs';
import { serveFolders } from '../../e2e/lab/folder.mjs';
import { install, tool, WORK } from '../lab/package.mjs';
import { strict } from '../lab/policy.mjs';
import * as esbuild from '../projects/esbuild/project.mjs';
import * as vite from '../projects/vite/project.mjs';
import * as webpack from '../projects/webpack/project.mjs';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const FOLDER = `${WORK}/scorecard`;
/** How often a start is measured. */
const ROUNDS = 7;
/** How long a start may take. */
const PATIENCE_MS = 15_000;
/** What a client may ask of the network beside its own files. */
const POLICY = strict({ 'connect-src': 'https: ws: wss:' });

const PACKAGES = [
  { name: 'antiphon', module: 'antiphon' },
  { name: 'helios', module: '@a16z/helios' },
  { name: 'smoldot', module: 'smoldot' },
  { name: 'matrix', module: '@matrix-org/matrix-sdk-crypto-wasm' },
  { name: 'lumina', module: 'lumina-node' },
];

await install();
await mkdir(FOLDER, { recursive: true });
await cp(`${HERE}node_modules`, `${FOLDER}/node_modules`, { recursive: true });
await cp(`${WORK}/node_modules/antiphon`, `${FOLDER}/node_modules/antiphon`, { recursive: true });
const [chromium, firefox] = await Promise.all([startBrowser(), startFirefox()]);
try {
  for (const one of PACKAGES.filter(({ name }) => process.argv.length < 3 || process.argv.includes(name))) console.log(JSON.stringify(await judge(one)));
} finally {
  await chromium.close();
  await firefox.close();
}

/** @param {typeof PACKAGES[number]} one */
async function judge({ name, module }) {
  const folder = `${FOLDER}/node_modules/${module}`;
  const { version } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
  const built = await attempt(async () => (await vite.make(await project(name, 'vite'))).folder);
  const packed = await attempt(async () => (await webpack.make(await project(name, 'webpack'))).folder);
  /** In the order in which they are shown. @type {[string, string][]} */ const cells = [
    ['Vite, built, in Chromium', await opened(built, null, inChromium)],
    ['the same, strict', await opened(built, POLICY, inChromium)],
    ['the same, in Firefox', await opened(built, null, inFirefox)],
    ['Vite, development', await developed(name)],
    ['webpack', await opened(packed, null, inChromium)],
    ['esbuild', await opened(await attempt(async () => (await esbuild.make(await project(name, 'esbuild'))).folder), null, inChromium)],
    ['import in Node', await inNode('--input-type=module', `await import('${module}')`)],
    ['require in Node', await inNode('--input-type=commonjs', `require('${module}')`)],
  ];
  const { messages } = await publint({ pkgDir: folder, level: 'error', pack: false });
  const types = await readTypes(folder);
  return {
    name, version, cells, ...('why' in built ? { by: 'webpack', ...(await measured(packed)) } : { by: 'Vite', ...(await measured(built)) }),
    publint: messages.length, attw: await attw(folder, name),
    takesSignal: /\bAbortSignal\b/.test(types), disposes: /\[Symbol\.(asyncDispose|dispose)\]/.test(types), hasCodes: /^\s*(readonly )?code: \w+;/m.test(types),
  };
}

/** A folder with the program that starts a package. @param {string} name @param {string} way */
async function project(name, way) {
  const root = `${FOLDER}/${name}-${way}`;
  await rm(root, { recursive: true, force: true });
  await mkdir(root);
  await cp(`${HERE}main.js`, `${root}/main.js`);
  await cp(`${HERE}boot/${name}.js`, `${root}/boot.js`);
  await cp(`${HERE}../page/index.html`, `${root}/index.html`);
  if (way !== 'esbuild') return root;
  // What the README says for bundlers that copy nothing; for the others, their own way is all that there is.
  await writeFile(`${root}/worker.js`, name === 'antiphon' ? "import 'antiphon/worker';\n" : '');
  if (name === 'antiphon') {
    const boot = await readFile(`${root}/boot.js`, 'utf8');
    await writeFile(`${root}/boot.js`, `import wasm from 'antiphon/wasm';\n${boot.replace("storage: 'memory'", "storage: 'memory', worker: '/worker.js', wasm")}`);
  }
  return root;
}

/** @param {() => Promise<string>} make @returns {Promise<{ folder: string } | { why: string }>} */
async function attempt(make) {
  try {
    return { folder: await make() };
  } catch (error) {
    const lines = String(error).split('\n').filter((line) => line.trim() !== '');
    return { why: `not built: ${lines.find((line) => /^\[\w+\]/.test(line)) ?? lines[0]}` };
  }
}

/** Opens what was built. @param {{ folder: string } | { why: string }} built @param {string | null} policy @param {typeof inChromium} look */
async function opened(built, policy, look) {
  if ('why' in built) return built.why;
  const server = await serveFolders([built.folder], policy ?? '');
  try {
    const { why } = await look(server.url);
    return why === undefined ? 'ok' : `not started: ${why}`;
  } finally {
    server.close();
  }
}

/** @param {string} name */
async function developed(name) {
  const server = await vite.serve(await project(name, 'development'), 'http://127.0.0.1:9', []);
  try {
    // The first time, its dependencies are bundled, and the page may be loaded twice.
    const { why } = await inChromium(server.url);
    if (why === undefined) return 'ok';
    const again = await inChromium(server.url);
    return again.why === undefined ? 'ok' : `not started: ${again.why}`;
  } finally {
    await server.close();
  }
}

/** What a page downloads until the package runs, in bytes after gzip, and how long that takes. @param {{ folder: string } | { why: string }} built */
async function measured(built) {
  if ('why' in built) return { bytes: null, bootMs: null };
  const server = await serveFolders([built.folder], '');
  try {
    const first = await inChromium(server.url);
    if (first.ms === undefined) return { bytes: null, bootMs: null };
    let bytes = 0;
    for (const path of new Set(server.given)) if (path !== '/index.html') bytes += gzipSync(await readFile(join(built.folder, path)), { level: 9 }).length;
    const times = [];
    for (let i = 0; i < ROUNDS; i++) times.push((await inChromium(server.url)).ms ?? Infinity);
    return { bytes, bootMs: times.sort((a, b) => a - b)[ROUNDS >> 1] ?? null };
  } finally {
    server.close();
  }
}

/** @param {string} url @returns {Promise<{ ms?: number, why?: string }>} */
async function inChromium(url) {
  const context = await chromium.newContext();
  return look(await context.newPage(), url, () => context.close());
}

/** @param {string} url @returns {Promise<{ ms?: number, why?: string }>} */
async function inFirefox(url) {
  const context = await firefox.browser.createBrowserContext();
  return look(await context.newPage(), url, () => context.close());
}

/** @param {any} page @param {string} url @param {() => Promise<void>} close */
async function look(page, url, close) {
  /** @type {string[]} */ const said = [];
  page.on('pageerror', (/** @type {Error} */ error) => said.push(error.message));
  page.on('console', (/** @type {any} */ message) => message.type() === 'error' && said.push(message.text()));
  try {
    await page.goto(url);
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, { why: 'nothing happens' }));
    const seen = (async () => {
      for (;;) {
        const outcome = await page.evaluate(() => Reflect.get(globalThis, 'outcome') ?? null);
        if (outcome !== null) return outcome;
        if (said.length > 0) return { why: said[0] };
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const outcome = await Promise.race([seen, late]);
    return outcome.why === 'nothing happens' && said.length > 0 ? { why: said[0] } : outcome;
  } catch (error) {
    return { why: String(error) };
  } finally {
    await close();
  }
}

/** @param {string} kind @param {string} program */
async function inNode(kind, program) {
  try {
    await run(process.execPath, [kind, '--eval', `${program}; process.exit(0)`], { cwd: FOLDER, timeout: PATIENCE_MS });
    return 'ok';
  } catch (error) {
    const said = String(Reflect.get(Object(error), 'stderr'));
    return (/^\w*Error.*$/m.exec(said)?.[0] ?? 'fails').replaceAll(`${FOLDER}/node_modules/`, '');
  }
}

/** @param {string} folder @param {string} name */
async function attw(folder, name) {
  const packed = `${FOLDER}/${name}-packed`;
  await mkdir(packed, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', packed], { cwd: folder, maxBuffer: 1 << 24 });
  const { said } = await tool('attw', [`${packed}/${JSON.parse(stdout)[0].filename}`, '--format', 'json']);
  try {
    return Object.keys(JSON.parse(said).problems).length;
  } catch {
    return 'cannot be read';
  }
}

/** All types of a package. @param {string} folder */
async function readTypes(folder) {
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.d\.[mc]?ts$/.test(name) && !name.includes('node_modules'));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
}
