import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import trial from './trial.cjs';

const { resolve } = createRequire(import.meta.url);
await trial((name) => import(name), (name) => readFileSync(resolve(name)));
