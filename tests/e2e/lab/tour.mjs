// Where the tab key leads: a list of controls in a test would never miss one that is not in it, so the page is asked what it has.

/** Names what the tab key should reach, inside components, too, and what has the focus. Runs in the page. */
function look() {
  const CONTROL = 'button, a[href], input, select, textarea, summary, [tabindex]:not([tabindex="-1"])';
  const NAMES = ['data-testid', 'id', 'href', 'value', 'aria-label'];
  const names = /** @type {Map<Element, string>} */ (new Map());
  const taken = /** @type {Map<string, number>} */ (new Map());
  const walk = (/** @type {Document | ShadowRoot} */ root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) walk(element.shadowRoot);
      if (!element.matches(CONTROL) || element.matches(':disabled') || !element.checkVisibility({ visibilityProperty: true })) continue;
      const words = NAMES.flatMap((name) => element.getAttribute(name) ?? []);
      const name = `${element.localName} ${words.length > 0 ? words.join(' ') : element.textContent?.trim().slice(0, 40)}`;
      // Several of one name are told apart by their order.
      taken.set(name, (taken.get(name) ?? 0) + 1);
      names.set(element, `${name}${(taken.get(name) ?? 0) > 1 ? ` (${taken.get(name)})` : ''}`);
    }
  };
  walk(document);
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return { shown: [...names.values()], focused: (focused && names.get(focused)) ?? '' };
}

/**
 * Presses the tab key until it has led to every control that is shown, or thrice as often as it should need. Returns what was shown all
 * the while, and what of that was never reached. @param {import('playwright-core').Page} page
 */
export async function tour(page) {
  let { shown } = await page.evaluate(look);
  const reached = new Set();
  const missed = () => shown.filter((name) => !reached.has(name));
  for (let left = 3 * shown.length + 30; left > 0 && missed().length > 0; left -= 1) {
    await page.keyboard.press('Tab');
    const now = await page.evaluate(look);
    reached.add(now.focused);
    // What comes or goes meanwhile is not judged.
    shown = shown.filter((name) => now.shown.includes(name));
  }
  return { shown, missed: missed() };
}
