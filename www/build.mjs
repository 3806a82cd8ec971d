// Builds the site to dist/: the script, hls.js apart from it, the static files, and the package's worker and wasm beside them.
import { copyFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

rmSync(here('dist'), { recursive: true, force: true });
mkdirSync(here('dist'), { recursive: true });
/** What both pages are built with. @type {import('esbuild').BuildOptions} */
const options = { outdir: here('dist'), bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'none' };
// By itself: what it shares with the site would become a chunk of its own, which every listener would wait for.
await build({ ...options, entryPoints: { shop: here('src/shop.ts') } });
await build({
  ...options,
  entryPoints: { main: here('src/main.ts') },
  splitting: true,
  // Without a digest: index.html names hls.js and what the views share, so that both are loaded from the start.
  chunkNames: '[name]',
});
cpSync(here('static'), here('dist'), { recursive: true });
for (const file of ['worker.js', 'antiphon_bg.wasm']) {
  copyFileSync(here(`node_modules/antiphon/dist/${file}`), here(`dist/${file}`));
}
