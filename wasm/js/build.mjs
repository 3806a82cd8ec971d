// Builds the npm package to dist/: bundles for pages, the same as CommonJS for servers, types for both, wasm beside the worker.
// Expects the wasm-bindgen output (target web, names as in `MODULES`) in generated/.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
/** Bytes, gzipped, that a page pays for the facade without hls.js. */
const FACADE_BUDGET = 15_000;
const MODULES = ['antiphon', 'antiphon_verify', 'antiphon_words'];

if (!existsSync(here('generated/antiphon.js'))) {
  console.error('generated/antiphon.js is missing: run `cargo xtask build`, which compiles the wasm first');
  process.exit(1);
}
rmSync(here('dist'), { recursive: true, force: true });
mkdirSync(here('dist'), { recursive: true });

const shared = { bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'none', outdir: here('dist') };
await build({
  ...shared,
  entryPoints: { antiphon: here('src/facade.ts'), player: here('src/element.ts'), hls: here('src/hls.ts'), verify: here('src/verify.ts'), words: here('src/words.ts') },
  external: ['hls.js', './overlay.js'],
  splitting: true,
  chunkNames: '[name]-[hash]',
});
// Imports of which nothing is taken: chunks do nothing by themselves, as package.json says, and bundlers warn of what contradicts it.
for (const name of ['antiphon', 'player', 'hls', 'verify', 'words']) {
  const text = readFileSync(here(`dist/${name}.js`), 'utf8');
  writeFileSync(here(`dist/${name}.js`), text.replaceAll(/import"\.\/chunk-\w+\.js";/g, ''));
}
// Each by itself: loaded from elsewhere, or when somebody first looks.
for (const [name, source] of [['worker', 'worker'], ['overlay', 'overlay'], ['vite', 'vite'], ['codes', 'codes']]) {
  await build({ ...shared, entryPoints: { [name]: here(`src/${source}.ts`) } });
}
for (const name of MODULES) copyFileSync(here(`generated/${name}_bg.wasm`), here(`dist/${name}_bg.wasm`));
const texts = {
  WORKER: JSON.stringify(readFileSync(here('dist/worker.js'), 'utf8')),
  WASM: JSON.stringify(zipped('dist/antiphon_bg.wasm').toString('base64')),
};
await build({ ...shared, entryPoints: { inline: here('src/inline.ts') }, define: texts });

execFileSync(process.execPath, [here('node_modules/typescript/bin/tsc'), '-p', here('.'), '--emitDeclarationOnly'], {
  stdio: 'inherit',
});
await commonJs();
writeFileSync(here('dist/integrity.json'), `${JSON.stringify(integrity(), null, 2)}\n`);

const facade = await build({ ...shared, entryPoints: [here('src/facade.ts')], write: false });
const size = gzipSync(facade.outputFiles[0].contents, { level: 9 }).length;
const [worker, wasm, verify, words] = ['worker.js', 'antiphon_bg.wasm', 'antiphon_verify_bg.wasm', 'antiphon_words_bg.wasm'].map((name) => zipped(`dist/${name}`).length);
console.log(`gzip bytes: facade ${size} (limit ${FACADE_BUDGET}), worker ${worker}, wasm ${wasm}, verifier ${verify}, words ${words}`);
if (size > FACADE_BUDGET) {
  console.error('the facade is over its budget');
  process.exit(1);
}

/**
 * What `require` needs, in a folder of its own where `.js` means CommonJS: one file a module, so that all entries share one
 * `AntiphonError`. Types are the same files once more, for a type belongs to the kind of module that it lies beside.
 */
async function commonJs() {
  const options = { outdir: here('dist/cjs/src'), format: 'cjs', platform: 'node', target: 'node20', minify: true, legalComments: 'none' };
  const apart = ['worker.ts', 'inline.ts', 'asset.ts'];
  const sources = ['', 'facade/', 'tabs/'].flatMap((folder) => readdirSync(here(`src/${folder}`)).filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !apart.includes(name)).map((name) => here(`src/${folder}${name}`)));
  await build({
    ...options,
    entryPoints: sources,
    // All but the wasm's glue stays a file of its own.
    bundle: true, external: ['hls.js'], plugins: [{ name: 'apart', setup: (build) => build.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ path }) => (path.startsWith('../generated/') ? null : { path, external: true })) }],
    define: { 'import.meta.url': 'here' },
    banner: { js: 'const here=require("node:url").pathToFileURL(__dirname+"/../../").href;' },
  });
  // A server has the files: they need not be in the package once more.
  const read = 'const read=(name)=>require("node:fs").readFileSync(__dirname+"/../../"+name);';
  const files = 'const files={get worker(){return read("worker.js").toString()},get wasm(){return require("node:zlib").gzipSync(read("antiphon_bg.wasm")).toString("base64")}};';
  await build({ ...options, entryPoints: [here('src/inline.ts')], define: { WORKER: 'files.worker', WASM: 'files.wasm' }, banner: { js: read + files } });
  // A worker does nothing where there are none.
  writeFileSync(here('dist/cjs/src/worker.js'), '"use strict";\n');
  cpSync(here('dist/types'), here('dist/cjs/types'), { recursive: true });
  writeFileSync(here('dist/cjs/package.json'), '{ "type": "commonjs" }\n');
}

/** What browsers may be told of each file that they load, as Subresource Integrity writes it. */
function integrity() {
  const names = readdirSync(here('dist')).filter((name) => /\.(js|wasm)$/.test(name)).sort();
  return Object.fromEntries(names.map((name) => [name, `sha384-${createHash('sha384').update(readFileSync(here(`dist/${name}`))).digest('base64')}`]));
}

function zipped(path) {
  return gzipSync(readFileSync(here(path)), { level: 9 });
}
