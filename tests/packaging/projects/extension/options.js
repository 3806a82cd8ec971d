import wasm from 'antiphon/wasm';
import verifyWasm from 'antiphon/verify-wasm';

globalThis.verifyWasm = verifyWasm;

export const options = () => ({ worker: '/worker.js', wasm });
