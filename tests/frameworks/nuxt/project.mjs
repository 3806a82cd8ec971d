// Nuxt. `server/plugins/policy.ts` sends the policy that it is given.
// Its Vite is pinned: 8.4.0 names an optional package that npm did not have when this was written, and `npm ci` wants each.

const BIN = 'node_modules/nuxt/bin/nuxt.mjs';

export const project = {
  package: 'nuxt',
  // It says what to fetch ahead, and Firefox has no directive for that but this one.
  loosened: { 'default-src': "'self'" },
  quiet: { NUXT_TELEMETRY_DISABLED: '1' },
  build: [BIN, 'build'],
  built: '.output/public/_nuxt',
  /** @param {number} port @param {string} policy */
  start: (port, policy) => ({ words: ['.output/server/index.mjs'], env: { HOST: '127.0.0.1', PORT: `${port}`, POLICY: policy } }),
  /** @param {number} port */
  develop: (port) => ({ words: [BIN, 'dev', '--host', '127.0.0.1', '--port', `${port}`], env: {} }),
};
