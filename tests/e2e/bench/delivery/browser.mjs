// Chromium as a listener has it: nobody debugs its pages. A driver that watches a page is told of every request and every worker,
// keeps what is loaded, and holds each worker up before it starts, which costs most where most is asked.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { browserPath, FLAGS, HOST_FLAGS } from '../../lab/browser.mjs';

/** Has no types; see pages.mjs. */
const WS = 'ws';
const { WebSocket } = await import(WS);

/** How long it may take until it can be told to open pages. */
const START_MS = 30_000;

/** Starts a browser with an empty profile. */
export async function startBrowser() {
  const profile = mkdtempSync(join(tmpdir(), 'antiphon-bench-'));
  const flags = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...FLAGS, ...HOST_FLAGS];
  const child = spawn(browserPath(), flags, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  /** @type {() => Promise<unknown>} */ let leave = async () => child.kill();
  const close = async () => {
    await Promise.race([leave(), ended]);
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  try {
    const call = await dial(await addressOf(child));
    /** Opens a page in a context of its own: its own storage, keys and cache. @param {string} url */
    const open = async (url) => {
      const { browserContextId } = await call('Target.createBrowserContext', {});
      await call('Target.createTarget', { url, browserContextId });
    };
    // Asked, it ends its own processes first: one that is killed leaves some that still write.
    leave = () => call('Browser.close', {});
    return { open, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Where it listens for who tells it what to open. @param {import('node:child_process').ChildProcess} child @returns {Promise<string>} */
function addressOf(child) {
  return new Promise((resolve, reject) => {
    /** @type {string[]} */ const said = [];
    const timer = setTimeout(() => reject(new Error(`the browser did not start:\n${said.join('\n')}`)), START_MS);
    if (child.stderr === null) throw new Error('no stderr');
    createInterface(child.stderr).on('line', (line) => {
      const url = /^DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (url === undefined) return void said.push(line);
      clearTimeout(timer);
      resolve(url);
    });
    child.once('exit', () => reject(new Error(`the browser ended:\n${said.join('\n')}`)));
  });
}

/** Asks the browser itself, and attaches to nothing in it. @param {string} url */
async function dial(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  /** @type {Map<number, (answer: any) => void>} */ const asked = new Map();
  let next = 1;
  socket.on('message', (/** @type {Buffer} */ text) => {
    const answer = JSON.parse(String(text));
    asked.get(answer.id)?.(answer);
    asked.delete(answer.id);
  });
  /** @param {string} method @param {object} params @returns {Promise<any>} */
  return (method, params) => new Promise((resolve, reject) => {
    const id = next++;
    asked.set(id, ({ result, error }) => (error === undefined ? resolve(result) : reject(new Error(`${method}: ${error.message}`))));
    socket.send(JSON.stringify({ id, method, params }));
  });
}
