/** Loads the wasm client and says in one code why it cannot. */

import init, { WasmClient } from '../../generated/antiphon.js';
import { AntiphonError } from '../error.js';

/** The smallest valid module: magic and version. */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/** Fetches and compiles the client; `url` is where the application put it, or `null` for beside the worker. */
export async function loadClient(url: string | null): Promise<typeof WasmClient> {
  if (typeof WebAssembly !== 'object') throw new AntiphonError('wasm/unsupported');
  const source = url === null ? new URL('./antiphon_bg.wasm', import.meta.url) : new URL(url, self.location.href);
  try {
    await init({ module_or_path: source });
  } catch (cause) {
    const code = (await canCompile()) ? 'wasm/not-loaded' : 'wasm/blocked-by-csp';
    throw new AntiphonError(code, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return WasmClient;
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
