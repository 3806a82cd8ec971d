/** Loads a wasm module, from wherever the application has it, and says in one code why it cannot. */

import { AntiphonError } from './error.js';

/** Where a wasm file is, or what it holds. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module | PromiseLike<string | URL | Response | BufferSource | WebAssembly.Module>;
/** The same in a form that reaches a worker, as often as one is started: an absolute URL, its bytes, or a module. */
export type Carried = string | BufferSource | WebAssembly.Module;
/** What `wasm-bindgen`'s glue starts from. */
type Loadable = URL | Response | BufferSource | WebAssembly.Module;

/** Subresource Integrity: one or several hashes. */
export const INTEGRITY = /^sha(256|384|512)-[\w+/]+={0,2}( sha(256|384|512)-[\w+/]+={0,2})*$/;

/** The smallest valid module: magic and version. */
const EMPTY_MODULE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

/** Reads a source into what can be sent to a worker; an address at once. Fails with `wasm/not-loaded` for a response that is none. */
export function carried(source: WasmSource, base: string | undefined): Carried | Promise<Carried> {
  return isAddress(source) ? absolute(source, base) : brought(source, base);
}

async function brought(source: WasmSource, base: string | undefined): Promise<Carried> {
  try {
    const given = await source;
    if (isAddress(given)) return absolute(given, base);
    if (!(given instanceof Response)) return given;
    if (!given.ok) throw new Error(`status ${given.status}`);
    return await given.arrayBuffer();
  } catch (cause) {
    throw failed('wasm/not-loaded', cause);
  }
}

function isAddress(source: WasmSource): source is string | URL {
  return typeof source === 'string' || source instanceof URL;
}

function absolute(address: string | URL, base: string | undefined): string {
  try {
    return new URL(address, base).href;
  } catch (cause) {
    throw failed('wasm/not-loaded', cause);
  }
}

/** Compiles what is fetched, beside whatever else starts; anything that goes wrong is left to who is given the URL instead. */
export async function compiled(source: Carried, integrity: string | null): Promise<Carried> {
  if (typeof source !== 'string' || typeof WebAssembly !== 'object') return source;
  return WebAssembly.compileStreaming(load(source, integrity)).catch(() => source);
}

/** Compiles and starts what the glue's `init` belongs to; a URL is fetched, and must be what `integrity` says. */
export async function start(init: (from: { module_or_path: Loadable }) => Promise<unknown>, source: Carried, integrity: string | null): Promise<void> {
  if (typeof WebAssembly !== 'object') throw new AntiphonError('wasm/unsupported');
  try {
    await init({ module_or_path: typeof source === 'string' ? await load(source, integrity) : source });
  } catch (cause) {
    throw failed((await canCompile()) ? 'wasm/not-loaded' : 'wasm/blocked-by-csp', cause);
  }
}

/** Returns the stable code of an error that a wasm module threw, or `null` if it is not one of its own. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

async function load(url: string, integrity: string | null): Promise<Response> {
  const response = await fetch(url, integrity === null ? {} : { integrity });
  if (!response.ok) throw new Error(`${url}: status ${response.status}`);
  return response;
}

function failed(code: string, cause: unknown): AntiphonError {
  if (cause instanceof AntiphonError) return cause;
  return new AntiphonError(code, cause instanceof Error ? cause.message : String(cause), cause);
}

/** Without `'wasm-unsafe-eval'` in the policy even the empty module is refused. */
async function canCompile(): Promise<boolean> {
  try {
    await WebAssembly.compile(Uint8Array.from(EMPTY_MODULE));
    return true;
  } catch {
    return false;
  }
}
