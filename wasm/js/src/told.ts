/** What a client must know before it can answer anything else, and forgets with its worker: the stream and the room. */

import type { Asked } from './message.js';

/** The last playlist that was taken, and the room that was entered. */
export class Told {
  #playlist: Asked | null = null;
  #room: Asked | null = null;

  /** The client has taken what it was asked. */
  took(asked: Asked): void {
    if (asked.type === 'playlist') this.#playlist = asked;
    if (asked.type !== 'command') return;
    if (asked.command.kind === 'enterRoom') this.#room = asked;
    else if (asked.command.kind === 'leaveRoom') this.#room = null;
  }

  /** Takes all out, to be told to the next client. It is remembered again when that one takes it: it may be what the last one crashed of. */
  take(): Asked[] {
    const all = [this.#playlist, this.#room].filter((asked) => asked !== null);
    this.#playlist = this.#room = null;
    return all;
  }
}
