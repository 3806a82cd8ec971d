/**
 * The bridge on the page: makes peer connections, because workers have none, and hands their channels over.
 *
 * ```text
 * createLink(no offer) --> offer  --gathered--> described, candidates ...      (we call)
 * createLink(offer)    --> answer --gathered--> described, candidates ...      (we are called)
 * acceptAnswer, addCandidates ... --> connected
 * ```
 *
 * Candidates that come soon travel inside the description, so that mostly one message each way suffices; those of slow servers
 * follow (RFC 8838, half trickle). The channel is negotiated (same id on both ends), which creates it on both ends at once: a
 * channel can be transferred only in the task that created it.
 */

import type { Id } from './border.js';
import type { ToWorker } from './message.js';

/** Longest wait for candidates. Those of the device come within milliseconds, those of a near server within a round trip; what is slower follows. */
const GATHER_PATIENCE_MS = 200;
/** Candidates that are late are told together: each telling is signed, and goes by the tracker. */
const TELL_EVERY_MS = 500;
/** Longest additions that are read, in characters. The description itself is bounded by the client. */
const MAX_LINES = 8_192;
/** Id of the negotiated channel on every connection. */
const CHANNEL_ID = 0;
const CHANNEL_LABEL = 'antiphon/1';
/** As in the worker. */
const LOW_WATER = 0;

interface Link {
  connection: RTCPeerConnection;
  /** Only while the page relays. */
  channel: RTCDataChannel | null;
  /** Resolves when the peer's description is set: before, no candidate of its can be added. */
  readonly met: { readonly promise: Promise<void>; resolve(): void };
}

/** All connections of one client. */
export class RtcBridge {
  readonly #post: (message: ToWorker, transfer?: Transferable[]) => void;
  readonly #configuration: RTCConfiguration;
  readonly #links = new Map<Id, Link>();

  constructor(configuration: RTCConfiguration, post: (message: ToWorker, transfer?: Transferable[]) => void) {
    this.#configuration = configuration;
    this.#post = post;
  }

  /** Makes a connection and its channel, and reports its description. */
  create(id: Id, offer: string | null): void {
    this.#describe(id, offer).catch(() => this.#fail(id));
  }

  /** Completes a connection that was offered. */
  acceptAnswer(id: Id, sdp: string): void {
    const link = this.#links.get(id);
    link?.connection.setRemoteDescription({ type: 'answer', sdp }).then(() => link.met.resolve(), () => this.#fail(id));
  }

  /** Adds candidates that the peer found after it described itself. One that is none is left out; others may still do. */
  addCandidates(id: Id, lines: string): void {
    const link = this.#links.get(id);
    if (link === undefined || lines.length > MAX_LINES) return;
    void link.met.promise.then(() => {
      for (const line of lines.split('\n')) {
        const candidate = line.trim().replace(/^a=/, '');
        if (candidate !== '') link.connection.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => {});
      }
    });
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
    const link: Link = { connection, channel: null, met: withResolvers() };
    this.#links.set(id, link);
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed') this.#fail(id);
    };
    this.#handOver(id, link, connection.createDataChannel(CHANNEL_LABEL, { negotiated: true, id: CHANNEL_ID }));
    if (offer !== null) {
      await connection.setRemoteDescription({ type: 'offer', sdp: offer });
      link.met.resolve();
    }
    await connection.setLocalDescription();
    await gathered(connection);
    const sdp = connection.localDescription?.sdp;
    if (sdp === undefined) throw new Error('no local description');
    if (!this.#links.has(id)) return;
    this.#post({ type: 'described', link: id, sdp });
    this.#tellLate(id, connection);
  }

  /** Tells what is found from now on, a few at a time. */
  #tellLate(id: Id, connection: RTCPeerConnection): void {
    const late: string[] = [];
    connection.onicecandidate = ({ candidate }) => {
      if (!candidate?.candidate) return;
      if (late.push(`a=${candidate.candidate}`) > 1) return;
      setTimeout(() => {
        if (this.#links.has(id)) this.#post({ type: 'candidates', link: id, lines: late.splice(0).join('\n') });
      }, TELL_EVERY_MS);
    };
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

/** A promise and what resolves it: `Promise.withResolvers` is younger than the browsers we play in. */
function withResolvers(): Link['met'] {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
