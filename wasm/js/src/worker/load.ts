/** Loads the wasm client. */

import init, { WasmClient } from '../../generated/antiphon.js';
import { start } from '../wasm.js';

/** Fetches and compiles the client; `url` is where the application put it, or `null` for beside the worker. */
export async function loadClient(url: string | null): Promise<typeof WasmClient> {
  await start(init, url === null ? new URL('./antiphon_bg.wasm', import.meta.url) : new URL(url, self.location.href));
  return WasmClient;
}
