// The page of a listener of ours: plays, asks the faucet, opens a pool, and pays its peers.

import 'antiphon/player';
import { probe, tell } from './page-probe.mjs';

/** What the pool holds: more than a run costs, in smallest units. */
const DEPOSIT = 100_000_000n;

const { config } = /** @type {{ config: Record<string, string> }} */ (/** @type {unknown} */ (globalThis));
const player = document.createElement('antiphon-player');
for (const name of ['publisher', 'node', 'chain', 'tracker']) player.setAttribute(name, config[name] ?? '');
player.setAttribute('behind', new URLSearchParams(location.search).get('behind') ?? '');
player.setAttribute('src', config.stream ?? '');
// Neither page shows anything.
player.hidden = true;
document.body.append(player);
const seen = probe(() => player.media);

let step = 'faucet';
const timer = setInterval(() => {
  const { antiphon } = player;
  const { wallet, stream, chain } = player.snapshot();
  if (antiphon === null || chain.settled === 0) return;
  if (step === 'faucet') {
    step = 'pool';
    antiphon.askFaucet().catch(() => { step = 'faucet'; });
  } else if (step === 'pool' && stream !== null && wallet.account !== null && wallet.account.balance.value > DEPOSIT) {
    step = 'wait';
    antiphon.openPool(DEPOSIT).catch(() => { step = 'pool'; });
  } else if (wallet.pool?.deposit != null) clearInterval(timer);
}, 100);

void tell(() => {
  const { delivery: { fromPeers, fromOrigin, late, hedged }, wallet } = player.snapshot();
  return { ...seen(), fromPeers, fromOrigin, late, hedged, delay: player.delay ?? 0, isReady: seen().startMs > 0 && wallet.pool?.deposit != null };
});
