// Times noble/curves on checkpoints and prints a line of JSON for each: `node bench/noble.mjs node|chromium GUARDIANS…`.

import { build } from 'esbuild';
import { openPage, startBrowser, until } from '../lab/browser.mjs';
import { startLive } from '../lab/live.mjs';
import { check } from './noble-work.mjs';

const [engine, ...rest] = process.argv.slice(2);
const counts = rest.map(Number);

/** @param {ReturnType<typeof check>[]} rows */
const print = (rows) => { for (const row of rows) console.log(JSON.stringify(row)); };

if (engine === 'node') {
  print(counts.map(check));
} else if (engine === 'chromium') {
  const contents = `import { check } from './noble-work.mjs';
    self.onmessage = ({ data }) => { try { postMessage({ rows: data.map(check) }); } catch (error) { postMessage({ error: String(error) }); } };`;
  const bundle = await build({ stdin: { contents, resolveDir: import.meta.dirname }, bundle: true, minify: true, write: false, format: 'iife' });
  const page = `<!doctype html><script>
    const worker = new Worker('/worker.js');
    worker.onmessage = ({ data }) => { globalThis.result = data; };
    worker.postMessage(${JSON.stringify(counts)});
  </script>`;
  const live = await startLive({ '/page': page, '/worker.js': { text: bundle.outputFiles[0]?.text ?? '', type: '.js' } });
  const browser = await startBrowser();
  try {
    const opened = await openPage(browser, `${live.url}/page`);
    const result = await until('noble is done', () => opened.page.evaluate(() => Reflect.get(globalThis, 'result')), 600_000);
    if (result.error !== undefined) throw new Error(result.error);
    print(result.rows);
  } finally {
    await browser.close();
    live.close();
  }
} else {
  throw new Error('name an engine: node or chromium');
}
