// The sample stream in two renditions, without an encoder: the high one carries as much again that decoders pass over. And
// the sample encrypted, live.

import { createCipheriv, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encoder } from './encoder.mjs';
import { SAMPLE } from './live.mjs';

/** Bytes of a `free` box (ISO/IEC 14496-12 §8.1.2) at the end of each segment of the high rendition: two chunks more. */
const PADDING = 32_768;

/** Writes both below a new folder, with the playlist that lists them. */
export async function makeRenditions() {
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-renditions-'));
  const box = Buffer.alloc(PADDING, 7);
  box.writeUInt32BE(PADDING);
  box.write('free', 4);
  for (const [name, padding] of /** @type {const} */ ([['low', Buffer.alloc(0)], ['high', box]])) {
    await mkdir(join(folder, name));
    for (const file of await readdir(SAMPLE)) {
      const bytes = await readFile(join(SAMPLE, file));
      await writeFile(join(folder, name, file), file.endsWith('.m4s') ? Buffer.concat([bytes, padding]) : bytes);
    }
  }
  const list = ['low', 'high'].map((name, i) => `#EXT-X-STREAM-INF:BANDWIDTH=${160_000 * (i + 1)},CODECS="mp4a.40.2"\n${name}/index.m3u8\n`);
  await writeFile(join(folder, 'master.m3u8'), `#EXTM3U\n${list.join('')}`);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Segments that are there from the beginning: what a playlist is expected to hold. */
const COUNT = 6;
/** The number of the first: another than that of the stream. */
const FIRST = 5;

/**
 * Encrypts the sample live, as RFC 8216 §5.2 says, with the vectors that follow from the numbers of its segments, and serves the key. The
 * map stays in the clear.
 */
export async function makeEncrypted() {
  const key = randomBytes(16);
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(200, { 'access-control-allow-origin': '*' }).end(key);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const encoder = await Encoder.start(COUNT, {
    line: `#EXT-X-MEDIA-SEQUENCE:${FIRST}\n#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:${address.port}/key"\n`,
    wrap(bytes, number) {
      const vector = Buffer.alloc(16);
      vector.writeUInt32BE(FIRST + number, 12);
      const cipher = createCipheriv('aes-128-cbc', key, vector);
      return Buffer.concat([cipher.update(bytes), cipher.final()]);
    },
  });
  const stop = encoder.run();
  const close = async () => {
    await stop();
    server.closeAllConnections();
    server.close();
    await encoder.remove();
  };
  return { folder: encoder.folder, asked: () => asked, close };
}
