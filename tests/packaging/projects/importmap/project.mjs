// No bundler: the package's files as they are, by an import map that says what each script must be.
import { createHash } from 'node:crypto';
import { copyFile, cp, readFile, writeFile } from 'node:fs/promises';

/** @param {string} root */
export async function make(root) {
  const antiphon = `${root}/../node_modules/antiphon/dist`;
  await cp(antiphon, `${root}/antiphon`, { recursive: true });
  await copyFile(`${root}/../../node_modules/hls.js/dist/hls.light.mjs`, `${root}/hls.mjs`);
  const hashes = JSON.parse(await readFile(`${antiphon}/integrity.json`, 'utf8'));
  const integrity = Object.fromEntries(Object.entries(hashes).filter(([name]) => name.endsWith('.js')).map(([name, hash]) => [`/antiphon/${name}`, hash]));
  const imports = { antiphon: '/antiphon/antiphon.js', 'hls.js/light': '/hls.mjs' };
  for (const name of ['player', 'hls', 'verify']) Object.assign(imports, { [`antiphon/${name}`]: `/antiphon/${name}.js` });
  const map = JSON.stringify({ imports, integrity });
  const page = await readFile(`${root}/index.html`, 'utf8');
  await writeFile(`${root}/index.html`, page.replace('<script', `<script type="importmap">${map}</script>\n<script`));
  await writeFile(`${root}/options.js`, `export const options = () => ({ integrity: '${hashes['antiphon_bg.wasm']}' });\n`);
  const hash = createHash('sha256').update(map).digest('base64');
  return { folder: root, policy: { 'script-src': `'sha256-${hash}'` } };
}
