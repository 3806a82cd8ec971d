// Rollup with the two plug-ins that find packages and copy what a script names by URL.
import { copyFile } from 'node:fs/promises';
import { nodeResolve } from '@rollup/plugin-node-resolve';
// @ts-ignore: its types are where its package.json does not say.
import { importMetaAssets } from '@web/rollup-plugin-import-meta-assets';
import { rollup } from 'rollup';

/** @param {string} root */
export async function make(root) {
  const fail = (/** @type {import('rollup').RollupLog} */ log) => { throw new Error(log.message); };
  const bundle = await rollup({ input: `${root}/main.js`, plugins: [nodeResolve({ browser: true }), importMetaAssets()], onwarn: fail });
  await bundle.write({ dir: `${root}/dist`, format: 'es' });
  await bundle.close();
  await copyFile(`${root}/index.html`, `${root}/dist/index.html`);
  return { folder: `${root}/dist` };
}
