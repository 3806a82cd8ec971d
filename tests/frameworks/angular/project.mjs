// Angular. Its page is written while it is built, so any web server can give it.

import { fileURLToPath } from 'node:url';

const BIN = 'node_modules/@angular/cli/bin/ng.js';
const BUILT = 'dist/radio/browser';

export const project = {
  package: '@angular/core',
  // Its page names its base.
  loosened: { 'base-uri': "'self'" },
  quiet: { NG_CLI_ANALYTICS: 'false' },
  build: [BIN, 'build'],
  built: BUILT,
  /** @param {number} port @param {string} policy */
  start: (port, policy) => ({ words: [fileURLToPath(new URL('../lab/static.mjs', import.meta.url)), BUILT, `${port}`], env: { POLICY: policy } }),
  /** @param {number} port */
  develop: (port) => ({ words: [BIN, 'serve', '--host', '127.0.0.1', '--port', `${port}`], env: {} }),
};
