// An origin that hands on what another serves and counts what it hands on of segments.

import { createServer, request as ask } from 'node:http';

/** A segment's name: its number, and a digest. */
const SEGMENT = /\/(\d+)-[0-9a-f]+\.m4s$/;

/**
 * Starts it on a free port, before the server of this playlist.
 * @param {string} playlist
 */
export async function startOrigin(playlist) {
  const behind = new URL(playlist);
  let requests = 0, bytes = 0, newest = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', behind);
    const number = SEGMENT.exec(url.pathname)?.[1];
    if (number !== undefined) {
      requests += 1;
      newest = Math.max(newest, Number(number));
    }
    const headers = { ...request.headers, host: behind.host };
    const upstream = ask(url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (number !== undefined) answer.on('data', (/** @type {Buffer} */ part) => { bytes += part.length; });
      answer.pipe(response);
    });
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: new URL(behind.pathname, `http://127.0.0.1:${address.port}`).href,
    /** Requests for segments, their bytes, and the newest segment that was asked for. */
    counts: () => ({ requests, bytes, newest }),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}
