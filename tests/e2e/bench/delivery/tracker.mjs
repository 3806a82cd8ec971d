// A WebTorrent tracker by itself, for `cargo xtask bench tracker`. Prints where it listens.

/** Has no types; see pages.mjs. */
const TRACKER = 'bittorrent-tracker/server';
const { default: Server } = await import(TRACKER);
const tracker = new Server({ udp: false, http: false, ws: true, stats: false });
tracker.on('warning', (/** @type {Error} */ problem) => console.error(problem.message));
tracker.listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (tracker.ws.address());
  console.log(JSON.stringify({ ready: 'webtorrent', url: `ws://127.0.0.1:${port}` }));
});
