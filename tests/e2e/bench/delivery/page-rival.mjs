// The page of a listener of p2p-media-loader: as its documentation sets it up, or tuned for what is near live.

import Hls from 'hls.js';
import { HlsJsP2PEngine } from 'p2p-media-loader-hlsjs';
import { probe, tell } from './page-probe.mjs';

/** Seconds before it is played in which a segment is asked of the origin, where it is tuned: one segment. Its best by our measurements. */
const TUNED_S = 2;

const { config } = /** @type {{ config: Record<string, string> }} */ (/** @type {unknown} */ (globalThis));
const wanted = new URLSearchParams(location.search);
const audio = document.body.appendChild(document.createElement('audio'));
const seen = probe(() => audio);
let fromPeers = 0, fromOrigin = 0;

const WithPeers = HlsJsP2PEngine.injectMixin(Hls);
const hls = new WithPeers({
  enableWorker: false,
  liveSyncDuration: Number(wanted.get('behind')),
  backBufferLength: 30,
  p2p: {
    core: {
      announceTrackers: [config.rivalTracker ?? ''],
      // A swarm of its own for each run.
      swarmId: `${config.stream}${wanted.get('swarm')}`,
      rtcConfig: { iceServers: [] },
      ...(wanted.get('who') === 'tuned' ? { highDemandTimeWindow: TUNED_S } : {}),
    },
    onHlsJsCreated(created) {
      created.p2pEngine.addEventListener('onChunkDownloaded', (bytes, source) => {
        if (source === 'p2p') fromPeers += bytes;
        else fromOrigin += bytes;
      });
    },
  },
});
hls.attachMedia(audio);
hls.loadSource(config.stream ?? '');

void tell(() => {
  const heard = hls.playingDate;
  const delay = heard === null ? 0 : (Date.now() - heard.getTime()) / 1000;
  return { ...seen(), fromPeers, fromOrigin, late: 0, hedged: 0, delay, isReady: seen().startMs > 0 };
});
