// An encoder whose every playlist the test writes: segments of the sample, round after round, and what is said of them.

import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SAMPLE, retime } from './live.mjs';

/** Seconds of a segment of the sample. */
export const SEGMENT_S = 2.048;
/** Segments of a round. */
const ROUND = 32;

/**
 * What an encoder does to the bytes of its segments, and the line by which it says so.
 * @typedef {{ line: string, wrap(bytes: Buffer, number: number): Buffer }} Wrapping
 */
/** @type {Wrapping} */ const PLAIN = { line: '', wrap: (bytes) => bytes };

export class Encoder {
  /** @type {string[]} */ #listed = [];
  /** Which of the sample comes first. */
  #first = 0;

  /** @param {string} folder @param {Wrapping} wrapping */
  constructor(folder, wrapping) {
    this.folder = folder;
    this.wrapping = wrapping;
  }

  /** Makes one with a folder of its own, and the first segments in it. @param {number} count @param {Wrapping} [wrapping] */
  static async start(count, wrapping = PLAIN) {
    const encoder = new Encoder(await mkdtemp(join(tmpdir(), 'antiphon-encoder-')), wrapping);
    await copyFile(join(SAMPLE, 'init.mp4'), join(encoder.folder, 'init.mp4'));
    await encoder.add(count);
    return encoder;
  }

  /** Makes so many segments more, and lists them. @param {number} count @param {boolean} [isLast] Whether nothing follows. */
  async add(count, isLast = false) {
    for (let i = 0; i < count; i += 1) {
      const number = this.#listed.length;
      const bytes = await readFile(join(SAMPLE, `${`${(number + this.#first) % ROUND}`.padStart(2, '0')}.m4s`));
      await writeFile(join(this.folder, `${number}.m4s`), this.wrapping.wrap(retime(bytes, number), number));
      this.#listed.push(`${number}.m4s`);
    }
    const segments = this.#listed.map((name) => `#EXTINF:${SEGMENT_S},\n${name}\n`).join('');
    const head = `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="init.mp4"\n${this.wrapping.line}`;
    // As encoders do: nobody ever reads half of it.
    await writeFile(join(this.folder, 'next'), `${head}${segments}${isLast ? '#EXT-X-ENDLIST\n' : ''}`);
    await rename(join(this.folder, 'next'), join(this.folder, 'live.m3u8'));
  }

  /** Begins anew from its first segment, with other bytes than before. @param {number} count */
  async restart(count) {
    this.#listed = [];
    this.#first += 5;
    await this.add(count);
  }

  /** Makes a segment whenever its time has come, until it is told to stop. Returns how to stop it. */
  run() {
    let adding = Promise.resolve();
    const timer = setInterval(() => (adding = adding.then(() => this.add(1))), SEGMENT_S * 1000);
    return async () => {
      clearInterval(timer);
      await adding;
    };
  }

  async remove() {
    await rm(this.folder, { recursive: true, force: true });
  }
}
