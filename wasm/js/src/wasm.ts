/** Loads a wasm module and says in one code why it cannot. */

import { AntiphonError } from './error.js';

/** The smallest valid module: magic and version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Fetches, compiles and starts what the glue's `init` belongs to. */
export async function start(init: (from: { module_or_path: URL }) => Promise<unknown>, source: URL): Promise<void> {
  if (typeof WebAssembly !== 'object') throw new AntiphonError('wasm/unsupported');
  try {
    await init({ module_or_path: source });
  } catch (cause) {
    const code = (await canCompile()) ? 'wasm/not-loaded' : 'wasm/blocked-by-csp';
    throw new AntiphonError(code, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Returns the stable code of an error that a wasm module threw, or `null` if it is not one of its own. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Without `'wasm-unsafe-eval'` in the policy even the empty module is refused. */
async function canCompile(): Promise<boolean> {
  try {
    await WebAssembly.compile(EMPTY_MODULE);
    return true;
  } catch {
    return false;
  }
}
