/** Loads the wasm client. */

import init, * as client from '../../generated/antiphon.js';
import { start, type Carried } from '../wasm.js';

/** What the module has for words, accounts and addresses. */
export type WalletClient = Pick<typeof client, 'walletWords' | 'walletBranch' | 'walletBranchOfSeed' | 'walletAccount' | 'checkAddress'>;

/** Compiles the client; the page says where it is, or brings it. */
export async function loadClient(wasm: Carried, integrity: string | null): Promise<WalletClient & Pick<typeof client, 'WasmClient'>> {
  await start(init, wasm, integrity);
  return client;
}
