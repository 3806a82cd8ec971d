// Bundles each test for Node and runs them with Node's own runner.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const names = readdirSync(here('.')).filter((name) => name.endsWith('.test.ts'));
rmSync(here('../dist/test'), { recursive: true, force: true });
await build({
  entryPoints: names.map((name) => here(name)),
  outdir: here('../dist/test'),
  outExtension: { '.js': '.mjs' },
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
});
const files = names.map((name) => here(`../dist/test/${name.replace(/\.ts$/, '.mjs')}`));
process.exit(spawnSync(process.execPath, ['--test', ...files], { stdio: 'inherit' }).status ?? 1);
