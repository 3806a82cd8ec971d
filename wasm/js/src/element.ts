/**
 * `<antiphon-player src publisher node witness chain checkpoint tracker token tower behind shared>`: a live stream with its controls, ready to put on a page.
 *
 * ```html
 * <script type="module" src="player.js"></script>
 * <antiphon-player src="https://radio.example/live.m3u8" node="https://node.example" chain="…"></antiphon-player>
 * ```
 *
 * `behind` is how many seconds behind the newest segment live playback aims, 1 to 60; by default three segments. Less is
 * nearer to the broadcast, and leaves peers less time.
 *
 * `shared` lets all tabs of this origin that play the same stream share one client, and with it one account (`connect({ shared })`).
 *
 * What the listener agrees to give, and how others are reached, are properties: `upload`, `iceServers`, `relayOnly`, `maxPeers`.
 *
 * Keyboard: space or K plays and pauses, arrows change the volume, M mutes, L jumps to the live edge, I shows figures.
 * Parts for styling: `controls`, `play`, `live`, `delay`, `quality` (shown where a stream has several renditions), `mute`, `volume`, `figures`, `overlay`. Without a node and a chain, or when the
 * client cannot run, it plays over plain HTTP and says so in an event.
 */

import { AntiphonError } from './error.js';
import { EVENT_TYPES, type AntiphonEvent } from './event.js';
import { Antiphon, connect } from './facade.js';
import type { Overlay } from './overlay.js';
import { Playback, type Rendition } from './playback.js';
import { Quality } from './quality.js';
import { toReport } from './report.js';
import { CONTROLS, STYLE } from './shape.js';
import type { UploadTerms } from './sharing.js';
import { addUnverified, EMPTY_SNAPSHOT, type Snapshot } from './snapshot.js';

/** What the player is doing; `ended` once it has played a stream to its end. */
export type PlayerState = 'idle' | 'loading' | 'playing' | 'paused' | 'waiting' | 'ended' | 'failed';

/** Events of the element; all are `CustomEvent`s that bubble. */
export interface PlayerEventMap {
  /** Any event of the client; `detail` is it. */
  'antiphon-event': CustomEvent<AntiphonEvent>;
  /** The player plays, pauses, waits, ends or fails; `detail` is the state. */
  'antiphon-state': CustomEvent<PlayerState>;
}

/** Volume step of the arrow keys. */
const VOLUME_STEP = 0.05;
/** Behind the live edge by more than this, the live button says so. Chosen here: hls.js aims at three segments. */
const LIVE_TOLERANCE_S = 4;
/** Bounds of `behind`. Chosen here: the shortest segments that make sense, and more than any playlist holds. */
const MIN_BEHIND_S = 1;
const MAX_BEHIND_S = 60;
const DELAY_INTERVAL_MS = 500;
/** By how much the delay must differ from what is shown. Chosen here: less is the clock's own trembling. */
const DELAY_STEP_S = 0.25;
/** How long a report is kept for the browser to save it. Chosen here. */
const SAVED_MS = 10_000;
const ATTRIBUTES = ['src', 'publisher', 'node', 'witness', 'chain', 'checkpoint', 'tracker', 'token', 'tower', 'behind', 'shared'];

const Base: typeof HTMLElement =
  typeof HTMLElement === 'undefined' ? (class {} as unknown as typeof HTMLElement) : HTMLElement;

/** The custom element. */
export class AntiphonPlayer extends Base {
  static readonly observedAttributes = ATTRIBUTES;

  #playback: Playback | null = null;
  #antiphon: Antiphon | null = null;
  #life: AbortController | null = null;
  #isRestartDue = false;
  #state: PlayerState = 'idle';
  #failure: AntiphonError | null = null;
  #upload = early<UploadTerms>(this, 'upload', {});
  #overlay: Overlay | null = null;
  #shownDelay: number | null = null;

  /** STUN and TURN servers for connections between listeners. Set before `src`. */
  iceServers = early<RTCIceServer[]>(this, 'iceServers', []);
  /** Whether other listeners are reached through the TURN servers alone. Set before `src`. */
  relayOnly = early(this, 'relayOnly', false);
  /** How many other listeners this one is linked with at most, 1 to 100; 16 by default. Set before `src`. */
  maxPeers = early<number | undefined>(this, 'maxPeers', undefined);

  /** What the listener agrees to give away. Setting it changes it at once. */
  get upload(): UploadTerms {
    return this.#upload;
  }

