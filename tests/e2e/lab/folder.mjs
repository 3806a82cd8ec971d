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
 * @param {string} policy The Content-Security-Policy of every file; none if it is empty. @param {Readonly<Record<string, string | Buffer>>} [texts] Files that are in no folder. @param {number} [port]
 */
export async function serveFolders(folders, policy, texts = {}, port = 0) {
  /** Every path that was asked for and is not there, and every one that is. @type {string[]} */ const missed = [];
  /** @type {string[]} */ const given = [];
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
    (body === null ? missed : given).push(path);
    const type = Reflect.get(TYPES, extname(path)) ?? 'application/octet-stream';
    const headers = { 'content-type': type, 'cache-control': 'no-store', ...(policy === '' ? {} : { 'content-security-policy': policy }) };
    response.writeHead(body === null ? 404 : 200, headers).end(body ?? '');
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/`, missed, given, close: () => { server.closeAllConnections(); server.close(); } };
}
