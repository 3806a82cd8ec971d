// Reads codes from what the screen shows, as a camera does.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';

const reader = await readFile(createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'));
// Its own file: by itself it would fetch one from a server.
await prepareZXingModule({ overrides: { wasmBinary: new Uint8Array(reader).buffer }, fireImmediately: true });

/** What the QR codes say that are seen there. @param {import('playwright-core').Locator} place */
export async function codesIn(place) {
  const codes = await readBarcodes(await place.screenshot(), { formats: ['QRCode'] });
  return codes.map(({ text }) => text);
}
