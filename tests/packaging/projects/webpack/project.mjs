// webpack without a configuration, but for names and where to put it.
import { copyFile } from 'node:fs/promises';
import webpack from 'webpack';

/** @param {string} root @param {'production' | 'none'} [mode] */
export async function make(root, mode = 'production') {
  const compiler = webpack({ mode, context: root, entry: './main.js', output: { path: `${root}/dist`, filename: 'main.js' }, performance: { hints: false } });
  const stats = await new Promise((resolve, reject) => compiler.run((error, stats) => (error ? reject(error) : resolve(stats))));
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString({ colors: false }));
  await new Promise((resolve) => compiler.close(resolve));
  await copyFile(`${root}/index.html`, `${root}/dist/index.html`);
  return { folder: `${root}/dist` };
}
