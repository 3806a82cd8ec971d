/** What every part of the wallet is made of. */

import { h } from '../explorer/node.js';

/** A folio with a title and a lead. */
export function folio(id: string, title: string, lead: string, ...children: (Node | null)[]): HTMLElement {
  return h('section', { class: 'folio', id: `wallet-${id}`, 'data-testid': `wallet-${id}`, 'aria-labelledby': `h-wallet-${id}` },
    h('h3', { id: `h-wallet-${id}` }, title), h('p', { class: 'lead' }, lead), ...children);
}

/** A button; the one that matters is not quiet. */
export function button(text: string, testid: string, isQuiet: boolean, press: () => void): HTMLButtonElement {
  const made = h('button', { type: 'button', 'data-testid': testid, class: isQuiet ? 'quiet' : null }, text);
  made.addEventListener('click', press);
  return made;
}

/** A field under its name. */
export function field(text: string, control: HTMLElement): HTMLLabelElement {
  return h('label', { class: 'stacked' }, h('span', {}, text), control);
}

/** A line that says what was done, or why not. */
export function saying(testid: string): HTMLElement {
  return h('p', { class: 'said', role: 'status', 'data-testid': testid });
}
