// esbuild copies no file that a script names by URL: the worker is an entry, and the wasm files are imported.
import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

/** @param {string} root */
export async function make(root) {
  await build({
    absWorkingDir: root, entryPoints: { main: './main.js', worker: 'antiphon/worker' }, outdir: 'dist',
    bundle: true, format: 'esm', splitting: true, loader: { '.wasm': 'file' }, publicPath: '/', logLevel: 'error',
  });
  await copyFile(`${root}/index.html`, `${root}/dist/index.html`);
  return { folder: `${root}/dist` };
}
