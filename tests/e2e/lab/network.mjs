// A network of real processes, each started, stopped and killed by itself.
//
// Every subcommand of `antiphon` prints one line of JSON on standard output once it is ready.

import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The node's program: as cargo builds it, or as `ANTIPHON` says. */
export const PROGRAM = process.env.ANTIPHON ?? join(resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target'), 'debug/antiphon');
/** How long a process may take to be ready. */
const READY_MS = 30_000;

/** One process. It keeps its arguments, so that it can come back as it was. */
export class Service {
  /** @type {import('node:child_process').ChildProcess | null} */ #child = null;
  /** @type {string[]} */ log = [];
  /** What it said when it was ready. @type {Record<string, string>} */ ready = {};

  /** @param {string[]} words */
  constructor(words) {
    this.words = words;
  }

  async start() {
    const child = spawn(PROGRAM, this.words, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.log.push(...text.trimEnd().split('\n'));
      this.log.splice(0, this.log.length - 200);
    });
    let said = '';
    const line = await new Promise((resolve, reject) => {
      const fail = (/** @type {string} */ why) => reject(new Error(`antiphon ${this.words.join(' ')}: ${why}\n${this.log.join('\n')}`));
      const timer = setTimeout(() => fail('not ready in time'), READY_MS);
      child.stdout.setEncoding('utf8').on('data', (text) => {
        said += text;
        if (said.includes('\n')) resolve(said.slice(0, said.indexOf('\n')));
      });
      child.on('error', (error) => fail(error.message));
      child.on('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
      child.on('close', () => clearTimeout(timer));
      child.stdout.once('data', () => clearTimeout(timer));
    });
    this.ready = JSON.parse(line);
    return this.ready;
  }

  /** Its process. */
  get pid() {
    return this.#child?.pid;
  }

  /** Whether it runs. */
  get isUp() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ends it, by asking or, with SIGKILL, without. @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGINT') {
    const child = this.#child;
    if (child === null || !this.isUp) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(timer);
  }
}

/** A port that is free now. @returns {Promise<number>} */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/**
 * Starts a chain, a tracker, the sample stream and the site.
 * @param {{ blockTime?: string, price?: string, stake?: string[], source?: string, isLoop?: boolean, publish?: string[] }} [options]
 * `stake`: words for `antiphon dev`, such as `['--stake']`; `source`: another folder than the sample's, `isLoop`: whether it is played for
 * ever; `publish`: words for `antiphon publish`
 */
export async function startNetwork(options = {}) {
  const data = await mkdtemp(join(tmpdir(), 'antiphon-e2e-'));
  const [rpc, trackerPort, origin] = await Promise.all([freePort(), freePort(), freePort()]);
  /** @type {Service[]} */ const all = [];
  const run = async (/** @type {string[]} */ ...words) => {
    const service = new Service(words);
    all.push(service);
    await service.start();
    return service;
  };
  const close = async () => {
    for (const service of all.reverse()) await service.stop();
    await rm(data, { recursive: true, force: true });
  };
  try {
    const chain = await run('dev', '--data', join(data, 'chain'), '--rpc', `127.0.0.1:${rpc}`, '--block-time', options.blockTime ?? '1s', ...(options.stake ?? []));
    const tracker = await run('tracker', '--listen', `127.0.0.1:${trackerPort}`);
    const publish = await run(
      'publish', '--source', options.source ?? join(ROOT, 'www/sample'), ...(options.isLoop === false ? [] : ['--loop']), '--name', 'antiphon', '--data', join(data, 'publish'),
      '--listen', `127.0.0.1:${origin}`, '--chain', text(chain, 'chain'), '--node', text(chain, 'base'),
      '--tracker', text(tracker, 'url'), '--price', options.price ?? '0.0001', ...(options.publish ?? []),
    );
    const config = join(data, 'config.json');
    const page = {
      stream: text(publish, 'url'), publisher: text(publish, 'publisher'), node: text(chain, 'base'),
      chain: text(chain, 'chain'), tracker: text(tracker, 'url'), witness: '', tower: text(chain, 'base'),
    };
    await writeFile(config, JSON.stringify(page));
    const site = await run('site', '--root', join(ROOT, 'www/dist'), '--config', config, '--listen', '127.0.0.1:0');
    /** Changes what the page is told. @param {Partial<typeof page>} change */
    const configure = async (change) => writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), ...change }));
    /** Serves the site once more, with something put before one of its scripts. @param {string} script @param {string} [name] */
    const alteredSite = async (script, name = 'worker.js') => {
      const folder = join(data, 'altered');
      await cp(join(ROOT, 'www/dist'), folder, { recursive: true });
      const altered = join(folder, name);
      await writeFile(altered, script + (await readFile(altered, 'utf8')));
      return text(await run('site', '--root', folder, '--config', config, '--listen', '127.0.0.1:0'), 'url');
    };
    /** Starts a native peer of the stream with a key of its own. @param {string[]} words */
    const startPeer = async (...words) => {
      const folder = await mkdtemp(join(data, 'peer-'));
      await promisify(execFile)(PROGRAM, ['init', '--data', folder]);
      const { stream, publisher, node, chain: id } = page;
      return run('peer', '--stream', stream, '--data', folder, '--node', node, '--chain', id, '--publisher', publisher, ...words);
    };
    return { data, chain, tracker, publish, site, url: text(site, 'url'), page, configure, alteredSite, startPeer, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param {Service} service @param {string} field */
function text(service, field) {
  const value = service.ready[field];
  if (typeof value !== 'string') throw new Error(`antiphon ${service.words[0]} did not say its ${field}: ${JSON.stringify(service.ready)}`);
  return value;
}
