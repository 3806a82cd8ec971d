// In the page: when sound came first, and how often it stopped.

/** @param {() => HTMLMediaElement | null} media */
export function probe(media) {
  let startMs = 0, stalls = 0;
  /** @type {HTMLMediaElement | null} */ let watched = null;
  const timer = setInterval(() => {
    const element = media();
    if (element === null) return;
    if (watched !== element) {
      watched = element;
      element.addEventListener('waiting', () => { if (startMs > 0) stalls += 1; });
    }
    if (element.paused) element.play().catch(() => {});
    else if (element.currentTime > 0 && element.readyState > 2) {
      startMs = performance.now();
      clearInterval(timer);
    }
  }, 5);
  return () => ({ startMs, stalls });
}
