/** Makes elements: a tag, its attributes, its children. */

type Child = Node | string | null;
type Attributes = Record<string, string | number | null>;

const SVG = 'http://www.w3.org/2000/svg';

/** Makes an HTML element. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fit(document.createElement(tag), attributes, children);
}

/** Makes an SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes, ...children: Child[]): SVGElementTagNameMap[K] {
  return fit(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], attributes, children);
}

/** A list of names and values. */
export function facts(...rows: readonly (readonly [string, Child, string?])[]): HTMLElement {
  return h('dl', { class: 'facts' }, ...rows.map(([name, value, testid]) =>
    h('div', {}, h('dt', {}, name), h('dd', testid === undefined ? {} : { 'data-testid': testid }, value))));
}

/** A hash or key: whole for whoever selects it, short to look at. */
export function hash(hex: string, head = 8, tail = 6): HTMLElement {
  const isLong = hex.length > head + tail + 1;
  return h('code', { class: 'hash', title: hex, 'data-whole': hex }, isLong ? `${hex.slice(0, head)}…${hex.slice(-tail)}` : hex);
}

function fit<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
