// Serves the pages that are compared, and the rival's own tracker.

import { build } from 'esbuild';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLive } from '../../lab/live.mjs';
import { startBoard } from './board.mjs';

const DIST = fileURLToPath(new URL('../../../../wasm/js/dist/', import.meta.url));

/** Whose page each listener is; who has no peers has another. @type {Record<string, string>} */
const PAGES = { antiphon: 'ours', default: 'rival', tuned: 'rival' };

/** Its server alone: its client loads a WebRTC stack that has to be built. Has no types, and is in this folder's own packages, which the tests do without. */
const TRACKER = 'bittorrent-tracker/server';

/** @param {Record<string, string>} config As the site's, with the stream's address. */
export async function startPages(config) {
  // One in this process: it introduces a few pages, and is not what is compared.
  const { default: Server } = await import(TRACKER);
  const tracker = new Server({ udp: false, http: false, ws: true, stats: false });
  await new Promise((resolve) => tracker.listen(0, '127.0.0.1', () => resolve(null)));
  const port = /** @type {import('node:net').AddressInfo} */ (tracker.ws.address()).port;
  const board = await startBoard();
  const told = JSON.stringify({ ...config, rivalTracker: `ws://127.0.0.1:${port}`, board: board.url });
  const [ours, rival, floor] = await Promise.all(['ours', 'rival', 'floor'].map((name) => bundle(name)));
  const page = (/** @type {string} */ name) => `<!doctype html><meta charset="utf-8"><title>${name}</title>
    <script>globalThis.config = ${told};</script><script type="module" src="/${name}.js"></script>`;
  const live = await startLive({
    '/ours': page('ours'), ...ours, '/rival': page('rival'), ...rival, '/floor': page('floor'), ...floor,
    '/worker.js': { file: join(DIST, 'worker.js') }, '/antiphon_bg.wasm': { file: join(DIST, 'antiphon_bg.wasm') },
  });
  return {
    /**
     * The page of a listener. @param {string} who `antiphon`, how the rival is set, or one of those without peers. @param {number} behind Seconds.
     * @param {string} page Its name at the board. @param {string} swarm Whom the rival meets: who has the same.
     */
    address: (who, behind, page, swarm) => `${live.url}/${PAGES[who] ?? 'floor'}?behind=${behind}&who=${who}&page=${page}&swarm=${swarm}`,
    board,
    close: async () => {
      live.close();
      board.close();
      await new Promise((resolve) => tracker.close(() => resolve(null)));
    },
  };
}

/** A page's script, and the parts of it that are loaded when it asks for them, as bundlers make them. @param {string} name */
async function bundle(name) {
  const entry = fileURLToPath(new URL(`page-${name}.mjs`, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: { [name]: entry }, bundle: true, splitting: true, outdir: '/', chunkNames: `${name}-[hash]`,
    minify: true, write: false, format: 'esm', target: 'es2022',
    // The rival's own bundle for browsers.
    conditions: ['p2pml:core-as-bundle'],
    alias: { 'antiphon/player': join(DIST, 'player.js') },
  });
  return Object.fromEntries(outputFiles.map(({ path, text }) => [`/${basename(path)}`, { text, type: '.js' }]));
}
