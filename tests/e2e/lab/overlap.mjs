// Text over text. Runs in the page.

/** Names each two pieces of visible text that lie on one another. @returns {string[]} */
export function overlaps() {
  /** Letters of neighbouring lines may touch. */
  const TOUCH = 3;
  /** @type {{ text: string, rect: DOMRect, parent: Element }[]} */ const pieces = [];
  const walk = (/** @type {Document | ShadowRoot} */ root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node instanceof Element) {
        if (node.shadowRoot) walk(node.shadowRoot);
        continue;
      }
      const { parentElement: parent, textContent } = node;
      const text = textContent?.trim() ?? '';
      // Pictures place their own marks; what is scrolled away or kept for a list is not seen.
      if (text === '' || parent === null || parent.closest('svg, script, style, datalist, option, .skip') || !parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const rect of range.getClientRects()) {
        const seen = inside(rect, parent);
        if (seen.width > TOUCH && seen.height > TOUCH) pieces.push({ text: text.slice(0, 30), rect: seen, parent });
      }
    }
  };
  /** What of it is not cut off by a box that scrolls. @param {DOMRect} rect @param {Element} from */
  const inside = (rect, from) => {
    let [left, top, right, bottom] = [rect.left, rect.top, rect.right, rect.bottom];
    for (let box = /** @type {Element | null} */ (from); box !== null; box = box.parentElement) {
      if (getComputedStyle(box).overflow === 'visible' || box === document.body || box === document.documentElement) continue;
      const frame = box.getBoundingClientRect();
      [left, top, right, bottom] = [Math.max(left, frame.left), Math.max(top, frame.top), Math.min(right, frame.right), Math.min(bottom, frame.bottom)];
    }
    return new DOMRect(left, top, right - left, bottom - top);
  };
  walk(document);
  const found = [];
  for (const [at, one] of pieces.entries()) {
    for (const other of pieces.slice(at + 1)) {
      if (one.parent === other.parent) continue;
      const wide = Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left);
      const high = Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top);
      if (wide > TOUCH && high > TOUCH) found.push(`“${one.text}” lies on “${other.text}”`);
    }
  }
  return found;
}
