/** The strictest Content-Security-Policy that a page which plays sound can have. @type {Readonly<Record<string, string>>} */
const STRICT = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'worker-src': "'self'",
  'connect-src': "'self' http://127.0.0.1:*",
  // A player's buffer has such an address in every browser.
  'media-src': 'blob:',
  // The icon of the test's page.
  'img-src': 'data:',
  'base-uri': "'none'",
  'form-action': "'none'",
};

/** Writes it, with sources added to some directives. @param {Readonly<Record<string, string>>} [more] */
export function strict(more = {}) {
  return Object.entries(STRICT).map(([name, sources]) => `${name} ${sources}${name in more ? ` ${more[name]}` : ''}`).join('; ');
}
