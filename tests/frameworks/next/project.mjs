// Next, built by Turbopack. `proxy.js` sends the policy that it is given.

const BIN = 'node_modules/next/dist/bin/next';

export const project = {
  package: 'next',
  quiet: { NEXT_TELEMETRY_DISABLED: '1' },
  build: [BIN, 'build'],
  built: '.next/static',
  /** @param {number} port @param {string} policy */
  start: (port, policy) => ({ words: [BIN, 'start', '-H', '127.0.0.1', '-p', `${port}`], env: { POLICY: policy } }),
  /** @param {number} port */
  develop: (port) => ({ words: [BIN, 'dev', '-H', '127.0.0.1', '-p', `${port}`], env: {} }),
};
