// Serves folders as a plain web server does, with a policy.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.json': 'application/json', '.wasm': 'application/wasm',
  '.m3u8': 'application/vnd.apple.mpegurl', '.mp4': 'video/mp4', '.m4s': 'video/iso.segment',
};

/**
 * @param {string[]} folders The first that has a file gives it.
 * @param {string} policy The Content-Security-Policy of every file. @param {Readonly<Record<string, string | Buffer>>} [texts] Files that are in no folder.
 */
export async function serveFolders(folders, policy, texts = {}) {
  /** Every path that was asked for and is not there. @type {string[]} */ const missed = [];
  /** @param {string} path */
  const find = async (path) => {
    if (path in texts) return texts[path];
    for (const folder of folders) {
      const body = await readFile(join(folder, normalize(path))).catch(() => null);
      if (body !== null) return body;
    }
    return null;
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://x');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const body = await find(path);
    if (body === null) missed.push(path);
    const type = Reflect.get(TYPES, extname(path)) ?? 'application/octet-stream';
    response.writeHead(body === null ? 404 : 200, { 'content-type': type, 'content-security-policy': policy, 'cache-control': 'no-store' }).end(body ?? '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/`, missed, close: () => { server.closeAllConnections(); server.close(); } };
}