  set upload(terms: UploadTerms) {
    this.#upload = terms;
    void this.#antiphon?.setUpload(terms).catch((error: unknown) => this.#tell({ type: 'trouble', code: error instanceof AntiphonError ? error.code : 'options/invalid' }));
  }

  /** The client, once it has loaded; `null` while playing over plain HTTP. */
  get antiphon(): Antiphon | null {
    return this.#antiphon;
  }

  /** Why the client does not run, if it does not. */
  get failure(): AntiphonError | null {
    return this.#failure;
  }

  /** What the player is doing. */
  get state(): PlayerState {
    return this.#state;
  }

  /** The audio element that plays. */
  get media(): HTMLAudioElement | null {
    return this.#playback?.media ?? null;
  }

  /** Seconds until the end, once the publisher has said that nothing follows; `null` of a stream that goes on. */
  get left(): number | null {
    return this.#playback?.left() ?? null;
  }

  /** Seconds between the broadcast and what is heard; `null` while unknown. */
  get delay(): number | null {
    return this.#playback?.delay() ?? null;
  }

  /** Seconds of audio that are ready to play. */
  get buffered(): number {
    return this.#playback?.buffered() ?? 0;
  }

  /** The renditions that there are, once the playlist was read. */
  get renditions(): readonly Rendition[] {
    return this.#playback?.renditions() ?? [];
  }

  /** Which of {@link renditions} is heard; `null` before there is sound. */
  get rendition(): number | null {
    return this.#playback?.rendition() ?? null;
  }

  /** Plays one of {@link renditions} from the next segment on, or with `null` whichever the line suffices for. Throws `options/invalid` if there is no such one. */
  chooseRendition(rendition: number | null): void {
    this.#playback?.choose(rendition);
  }

