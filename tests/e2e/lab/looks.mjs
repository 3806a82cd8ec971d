// How a page looks: what axe knows to be wrong, what overlaps, and what is wider than the screen, in each size and scheme.
// `LOOKS=folder` saves screenshots there.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { overlaps } from './overlap.mjs';

const SIZES = /** @type {const} */ ({ phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 800 } });
const SCHEMES = /** @type {const} */ (['light', 'dark']);
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What is wrong with a page as it is shown now. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
export async function faultsOf(page) {
  // By the protocol: the page's policy lets no other script in.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { violations } = await Reflect.get(globalThis, 'axe').run(document, { resultTypes: ['violations'] });
    return violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join('; ')}`);
  });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  return [...violations, ...(wide > 0 ? [`${wide} pixels wider than the screen`] : []), ...(await page.evaluate(overlaps))];
}

/**
 * Looks at what is shown in each size and scheme.
 * @param {string} name @param {import('playwright-core').Page} page
 */
export async function look(name, page) {
  /** @type {string[]} */ const faults = [];
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    for (const scheme of SCHEMES) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const at = `${name}-${size}-${scheme}`;
      faults.push(...(await faultsOf(page)).map((text) => `${at}: ${text}`));
      if (process.env.LOOKS) await page.screenshot({ path: join(process.env.LOOKS, `${at}.png`), fullPage: true });
    }
  }
  assert.deepEqual(faults, []);
}
