/** Finds and fills the elements of index.html; writes only what changed, so that nothing flickers. */

/** Returns the element with this id. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element as T;
}

/** Returns the element with this test id. */
export function byTest(id: string): HTMLElement {
  const element = document.querySelector<HTMLElement>(`[data-testid="${id}"]`);
  if (element === null) throw new Error(`index.html has no [data-testid=${id}]`);
  return element;
}

/** Sets the text. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets a `data-` attribute. */
export function mark(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Makes an element with text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, text: string, data: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  Object.assign(element.dataset, data);
  return element;
}

/** Returns the parts of an address such as `#/room/choir`; one that is not encoded well is taken as it stands. */
export function parts(hash: string): string[] {
  return hash.split('/').slice(1).map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
}

/** Makes a label with the input that it names. */
export function labelled(text: string, input: HTMLElement): HTMLLabelElement {
  const label = make('label', '');
  label.className = 'deposit';
  label.append(make('span', text), input);
  return label;
}

/** Replaces the children only if their text differs from what is there. */
export function fill(parent: HTMLElement, key: string, children: () => Node[]): void {
  if (parent.dataset['key'] === key) return;
  parent.dataset['key'] = key;
  parent.replaceChildren(...children());
}

/** Offers bytes as a file. */
export function save(bytes: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(bytes);
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
