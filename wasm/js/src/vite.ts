/**
 * A plug-in for Vite: `antiphon/vite`.
 *
 * ```ts
 * import { antiphon } from 'antiphon/vite';
 * export default { plugins: [antiphon()] };
 * ```
 *
 * Vite's development server bundles dependencies into a folder of its own and leaves worker and wasm behind; this keeps it from doing so.
 * Builds need no plug-in.
 */

/** As much of Vite's `Plugin` as this is. */
export interface VitePlugin {
  readonly name: string;
  readonly config: () => { optimizeDeps: { exclude: string[]; include: string[] } };
}

/** Returns the plug-in. */
export function antiphon(): VitePlugin {
  // What is left out is not scanned: unless it is named, the build of hls.js that the player takes is served as it lies.
  return { name: 'antiphon', config: () => ({ optimizeDeps: { exclude: ['antiphon'], include: ['antiphon > hls.js/light'] } }) };
}
