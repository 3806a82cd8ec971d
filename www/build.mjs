// Builds the site to dist/: the script, hls.js apart from it, the static files, the docs, and the package's worker and wasm beside them.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { renderDocs } from './docs.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

rmSync(here('dist'), { recursive: true, force: true });
mkdirSync(here('dist'), { recursive: true });
/** What both pages are built with. @type {import('esbuild').BuildOptions} */
const options = { outdir: here('dist'), bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'none' };
// By itself: what it shares with the site would become a chunk of its own, which every listener would wait for.
await build({ ...options, entryPoints: { shop: here('src/shop.ts') } });
const { metafile } = await build({ ...options, entryPoints: { main: here('src/main.ts') }, splitting: true, metafile: true });
cpSync(here('static'), here('dist'), { recursive: true });
// What every view needs, and the player, is loaded from the start: index.html names it. Room, explorer and verifier are not.
const name = (path) => path.slice(path.lastIndexOf('/') + 1);
const outputs = Object.entries(metafile.outputs);
const main = outputs.find(([path]) => name(path) === 'main.js')?.[1];
const early = [
  ...(main?.imports ?? []).filter(({ kind }) => kind === 'import-statement').map(({ path }) => name(path)),
  ...outputs.map(([path]) => name(path)).filter((file) => file.startsWith('hls-')),
];
if (early.length < 2) throw new Error(`main.js and hls.js share something with the views; found ${early}`);
const page = readFileSync(here('dist/index.html'), 'utf8');
const links = early.map((file) => `<link rel="modulepreload" href="${file}">`).join('\n');
writeFileSync(here('dist/index.html'), page.replace('<!-- chunks -->', links));
for (const file of ['worker.js', 'antiphon_bg.wasm', 'antiphon_verify_bg.wasm']) {
  copyFileSync(here(`node_modules/antiphon/dist/${file}`), here(`dist/${file}`));
}
const { guides, codes } = renderDocs(here('../docs'), here('dist/docs'));
console.log(`docs: ${guides} guides, ${codes} codes`);
