// In a page: what of its sound a person would complain about.

/** Notes each time that sound stops after it began, with what the player held then, and how long the page was kept from running; from before its own scripts run. */
export function watch() {
  /** Moments of the trail that is kept: two seconds. */
  const KEPT = 40;
  const stalls = /** @type {string[]} */ ([]);
  const trail = /** @type {string[]} */ ([]);
  const gap = { longest: 0 };
  Object.assign(globalThis, { stalls, gap });
  let media = /** @type {HTMLMediaElement | null} */ (null);
  let last = performance.now();

  /** Where the player is and what it holds, in seconds of the stream. @param {HTMLMediaElement} element */
  const look = ({ currentTime, buffered, readyState, seeking }) => {
    const spans = Array.from({ length: buffered.length }, (_, i) => `${buffered.start(i).toFixed(2)}-${buffered.end(i).toFixed(2)}`);
    return `${Math.round(performance.now())} ms: at ${currentTime.toFixed(2)}, holds ${spans.join(' ') || 'nothing'}, ready ${readyState}${seeking ? ', seeking' : ''}`;
  };
  setInterval(() => {
    const now = performance.now();
    gap.longest = Math.max(gap.longest, now - last);
    last = now;
    if (media !== null) trail.push(look(media));
    if (trail.length > KEPT) trail.shift();
  }, 50);
  // Media events do not bubble, and the audio element is inside a shadow root: look at all of them while captured.
  let hasPlayed = false;
  const original = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function play() {
    if (!this.dataset.watched) {
      this.dataset.watched = 'yes';
      media = this;
      this.addEventListener('playing', () => { hasPlayed = true; });
      this.addEventListener('waiting', () => { if (hasPlayed) stalls.push(`${look(this)}; before:\n  ${trail.filter((_, i) => i % 5 === 0).join('\n  ')}`); });
    }
    return original.call(this);
  };
}
