/** Nothing: worker and wasm are found by themselves. */
export const options = () => ({});
