// Serves one example: `node examples/serve.mjs FOLDER SITE`, where SITE is the page of a network, as `cargo xtask demo` or
// `antiphon site` show it; its `config.json` names the chain, the node and the stream. Prints the address.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, extname, normalize } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' };
/** What a site of its own has in `node_modules`; `cargo xtask build` makes the first. */
const PACKAGES = { '/antiphon/': here('../wasm/js/dist/'), '/hls.js/': here('../wasm/js/node_modules/hls.js/dist/') };

/** What a page of ten lines has in place of its own values, and where those are in the configuration. */
const PLACES = { STREAM: 'stream', NODE: 'node', CHAIN: 'chain', PUBLISHER: 'publisher' };
const fill = (html, config) => Object.entries(PLACES).reduce((text, [place, name]) => text.replace(`"${place}"`, `"${config[name]}"`), html.toString());

/** Starts it; `routes` answer paths with what is sent as JSON, and throw what is refused. */
export async function serve(folder, config, routes = {}) {
  const server = createServer(async (request, response) => {
    const send = (status, type, body) => response.writeHead(status, { 'content-type': TYPES[type] ?? 'text/plain' }).end(body);
    const path = normalize(new URL(request.url, 'http://any').pathname);
    try {
      if (path === '/config.json') return send(200, '.json', JSON.stringify(config));
      if (path in routes) return send(200, '.json', JSON.stringify(await routes[path](request)));
    } catch (error) {
      return send(401, '.json', JSON.stringify({ error: error.message }));
    }
    const prefix = Object.keys(PACKAGES).find((prefix) => path.startsWith(prefix));
    const file = prefix ? PACKAGES[prefix] + path.slice(prefix.length) : `${here(folder)}/${path === '/' ? 'index.html' : basename(path)}`;
    const body = await readFile(file).catch(() => null);
    if (body === null) send(404, '', 'no such file');
    else send(200, extname(file), extname(file) === '.html' ? fill(body, config) : body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => (server.close(), server.closeAllConnections()) };
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, site] = argv.slice(2);
  const config = await (await fetch(new URL('config.json', site))).json();
  console.log((await serve(folder, config)).url);
}
