import { initAsync } from '@matrix-org/matrix-sdk-crypto-wasm';

export const boot = () => initAsync();
