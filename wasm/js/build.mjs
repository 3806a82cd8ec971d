// Builds the npm package: bundles to dist/, types to dist/types, wasm beside the worker.
// Expects the wasm-bindgen output (target web, names `antiphon` and `antiphon_verify`) in generated/.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Bytes, gzipped, that a page pays for the facade without hls.js. */
const FACADE_BUDGET = 15_000;

if (!existsSync(here('generated/antiphon.js'))) {
  console.error('generated/antiphon.js is missing: run `cargo xtask build`, which compiles the wasm first');
  process.exit(1);
}
rmSync(here('dist'), { recursive: true, force: true });
mkdirSync(here('dist'), { recursive: true });

const shared = { bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'none', outdir: here('dist') };
await build({
  ...shared,
  entryPoints: { antiphon: here('src/facade.ts'), player: here('src/element.ts'), hls: here('src/hls.ts'), verify: here('src/verify.ts') },
  external: ['hls.js', './overlay.js'],
  splitting: true,
  chunkNames: '[name]-[hash]',
});
// Each by itself: loaded from elsewhere, or when somebody first looks.
await build({ ...shared, entryPoints: { worker: here('src/worker.ts') } });
await build({ ...shared, entryPoints: { overlay: here('src/overlay.ts') } });
for (const wasm of ['antiphon_bg.wasm', 'antiphon_verify_bg.wasm']) copyFileSync(here(`generated/${wasm}`), here(`dist/${wasm}`));
execFileSync(process.execPath, [here('node_modules/typescript/bin/tsc'), '-p', here('.'), '--emitDeclarationOnly'], {
  stdio: 'inherit',
});

const facade = await build({ ...shared, entryPoints: [here('src/facade.ts')], write: false });
const size = gzipSync(facade.outputFiles[0].contents, { level: 9 }).length;
const [wasm, verify] = ['antiphon', 'antiphon_verify'].map((name) => gzipSync(readFileSync(here(`dist/${name}_bg.wasm`)), { level: 9 }).length);
const worker = gzipSync(readFileSync(here('dist/worker.js')), { level: 9 }).length;
console.log(`gzip bytes: facade ${size} (limit ${FACADE_BUDGET}), worker ${worker}, wasm ${wasm}, verifier ${verify}`);
if (size > FACADE_BUDGET) {
  console.error('the facade is over its budget');
  process.exit(1);
}
