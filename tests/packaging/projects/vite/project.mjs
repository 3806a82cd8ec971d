// Vite without a configuration.
import { build, createServer } from 'vite';

/** @param {string} root */
export async function make(root) {
  await build({ root, logLevel: 'error', build: { outDir: 'dist' } });
  return { folder: `${root}/dist` };
}

/** @param {string} root @param {string} proxied @param {import('vite').Plugin[]} plugins */
export async function serve(root, proxied, plugins = []) {
  const proxy = { '/config.json': proxied, '/sample': proxied };
  const server = await createServer({ root, logLevel: 'error', plugins, server: { host: '127.0.0.1', port: 0, proxy, hmr: false } });
  await server.listen();
  const bundles = server.environments.client.depsOptimizer;
  await bundles?.scanProcessing;
  const found = () => Object.keys({ ...bundles?.metadata.optimized, ...bundles?.metadata.discovered });
  const early = new Set(found());
  return { url: server.resolvedUrls?.local[0] ?? '', late: () => found().filter((name) => !early.has(name)), close: () => server.close() };
}
