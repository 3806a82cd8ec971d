// webpack, of a program that says `require`, and nothing made smaller.
import { readFile, rename, writeFile } from 'node:fs/promises';
import * as webpack from '../webpack/project.mjs';

/** @param {string} root */
export async function make(root) {
  for (const name of ['main', 'options', 'tried']) {
    const text = await readFile(`${root}/${name}.js`, 'utf8');
    await writeFile(`${root}/${name}.js`, text
      .replace(/import (\{.*\}) from (.*);/g, 'const $1 = require($2);')
      .replace(/import ('.*');/g, 'require($1);')
      .replace(/export (async )?function (\w+)/, 'exports.$2 = $1function $2')
      .replace(/export const (\w+)/, 'exports.$1'));
  }
  await rename(`${root}/package.commonjs.json`, `${root}/package.json`);
  return webpack.make(root, 'none');
}
