/** The little of Node that the tests use; the package itself depends on nothing of Node. */
declare module 'node:test' {
  export function test(name: string, run: (t: { mock: { timers: MockTimers } }) => void | Promise<void>): void;
  export interface MockTimers {
    enable(options: { apis: string[] }): void;
    tick(ms: number): void;
  }
}
declare module 'node:fs/promises' {
  export function readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
}
declare module 'node:assert/strict' {
  const assert: {
    equal(actual: unknown, expected: unknown): void;
    deepEqual(actual: unknown, expected: unknown): void;
    ok(value: unknown): void;
    throws(act: () => unknown, check: (error: unknown) => boolean): void;
    rejects(promise: Promise<unknown>, check: (error: unknown) => boolean): Promise<void>;
  };
  export default assert;
}
