// Prints the verdicts on files of public vectors: `node vectors.mjs chromium|firefox|node FOLDER FILE…`, where FOLDER holds the module that
// `cargo xtask vectors` has built.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openBrowser } from './place.mjs';

const [place, folder = '', ...files] = process.argv.slice(2);
const texts = await Promise.all(files.map(async (file) => ({ name: basename(file), text: await readFile(file, 'utf8') })));
const { judge, end } = await (place === 'node' ? inNode() : inPage());
for (const { name, text } of texts) process.stdout.write(`# ${name}\n${await judge(name, text)}`);
await end();

/** @typedef {{ judge(name: string, text: string): Promise<string>, end(): Promise<void> }} Judge */

/** @returns {Promise<Judge>} */
async function inNode() {
  const { default: init, verdicts } = await import(pathToFileURL(resolve(folder, 'vectors.js')).href);
  await init({ module_or_path: await readFile(join(folder, 'vectors_bg.wasm')) });
  return { judge: async (name, text) => verdicts(name, text), end: async () => {} };
}

/** @returns {Promise<Judge>} */
async function inPage() {
  /** @type {Record<string, string>} */ const types = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
  const server = createServer(async (request, response) => {
    const name = basename(request.url ?? '');
    const type = types[extname(name)];
    if (type === undefined) response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Vectors</title>');
    else response.writeHead(200, { 'content-type': type }).end(await readFile(join(folder, name)));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', () => done(null)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { browser, close } = await openBrowser(place);
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${address.port}/`);
  return {
    judge: async (name, text) => {
      const act = `import('/vectors.js').then(async (module) => (await module.default({ module_or_path: fetch('/vectors_bg.wasm') }), module.verdicts(...${JSON.stringify([name, text])})))`;
      return String(await page.evaluate(act));
    },
    async end() {
      await close();
      server.closeAllConnections();
      server.close();
    },
  };
}
