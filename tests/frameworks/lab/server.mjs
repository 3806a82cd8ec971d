// A framework's own server: started, waited for, ended with all that it started.

import { spawn } from 'node:child_process';

/** How long it may take until it answers; a development server makes its first page then. */
const READY_MS = 120_000;

/** @param {string} program @param {string[]} words @param {string} cwd @param {string} url @param {Readonly<Record<string, string>>} env */
export async function serve(program, words, cwd, url, env) {
  // A group of its own: frameworks start further processes.
  const child = spawn(program, words, { cwd, env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {string[]} */ const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => said.push(text));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const close = async () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await gone;
  };
  const end = Date.now() + READY_MS;
  for (;;) {
    const response = await fetch(url).catch(() => null);
    if (response !== null && response.status !== 503) return { html: await response.text(), status: response.status, said, close };
    await response?.body?.cancel();
    if (Date.now() > end || child.exitCode !== null) {
      await close();
      throw new Error(`${words.join(' ')} does not answer: ${said.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
