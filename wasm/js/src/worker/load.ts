/** Loads the wasm client. */

import init, { WasmClient } from '../../generated/antiphon.js';
import { start, type Carried } from '../wasm.js';

/** Compiles the client; the page says where it is, or brings it. */
export async function loadClient(wasm: Carried, integrity: string | null): Promise<typeof WasmClient> {
  await start(init, wasm, integrity);
  return WasmClient;
}
