// A site with one page, at which people sign in: `node examples/sign-in/server.mjs SITE`, as `../serve.mjs` is called.

import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { serve } from '../serve.mjs';
import { challenge, signedIn } from './site.mjs';

const MAX_BODY = 4096;

/** Starts it on the chain of `config`. */
export async function serveSite(config) {
  const site = await serve('sign-in', config, {
    '/challenge': challenge,
    '/sign-in': async (request) => ({ key: signedIn(site.url, config.chain, JSON.parse(await body(request))) }),
  });
  return site;
}

async function body(request) {
  let text = '';
  for await (const part of request) if ((text += part).length > MAX_BODY) throw new Error('too long');
  return text;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const config = await (await fetch(new URL('config.json', argv[2]))).json();
  console.log((await serveSite(config)).url);
}
