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
  // What was served of hls.js as it lies, though its bundle was to be taken.
  const unbundled = () => [...server.environments.client.moduleGraph.fileToModulesMap.keys()].filter((file) => file.includes('/node_modules/hls.js/'));
  return { url: server.resolvedUrls?.local[0] ?? '', unbundled, close: () => server.close() };
}
