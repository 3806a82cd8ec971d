// In the page: when sound came first, and how often it stopped; and who is told.

const { config } = /** @type {{ config: Record<string, string> }} */ (/** @type {unknown} */ (globalThis));
const BOARD = `${config.board}/${new URLSearchParams(location.search).get('page')}`;

/** Says how the page stands whenever somebody wants to know. @param {() => object} figures @param {(word: string) => void} [obey] Does first what was asked. */
export async function tell(figures, obey = () => {}) {
  const post = (/** @type {string} */ url, /** @type {string} */ body) => fetch(url, { method: 'POST', body }).catch(() => {});
  addEventListener('error', (event) => void post(`${BOARD}/error`, event.message));
  addEventListener('unhandledrejection', (event) => void post(`${BOARD}/error`, String(event.reason)));
  for (;;) {
    obey(await (await fetch(BOARD)).text());
    await post(BOARD, JSON.stringify(figures()));
  }
}

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
