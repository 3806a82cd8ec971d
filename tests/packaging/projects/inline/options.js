import { inline } from 'antiphon/inline';
import verifyWasm from 'antiphon/verify-wasm';

globalThis.verifyWasm = verifyWasm;

export const options = () => inline();
