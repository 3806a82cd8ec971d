// Where pages that nobody debugs say how they stand: each holds one request open, which is answered when somebody wants to know.

import { createServer } from 'node:http';

/** How long a page may take to say how it stands. */
const PATIENCE_MS = 20_000;

/** Starts it on a free port. */
export async function startBoard() {
  /** Who waits to be asked. @type {Map<string, import('node:http').ServerResponse>} */ const waiting = new Map();
  /** Who wants to know, and what is asked of the page. @type {Map<string, { word: string, hear: (figures: any) => void }>} */ const wanted = new Map();
  /** @type {string[]} */ const errors = [];
  const meet = (/** @type {string} */ page) => {
    const want = wanted.get(page);
    if (want === undefined) return;
    waiting.get(page)?.end(want.word);
    waiting.delete(page);
  };
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('cache-control', 'no-store');
    const [, page = '', what] = (request.url ?? '').split('/');
    if (request.method === 'GET') {
      waiting.set(page, response);
      return meet(page);
    }
    let text = '';
    for await (const part of request) text += part;
    response.end();
    if (what === 'error') return void errors.push(`page ${page}: ${text}`);
    wanted.get(page)?.hear(JSON.parse(text));
    wanted.delete(page);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    /** What went wrong in pages. */
    errors,
    /** Asks a page how it stands; it may not have loaded yet. @param {string} page @param {string} [word] What it is to do first. @returns {Promise<any>} */
    read: (page, word = '') => new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`page ${page} says nothing\n${errors.join('\n')}`)), PATIENCE_MS);
      wanted.set(page, {
        word,
        hear: (figures) => {
          clearTimeout(timer);
          resolve(figures);
        },
      });
      meet(page);
    }),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
