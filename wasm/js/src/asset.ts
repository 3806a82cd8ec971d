/**
 * What a bundler makes of `import wasm from 'antiphon/wasm'`, or `antiphon/verify-wasm`, when it was told that `.wasm` is a file: its address.
 * Without a bundler nobody imports these; they are names of files, to be copied.
 */
declare const address: string;
export default address;
