// A small live server: slides the sample stream's playlist as a radio would, and serves a folder of files.
// It knows nothing of Antiphon; the lab's own tests and the comparison with plain HLS use it.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SAMPLE = fileURLToPath(new URL('../../../www/sample/', import.meta.url));

/** Seconds of a segment of the sample stream. */
const SEGMENT_S = 2.048;
/** Segments in the playlist. */
const WINDOW = 6;

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.mp4': 'audio/mp4', '.m4s': 'audio/mp4', '.m3u8': 'application/vnd.apple.mpegurl', '.wasm': 'application/wasm' };

/**
 * Starts the server on a free port. `pages` maps paths to HTML, files or texts.
 * @param {Record<string, string | { file: string } | { text: string, type: string }>} pages
 */
export async function startLive(pages) {
  const names = (await readFile(join(SAMPLE, 'index.m3u8'), 'utf8')).split('\n').filter((line) => line.endsWith('.m4s'));
  const started = Date.now() - WINDOW * SEGMENT_S * 1000;
  /** @param {string} path @returns {Promise<[string | Buffer, string]>} */
  const answer = async (path) => {
    if (path === '/live.m3u8') return [playlist(names.length, started), '.m3u8'];
    const page = pages[path];
    if (typeof page === 'string') return [page, '.html'];
    if (page !== undefined && 'text' in page) return [page.text, page.type];
    if (page !== undefined) return [await readFile(page.file), extname(page.file)];
    const number = /^\/(\d+)\.m4s$/.exec(path)?.[1];
    if (number !== undefined) return [retime(await readFile(join(SAMPLE, String(names[Number(number) % names.length]))), Number(number)), '.m4s'];
    return [await readFile(join(SAMPLE, normalize(path))), extname(path)];
  };
  const server = createServer((request, response) => {
    answer(new URL(request.url ?? '/', 'http://x').pathname).then(([body, type]) => {
      response.writeHead(200, { 'content-type': Reflect.get(TYPES, type) ?? 'application/octet-stream', 'cache-control': 'no-store' }).end(body);
    }, () => response.writeHead(404).end());
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, close: () => { server.closeAllConnections(); server.close(); } };
}

/** @param {number} count @param {number} started */
function playlist(count, started) {
  const newest = Math.floor((Date.now() - started) / 1000 / SEGMENT_S);
  const first = Math.max(0, newest - WINDOW);
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-TARGETDURATION:2', `#EXT-X-MEDIA-SEQUENCE:${first}`, '#EXT-X-MAP:URI="init.mp4"'];
  for (let number = first; number < newest; number++) {
    lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(started + number * SEGMENT_S * 1000).toISOString()}`, `#EXTINF:${SEGMENT_S},`, `${number}.m4s`);
  }
  return `${lines.join('\n')}\n`;
}

/** Writes when a segment of the endless sample is decoded, whichever of its rounds this is. @param {Buffer} segment @param {number} number */
export function retime(segment, number) {
  const at = segment.indexOf('tfdt', 0, 'latin1');
  const time = BigInt(number) * 98_304n;
  if (segment[at + 4] === 1) segment.writeBigUInt64BE(time, at + 8);
  else segment.writeUInt32BE(Number(time), at + 8);
  return segment;
}