  /** Everything there is to show of the client. */
  snapshot(): Snapshot {
    const snapshot = addUnverified(this.#antiphon?.snapshot() ?? EMPTY_SNAPSHOT, this.#playback?.unverified ?? 0);
    return { ...snapshot, playback: this.#playback?.view ?? null };
  }

  /** Shows figures below the controls, or takes them away. */
  async showFigures(isShown = true): Promise<void> {
    // Before anything is waited for: who presses twice sees the last wish.
    this.shadowRoot?.querySelector('[part~=figures]')?.setAttribute('aria-pressed', String(isShown));
    if (!isShown) {
      this.#overlay?.close();
      this.#overlay = null;
      return;
    }
    const { Overlay } = await import('./overlay.js');
    if (this.#overlay !== null || !this.#wishesFigures || this.shadowRoot === null) return;
    this.#overlay = new Overlay(this.shadowRoot, this, () => this.#saveReport());
  }

  get #wishesFigures(): boolean {
    return this.shadowRoot?.querySelector('[part~=figures]')?.getAttribute('aria-pressed') === 'true';
  }

  #saveReport(): void {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([toReport(this.snapshot())], { type: 'application/json' }));
    link.download = 'antiphon-report.json';
    link.click();
    // A browser may begin to read only after this task.
    setTimeout(() => URL.revokeObjectURL(link.href), SAVED_MS);
  }

  /** Plays. Rejects if the browser wants a gesture of the user first. */
  async play(): Promise<void> {
    await this.#playback?.play();
  }

  /** Pauses. */
  pause(): void {
    this.#playback?.pause();
  }

  /** Jumps to the live edge. */
  goLive(): void {
    this.#playback?.goLive();
  }

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      root.innerHTML = CONTROLS;
    }
    this.#restart();
  }

  disconnectedCallback(): void {
    void this.showFigures(false);
    this.#end();
  }

  attributeChangedCallback(): void {
    if (this.shadowRoot === null || this.#isRestartDue) return;
    this.#isRestartDue = true;
    queueMicrotask(() => {
      this.#isRestartDue = false;
      if (this.isConnected) this.#restart();
    });
  }

  #restart(): void {
    this.#end();
    const src = this.getAttribute('src');
    const audio = this.shadowRoot?.querySelector('audio');
    if (!src || !audio) return;
    const life = new AbortController();
    this.#life = life;
    // The client is started first, then hls.js is loaded; the stream is opened beside both.
    const client = this.#connect(life.signal);
    const fail = (error: AntiphonError): void => {
      if (life.signal.aborted) return;
      this.#enter('failed');
      this.#tell({ type: 'fatal', error });
    };
    const trouble = (code: string): void => this.#tell({ type: 'trouble', code });
    this.#playback = new Playback(audio, new URL(src, document.baseURI).href, client, this.#behind(), { fail, trouble });
    this.#wire(audio, this.#playback, life.signal);
    this.#playback.open().catch((cause: unknown) => fail(new AntiphonError('player/not-loaded', String(cause), cause)));
  }

  /** What `behind` says, within its bounds; `null` if it says no number. */
  #behind(): number | null {
    const seconds = Number.parseFloat(this.getAttribute('behind') ?? '');
    return Number.isFinite(seconds) ? Math.min(MAX_BEHIND_S, Math.max(MIN_BEHIND_S, seconds)) : null;
  }

  #end(): void {
    this.#life?.abort();
    this.#life = null;
    this.#playback?.close();
    this.#playback = null;
    void this.#antiphon?.close();
    this.#antiphon = null;
    this.#failure = null;
    if (this.#state !== 'idle') this.#enter('idle');
  }

  /** Starts the client; `null` if it does not run. Never rejects. */
  async #connect(signal: AbortSignal): Promise<Antiphon | null> {
    const node = this.getAttribute('node');
    const chain = this.getAttribute('chain');
    const upload = this.#upload;
    try {
      if (!node || !chain) throw new AntiphonError('options/invalid', 'no node and chain given');
      const antiphon = await connect({
        node, chain, signal, upload, iceServers: this.iceServers, relayOnly: this.relayOnly, maxPeers: this.maxPeers,
        publisher: this.getAttribute('publisher') || undefined,
        checkpoint: this.getAttribute('checkpoint') || undefined,
        witness: this.getAttribute('witness') || undefined,
        tracker: this.getAttribute('tracker') || undefined,
        token: this.getAttribute('token') || undefined,
        tower: this.getAttribute('tower') || undefined,
        shared: this.hasAttribute('shared') ? this.getAttribute('shared') || (this.getAttribute('src') ?? '') : undefined,
      });
      if (signal.aborted) {
        void antiphon.close();
        return null;
      }
      this.#antiphon = antiphon;
      // Somebody may have changed their mind while it started.
      if (this.#upload !== upload) this.upload = this.#upload;
      for (const type of EVENT_TYPES) {
        antiphon.on(type, (event) => {
          if (event.type === 'fatal') this.#failure = event.error;
          this.#tell(event.type === 'changed' ? { type: 'changed', snapshot: this.snapshot() } : event);
        }, { signal });
      }
      this.#tell({ type: 'changed', snapshot: this.snapshot() });
      return antiphon;
    } catch (cause) {
      if (signal.aborted) return null;
      this.#failure = cause instanceof AntiphonError ? cause : new AntiphonError('worker/not-loaded', String(cause), cause);
      this.#tell({ type: 'fatal', error: this.#failure });
      return null;
    }
  }

  #wire(audio: HTMLAudioElement, playback: Playback, signal: AbortSignal): void {
    const one = <T extends HTMLElement>(part: string): T | null => this.shadowRoot?.querySelector<T>(`[part~=${part}]`) ?? null;
    const volume = one<HTMLInputElement>('volume');
    one('play')?.addEventListener('click', () => this.#toggle(), { signal });
    one('live')?.addEventListener('click', () => this.goLive(), { signal });
    one('figures')?.addEventListener('click', () => this.#toggleFigures(), { signal });
    one('mute')?.addEventListener('click', () => void (audio.muted = !audio.muted), { signal });
    volume?.addEventListener('input', () => {
      audio.volume = Number(volume.value);
      audio.muted = false;
    }, { signal });
    const states: [string, PlayerState][] = [
      ['loadstart', 'loading'], ['playing', 'playing'], ['pause', 'paused'], ['waiting', 'waiting'], ['ended', 'ended'], ['error', 'failed'],
    ];
    for (const [event, state] of states) audio.addEventListener(event, () => this.#enter(state), { signal });
    audio.addEventListener('volumechange', () => this.#showVolume(audio, volume, one('mute')), { signal });
    this.addEventListener('keydown', (event) => this.#onKey(event, audio), { signal });
    this.#showVolume(audio, volume, one('mute'));
    this.#enter('paused');
    const list = one<HTMLSelectElement>('quality');
    const quality = list === null ? null : new Quality(list, playback, signal);
    const timer = setInterval(() => {
      this.#showDelay(one('live'), one('delay'));
      quality?.show();
    }, DELAY_INTERVAL_MS);
    signal.addEventListener('abort', () => clearInterval(timer));
  }

  #toggle(): void {
    if (this.media?.paused ?? true) this.play().catch(() => this.#enter('paused'));
    else this.pause();
  }

  #toggleFigures(): void {
    // Without the module there are no figures; the sound goes on.
    this.showFigures(!this.#wishesFigures).catch(() => this.showFigures(false));
  }

  #onKey(event: KeyboardEvent, audio: HTMLAudioElement): void {
    // A list takes letters and arrows for itself.
    if (event.altKey || event.ctrlKey || event.metaKey || event.composedPath()[0] instanceof HTMLSelectElement) return;
    const onButton = event.composedPath()[0] instanceof HTMLButtonElement;
    const onSlider = event.composedPath()[0] instanceof HTMLInputElement;
    switch (event.key) {
      case ' ':
        if (onButton) return;
        this.#toggle();
        break;
      case 'k': this.#toggle(); break;
      case 'm': audio.muted = !audio.muted; break;
      case 'l': this.goLive(); break;
      case 'i': this.#toggleFigures(); break;
      case 'ArrowUp': case 'ArrowDown':
        if (onSlider) return;
        audio.volume = Math.min(1, Math.max(0, audio.volume + (event.key === 'ArrowUp' ? VOLUME_STEP : -VOLUME_STEP)));
        break;
      default: return;
    }
    event.preventDefault();
  }

  #enter(state: PlayerState): void {
    this.#state = state;
    const play = this.shadowRoot?.querySelector('[part~=play]');
    const isRunning = state === 'playing' || state === 'waiting';
    play?.setAttribute('aria-label', isRunning ? 'Pause' : 'Play');
    play?.setAttribute('data-running', String(isRunning));
    this.dispatchEvent(new CustomEvent('antiphon-state', { detail: state, bubbles: true }));
  }

  #showVolume(audio: HTMLAudioElement, volume: HTMLInputElement | null, mute: HTMLElement | null): void {
    const level = audio.muted ? 0 : audio.volume;
    if (volume !== null) volume.value = String(level);
    mute?.setAttribute('aria-label', audio.muted ? 'Unmute' : 'Mute');
    mute?.setAttribute('data-muted', String(level === 0));
  }

  #showDelay(live: HTMLElement | null, delay: HTMLElement | null): void {
    const seconds = this.delay;
    const left = this.#playback?.left() ?? null;
    const behind = this.#playback?.behindEdge() ?? 0;
    const isLive = this.#state === 'playing' && left === null && behind < LIVE_TOLERANCE_S;
    const title = isLive ? 'At the live edge' : left === null ? 'Jump to the live edge' : 'The stream has ended';
    // What is the same or trembles is not drawn anew: drawing costs more than playing.
    if (live !== null && live.title !== title) {
      live.title = title;
      live.dataset['live'] = String(isLive);
      live.toggleAttribute('disabled', left !== null);
    }
    if (seconds === null || Math.abs(seconds - (this.#shownDelay ?? Infinity)) >= DELAY_STEP_S) this.#shownDelay = seconds;
    const text = this.#state === 'ended' ? 'has ended'
      : left !== null ? `ends in ${left.toFixed(0)} s`
      : this.#shownDelay === null ? '–' : `${this.#shownDelay.toFixed(1)} s behind`;
    if (delay !== null && delay.textContent !== text) delay.textContent = text;
  }

  #tell(event: AntiphonEvent): void {
    this.dispatchEvent(new CustomEvent('antiphon-event', { detail: event, bubbles: true }));
  }
}

/** Takes what an application has set on an element before it was defined, which would hide what the class has of that name. */
function early<T>(element: object, name: string, otherwise: T): T {
  if (!Object.hasOwn(element, name)) return otherwise;
  const value = Reflect.get(element, name) as T;
  Reflect.deleteProperty(element, name);
  return value;
}

/** Registers the element once; importing `antiphon/player` does it. */
export function definePlayer(name = 'antiphon-player'): void {
  if (typeof customElements !== 'undefined' && customElements.get(name) === undefined) {
    customElements.define(name, AntiphonPlayer);
  }
}

definePlayer();

declare global {
  interface HTMLElementTagNameMap {
    'antiphon-player': AntiphonPlayer;
  }
  interface HTMLElementEventMap extends PlayerEventMap {}
}
