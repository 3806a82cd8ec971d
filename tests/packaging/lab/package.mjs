// The package as npm would publish it, installed.

import { execFile } from 'node:child_process';
import { cp, mkdir, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('../', import.meta.url));
/** Where projects are built, below the folder of bundlers and of hls.js. */
export const WORK = `${HERE}work`;

/** Packs it, and unpacks it to where an installation would be. Returns the tarball. */
export async function install() {
  await rm(WORK, { recursive: true, force: true });
  await mkdir(`${WORK}/node_modules/antiphon`, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', WORK], { cwd: `${HERE}../../wasm/js`, maxBuffer: 1 << 24 });
  const tarball = `${WORK}/${JSON.parse(stdout)[0].filename}`;
  await run('tar', ['-xzf', tarball, '-C', `${WORK}/node_modules/antiphon`, '--strip-components', '1']);
  return tarball;
}

/** Copies a project and the program that it builds to a folder below the installation. @param {string} name */
export async function open(name, as = name) {
  const root = `${WORK}/${as}`;
  await cp(`${HERE}page`, root, { recursive: true });
  await cp(`${HERE}projects/${name}`, root, { recursive: true });
  return root;
}

/** Runs a program of the bundlers' folder. @param {string} program @param {string[]} words */
export async function tool(program, words, cwd = HERE) {
  try {
    const { stdout, stderr } = await run(`${HERE}node_modules/.bin/${program}`, words, { cwd, maxBuffer: 1 << 24 });
    return { isGood: true, said: stdout + stderr };
  } catch (error) {
    return { isGood: false, said: `${Reflect.get(Object(error), 'stdout')}${Reflect.get(Object(error), 'stderr')}` };
  }
}
