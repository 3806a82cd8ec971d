// A node or an origin that lies: a proxy in front of an honest one that changes its answers.

import { createServer } from 'node:http';

/**
 * How to lie. Each function gets an honest answer and returns the lie.
 * @typedef {{
 *   path?: (path: string) => string,
 *   file?: (path: string, body: Buffer) => Buffer,
 *   proof?: (proof: Buffer) => Buffer,
 *   media?: (path: string, body: Buffer) => Buffer,
 * }} Lie
 */

/** Starts the liar on a free port. @param {string} honest URL of the honest node or origin @param {Lie} lie */
export async function startLiar(honest, lie) {
  const server = createServer((request, response) => {
    const chunks = /** @type {Buffer[]} */ ([]);
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      try {
        const path = lie.path?.(request.url ?? '/') ?? request.url ?? '/';
        const asked = Buffer.concat(chunks);
        const answer = await fetch(new URL(path, honest), {
          method: request.method ?? 'GET',
          headers: { 'content-type': request.headers['content-type'] ?? 'application/json' },
          ...(asked.length > 0 ? { body: asked } : {}),
        });
        /** @type {Buffer} */ let body = Buffer.from(await answer.arrayBuffer());
        if (path.startsWith('/light/')) body = lie.file?.(path, body) ?? body;
        else if (/\.(mp4|m4s)$/.test(path)) body = lie.media?.(path, body) ?? body;
        else if (asked.includes('antiphon_prove')) body = reprove(body, lie);
        response.writeHead(answer.status, {
          'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'access-control-allow-methods': '*',
          'content-type': answer.headers.get('content-type') ?? 'application/octet-stream',
        }).end(body);
      } catch {
        response.writeHead(502).end();
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, close: () => { server.closeAllConnections(); server.close(); } };
}

/** @param {Buffer} body @param {Lie} lie */
function reprove(body, lie) {
  const answer = JSON.parse(body.toString());
  if (typeof answer.result === 'string' && lie.proof !== undefined) {
    answer.result = lie.proof(Buffer.from(answer.result, 'base64')).toString('base64');
  }
  return Buffer.from(JSON.stringify(answer));
}

/** Writes another amount wherever this one stands, as 16 bytes, little end first. @param {Buffer} bytes @param {bigint} from @param {bigint} to */
export function forgeAmount(bytes, from, to) {
  const [old, lie] = [sixteen(from), sixteen(to)];
  for (let at = bytes.indexOf(old); at >= 0; at = bytes.indexOf(old, at + 1)) lie.copy(bytes, at);
  return bytes;
}

/** @param {bigint} amount */
function sixteen(amount) {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(amount);
  return bytes;
}
