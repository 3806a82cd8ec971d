// What a web developer writes: the program that every project below builds in its own way.

import { AntiphonError, connect } from 'antiphon';
import { antiphonLoaders } from 'antiphon/hls';
import 'antiphon/player';
import { checkProof } from 'antiphon/verify';
import { options } from './options.js';
import { tried } from './tried.js';

globalThis.outcome = tried(async (is) => {
  const { chain, node } = await (await fetch('/config.json')).json();

  const refused = await connect({ node, chain: 'short' }).catch((error) => error);
  is('a wrong option is a typed error', refused instanceof AntiphonError && refused.code === 'options/invalid', refused);

  const antiphon = await connect({ node, chain, storage: 'memory', ...(await options()) });
  const head = await new Promise((resolve) => {
    const timer = setTimeout(() => resolve(antiphon.snapshot().chain), 20_000);
    antiphon.on('changed', ({ snapshot }) => {
      if (snapshot.chain.settled === 0) return;
      clearTimeout(timer);
      resolve(snapshot.chain);
    });
  });
  is('the worker and its wasm verify a head of the chain', head.settled > 0, JSON.stringify(head, (_, value) => String(value)));

  const beginning = new TextEncoder().encode('antiphon-evidence\x01');
  const file = Uint8Array.of(...beginning, ...new Uint8Array(32), 2, 3);
  const judged = await checkProof(antiphon, file, { wasm: globalThis.verifyWasm }).catch((error) => error);
  is('the verifier and its wasm judge a file', judged.code === 'codec/truncated', judged);

  is('the loaders are there', typeof antiphonLoaders({ client: () => antiphon, plain: class {}, media: () => null }) === 'object');
  await antiphon.close();
  const late = await antiphon.settle().catch((error) => error);
  is('a closed client says so', late.code === 'client/closed', late);

  const player = document.createElement('antiphon-player');
  player.setAttribute('src', '/sample/index.m3u8');
  const fatal = new Promise((resolve) => player.addEventListener('antiphon-event', ({ detail }) => {
    if (detail.type === 'fatal' && detail.error.code !== 'options/invalid') resolve(detail.error);
  }));
  document.body.append(player);
  const loaded = new Promise((resolve) => player.media.addEventListener('loadedmetadata', () => resolve(null)));
  const trouble = await Promise.race([fatal, loaded, new Promise((resolve) => setTimeout(resolve, 15_000, 'nothing came'))]);
  is('the element loads hls.js and a stream', trouble === null, trouble);
  // What a server wrote is compared with what is there: frameworks warn of attributes that they did not write.
  is('the element writes no attribute of its own', player.getAttributeNames().join() === 'src', player.outerHTML);
  player.remove();
});
