// One file that holds all: hls.js, worker, wasm.
import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

/** The one project whose policy allows more: a worker made of text has a `blob:` address. */
export const policy = { 'worker-src': "blob:" };

/** @param {string} root */
export async function make(root) {
  await build({
    absWorkingDir: root, entryPoints: ['./main.js'], outdir: 'dist', bundle: true, format: 'esm', loader: { '.wasm': 'binary' }, logLevel: 'error',
  });
  await copyFile(`${root}/index.html`, `${root}/dist/index.html`);
  return { folder: `${root}/dist` };
}
