/** Tells when a publisher has lost its memory and counts anew, by what was loaded and what its playlist lists. */

/** What is seen of a stream at one moment. */
export interface Look {
  /** Which rendition's playlist it is. */
  readonly level: number;
  /** Number of the newest segment that it lists. */
  readonly newest: number;
  /** Its target duration, in milliseconds. */
  readonly targetMs: number;
  /** Whether somebody wants to hear something and nothing is there or on its way. */
  readonly isSilent: boolean;
}

/** What was loaded, and since when less is listed. */
export class Recount {
  /** Number of the newest segment that was loaded, of each rendition: each may count for itself. */
  readonly #loaded = new Map<number, number>();
  #since: number | null = null;

  /** A segment was loaded. */
  loaded(level: number, number: number): void {
    this.#loaded.set(level, Math.max(number, this.#loaded.get(level) ?? number));
  }

  /** The stream is loaded anew. */
  forget(): void {
    this.#loaded.clear();
    this.#since = null;
  }

  /**
   * Returns whether it is time to load the stream anew: at every look for longer than a target duration it was silent, and less was
   * listed than had been loaded. A cache on the way that shows an old playlist is given up by then, or shows the next one.
   */
  isSure({ level, newest, targetMs, isSilent }: Look, now: number): boolean {
    if (!isSilent || newest >= (this.#loaded.get(level) ?? -1)) {
      this.#since = null;
      return false;
    }
    this.#since ??= now;
    return now - this.#since > targetMs;
  }
}
