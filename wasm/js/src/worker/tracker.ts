/** The socket to the tracker: binary messages both ways, one at a time. */

import type { Input } from '../border.js';

/** Longest unsent backlog before the socket counts as lost, in bytes. Chosen here. */
const MAX_BACKLOG = 1 << 20;

/** At most one open socket. */
export class Tracker {
  readonly #feed: (input: Input) => void;
  readonly #protocols: string[];
  #socket: WebSocket | null = null;

  /** A `token` travels as the subprotocol: pages can set no other header, and URLs end up in logs. */
  constructor(feed: (input: Input) => void, token: string | null) {
    this.#feed = feed;
    this.#protocols = token === null ? [] : [`antiphon-token.${token}`];
  }

  /** Opens the socket; `trackerOpened` or `trackerClosed` follows. */
  connect(url: string): void {
    this.close();
    let socket: WebSocket;
    try {
      socket = new WebSocket(url, this.#protocols);
    } catch {
      this.#feed({ kind: 'trackerClosed' });
      return;
    }
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#if(socket, { kind: 'trackerOpened' });
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (event.data instanceof ArrayBuffer) {
        this.#if(socket, { kind: 'trackerMessage', body: new Uint8Array(event.data) });
      }
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.#feed({ kind: 'trackerClosed' });
    };
    this.#socket = socket;
  }

  /** Sends, or drops what cannot be sent: the socket's end is told separately. */
  send(body: Uint8Array): void {
    const socket = this.#socket;
    if (socket === null || socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MAX_BACKLOG) socket.close();
    else socket.send(body as Uint8Array<ArrayBuffer>);
  }

  /** Closes without telling. */
  close(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #if(socket: WebSocket, input: Input): void {
    if (this.#socket === socket) this.#feed(input);
  }
}
