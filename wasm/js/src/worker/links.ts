/**
 * Data channels to peers. The connection is made on the page (workers have none); its channel is transferred
 * here, so that chunks never touch the page. Where a browser cannot transfer it, the page relays.
 */

import type { Id, Input } from '../border.js';
import type { ToPage } from '../message.js';

/** Low-water mark of a channel's send buffer, in bytes. The event fires only when the buffer falls *to* it from above, and the client
 * counts every byte of a chunk as waiting until then: with any mark above zero a small chunk would wait for ever. */
export const LOW_WATER = 0;

/** The channels of one client. */
export class Links {
  readonly #feed: (input: Input) => void;
  readonly #post: (message: ToPage, transfer?: Transferable[]) => void;
  readonly #awaitsDrained: (link: Id) => boolean;
  /** `null` while the page connects or relays. */
  readonly #channels = new Map<Id, RTCDataChannel | null>();
  readonly #relayed = new Set<Id>();

  constructor(feed: (input: Input) => void, post: (message: ToPage, transfer?: Transferable[]) => void, awaitsDrained: (link: Id) => boolean) {
    this.#feed = feed;
    this.#awaitsDrained = awaitsDrained;
    this.#post = post;
  }

  /** Asks the page for a connection. */
  create(link: Id, offer: string | null): void {
    this.#channels.set(link, null);
    this.#post({ type: 'createLink', link, offer });
  }

  /** Hands the remote answer to the page. */
  accept(link: Id, sdp: string): void {
    this.#post({ type: 'acceptAnswer', link, sdp });
  }

  /** Hands what the peer found since its description to the page. */
  add(link: Id, lines: string): void {
    this.#post({ type: 'addCandidates', link, lines });
  }

  /** Takes a channel that the page transferred. */
  attach(link: Id, channel: RTCDataChannel): void {
    if (!this.#channels.has(link)) {
      channel.close();
      return;
    }
    this.#channels.set(link, channel);
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = LOW_WATER;
    channel.onopen = () => this.opened(link);
    channel.onbufferedamountlow = () => this.drained(link);
    channel.onclose = () => this.closed(link);
    channel.onmessage = (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) this.message(link, event.data);
    };
    if (channel.readyState === 'open') this.opened(link);
  }

  /** The page keeps this link's channel and relays. */
  relay(link: Id): void {
    if (this.#channels.has(link)) this.#relayed.add(link);
  }

  /** The channel opened. */
  opened(link: Id): void {
    if (this.#channels.has(link)) this.#feed({ kind: 'linkOpened', link });
  }

  /** The send buffer fell below the mark. */
  drained(link: Id): void {
    if (this.#channels.has(link) && this.#awaitsDrained(link)) this.#feed({ kind: 'linkDrained', link });
  }

  /** A message came. */
  message(link: Id, body: ArrayBuffer): void {
    if (this.#channels.has(link)) this.#feed({ kind: 'linkMessage', link, body: new Uint8Array(body) });
  }

  /** The channel or its connection ended; told once. */
  closed(link: Id): void {
    if (!this.#forget(link)) return;
    this.#post({ type: 'closeLink', link });
    this.#feed({ kind: 'linkClosed', link });
  }

  /** The page has found more candidates. */
  candidates(link: Id, lines: string): void {
    if (this.#channels.has(link)) this.#feed({ kind: 'candidates', link, lines });
  }

  /** The page has a description. */
  described(link: Id, sdp: string): void {
    if (this.#channels.has(link)) this.#feed({ kind: 'described', link, sdp });
  }

  /** Sends on the channel; a channel that cannot send is closed. */
  send(link: Id, body: Uint8Array): void {
    if (this.#relayed.has(link)) {
      const copy = body.slice().buffer;
      this.#post({ type: 'relaySend', link, body: copy }, [copy]);
      return;
    }
    const channel = this.#channels.get(link);
    if (!channel || channel.readyState !== 'open') return;
    try {
      channel.send(body as Uint8Array<ArrayBuffer>);
    } catch {
      channel.close();
      this.closed(link);
    }
  }

  /** Closes by order of the client; nothing is fed for it any more. */
  close(link: Id): void {
    if (this.#forget(link)) this.#post({ type: 'closeLink', link });
  }

  /** Closes everything. */
  closeAll(): void {
    for (const link of [...this.#channels.keys()]) this.close(link);
  }

  #forget(link: Id): boolean {
    this.#channels.get(link)?.close();
    this.#relayed.delete(link);
    return this.#channels.delete(link);
  }
}
