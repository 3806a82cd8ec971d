/**
 * The bridge on the page: makes peer connections, because workers have none, and hands their channels over.
 *
 * ```text
 * createLink(no offer) --> offer  --gathered--> described      (we call)
 * createLink(offer)    --> answer --gathered--> described      (we are called)
 * acceptAnswer         --> connected
 * ```
 *
 * Candidates travel inside the description (non-trickle), so that one message each way suffices. The channel is
 * negotiated (same id on both ends), which creates it on both ends at once: a channel can be transferred only in
 * the task that created it.
 */

import type { Id } from './border.js';
import type { ToWorker } from './message.js';

/** Longest wait for candidates. Host candidates come within milliseconds; a slow STUN server must not hold a call. */
const GATHER_PATIENCE_MS = 1_000;
/** Id of the negotiated channel on every connection. */
const CHANNEL_ID = 0;
const CHANNEL_LABEL = 'antiphon/1';
/** As in the worker. */
const LOW_WATER = 0;

interface Link {
  connection: RTCPeerConnection;
  /** Only while the page relays. */
  channel: RTCDataChannel | null;
}

/** All connections of one client. */
export class RtcBridge {
  readonly #post: (message: ToWorker, transfer?: Transferable[]) => void;
  readonly #configuration: RTCConfiguration;
  readonly #links = new Map<Id, Link>();

  constructor(iceServers: RTCIceServer[], post: (message: ToWorker, transfer?: Transferable[]) => void) {
    this.#configuration = { iceServers };
    this.#post = post;
  }

  /** Makes a connection and its channel, and reports its description. */
  create(id: Id, offer: string | null): void {
    this.#describe(id, offer).catch(() => this.#fail(id));
  }

  /** Completes a connection that was offered. */
  acceptAnswer(id: Id, sdp: string): void {
    this.#links
      .get(id)
      ?.connection.setRemoteDescription({ type: 'answer', sdp })
      .catch(() => this.#fail(id));
  }

  /** Sends on a relayed channel. */
  send(id: Id, body: ArrayBuffer): void {
    const channel = this.#links.get(id)?.channel;
    try {
      if (channel?.readyState === 'open') channel.send(body);
    } catch {
      this.#fail(id);
    }
  }

  /** Closes without telling. */
  close(id: Id): void {
    const link = this.#links.get(id);
    this.#links.delete(id);
    link?.channel?.close();
    link?.connection.close();
  }

  /** Closes everything. */
  closeAll(): void {
    for (const id of [...this.#links.keys()]) this.close(id);
  }

  async #describe(id: Id, offer: string | null): Promise<void> {
    const connection = new RTCPeerConnection(this.#configuration);
    const link: Link = { connection, channel: null };
    this.#links.set(id, link);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed') this.#fail(id);
    };
    this.#handOver(id, link, connection.createDataChannel(CHANNEL_LABEL, { negotiated: true, id: CHANNEL_ID }));
    if (offer !== null) await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    await connection.setLocalDescription();
    await gathered(connection);
    const sdp = connection.localDescription?.sdp;
    if (sdp === undefined) throw new Error('no local description');
    if (this.#links.has(id)) this.#post({ type: 'described', link: id, sdp });
  }

  /** Transfers the channel to the worker, or relays where the browser cannot. */
  #handOver(id: Id, link: Link, channel: RTCDataChannel): void {
    try {
      this.#post({ type: 'channel', link: id, channel }, [channel as unknown as Transferable]);
    } catch {
      link.channel = channel;
      this.#post({ type: 'relay', link: id });
      channel.binaryType = 'arraybuffer';
      channel.bufferedAmountLowThreshold = LOW_WATER;
      channel.onopen = () => this.#post({ type: 'relayed', link: id, event: 'open' });
      channel.onbufferedamountlow = () => this.#post({ type: 'relayed', link: id, event: 'drained' });
      channel.onclose = () => this.#fail(id);
      channel.onmessage = (event: MessageEvent<unknown>) => {
        if (event.data instanceof ArrayBuffer) {
          this.#post({ type: 'relayedMessage', link: id, body: event.data }, [event.data]);
        }
      };
    }
  }

  #fail(id: Id): void {
    if (!this.#links.has(id)) return;
    this.close(id);
    this.#post({ type: 'relayed', link: id, event: 'closed' });
  }
}

/** Resolves when all candidates are known, or patience ends. */
function gathered(connection: RTCPeerConnection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_PATIENCE_MS);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}
