/** What a listener hears of it: how long until sound came, and how often it stopped. Counted at the audio element. */

/** Playback as it was heard. */
export interface PlaybackView {
  /** Milliseconds from the first wish to play until there was sound; `null` before. */
  readonly startupMs: number | null;
  /** How often the sound stopped for want of data. Pauses and jumps are none. */
  readonly stalls: number;
  /** Milliseconds of silence in them. */
  readonly stalledMs: number;
  /** Seconds between the broadcast (`EXT-X-PROGRAM-DATE-TIME`) and what is heard; `null` while unknown. */
  readonly delayS: number | null;
  /** Seconds of sound that are ready. */
  readonly bufferedS: number;
  /** Seconds until the end of a stream that has ended; `null` of one that goes on. */
  readonly leftS: number | null;
}

/** The part of an audio element that is listened to. */
type Source = Pick<HTMLMediaElement, 'addEventListener' | 'paused' | 'seeking'>;

/** Counts at one audio element, until the signal aborts. */
export class Heard {
  readonly #media: Source;
  readonly #now: () => number;
  #wishedAt: number | null = null;
  #startupMs: number | null = null;
  /** Whether there was sound since the element was filled. */
  #hasSound = false;
  #silentSince: number | null = null;
  #stalls = 0;
  #stalledMs = 0;

  constructor(media: Source, signal: AbortSignal, now = () => performance.now()) {
    this.#media = media;
    this.#now = now;
    media.addEventListener('playing', () => this.#sounds(), { signal });
    media.addEventListener('waiting', () => this.#waits(), { signal });
    // From here on it is silent because somebody wanted it.
    for (const event of ['pause', 'seeking', 'emptied', 'ended']) media.addEventListener(event, () => this.#ends(), { signal });
    // What comes is another beginning: of the stream once more, after its end.
    media.addEventListener('emptied', () => void (this.#hasSound = false), { signal });
  }

  /** The listener wants to hear something. */
  wish(): void {
    this.#wishedAt ??= this.#now();
  }

  /** What was heard so far; a stall that goes on counts up to now. */
  get counts(): Pick<PlaybackView, 'startupMs' | 'stalls' | 'stalledMs'> {
    const open = this.#silentSince === null ? 0 : this.#now() - this.#silentSince;
    return { startupMs: this.#startupMs, stalls: this.#stalls, stalledMs: Math.round(this.#stalledMs + open) };
  }

  #sounds(): void {
    if (this.#startupMs === null && this.#wishedAt !== null) this.#startupMs = Math.round(this.#now() - this.#wishedAt);
    this.#hasSound = true;
    this.#ends();
  }

  #waits(): void {
    const isLack = this.#startupMs !== null && this.#hasSound && !this.#media.paused && !this.#media.seeking;
    if (!isLack || this.#silentSince !== null) return;
    this.#silentSince = this.#now();
    this.#stalls += 1;
  }

  #ends(): void {
    if (this.#silentSince === null) return;
    this.#stalledMs += this.#now() - this.#silentSince;
    this.#silentSince = null;
  }
}
