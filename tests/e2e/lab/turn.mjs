// A real TURN server (coturn), by which listeners reach each other without telling their addresses.

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './browser.mjs';

/** Where the server lives; `TURNSERVER` names another. */
const KNOWN = ['/usr/bin/turnserver', '/usr/local/bin/turnserver'];
const PORT = 13_478;
const USER = { username: 'listener', credential: 'secret' };

/** Starts it on an address that is not loopback, where there is one; returns what pages need to use it. */
export async function startTurn() {
  const program = process.env.TURNSERVER ?? KNOWN.find((path) => existsSync(path));
  if (program === undefined) throw new Error(`no TURN server at ${KNOWN.join(', ')}: run \`cargo xtask setup\` or set TURNSERVER`);
  const outside = Object.values(networkInterfaces()).flat().find((face) => face?.family === 'IPv4' && !face.internal);
  const address = outside?.address ?? '127.0.0.1';
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-turn-'));
  const child = spawn(program, [
    '-n', '--no-cli', '--no-tls', '--no-dtls', '--log-file', 'stdout', '--simple-log', '--verbose',
    '--listening-ip', address, '--relay-ip', address, '--listening-port', String(PORT), '--min-port', '50000', '--max-port', '50100',
    '--lt-cred-mech', '--realm', 'antiphon', '--user', `${USER.username}:${USER.credential}`,
    '--userdb', join(folder, 'turn.db'), '--pidfile', join(folder, 'turn.pid'), ...(outside ? [] : ['--allow-loopback-peers']),
  ], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (log += bytes));
  const close = async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until('the TURN server listens', () => /listener opened on/i.test(log) || child.exitCode !== null, 10_000, () => log);
    if (child.exitCode !== null) throw new Error(`the TURN server ended:\n${log}`);
  } catch (error) {
    await close();
    throw error;
  }
  return { iceServers: [{ urls: `turn:${address}:${PORT}?transport=udp`, ...USER }], log: () => log, close };
}

/**
 * Stands before a TURN server as one that is far away: whatever it answers comes so much later.
 * @param {RTCIceServer[]} iceServers Those of {@link startTurn}. @param {number} delayMs
 */
export async function farAway([near], delayMs) {
  const [, address = '', port = ''] = String(near?.urls).match(/^turn:([\d.]+):(\d+)/) ?? [];
  const front = createSocket('udp4');
  /** A socket for each that calls, so that the server tells them apart. */
  const backs = /** @type {Map<string, import('node:dgram').Socket>} */ (new Map());
  front.on('message', (bytes, from) => {
    const name = `${from.address}:${from.port}`;
    let back = backs.get(name);
    if (back === undefined) {
      back = createSocket('udp4');
      back.on('message', (answer) => void setTimeout(() => backs.size > 0 && front.send(answer, from.port, from.address), delayMs));
      backs.set(name, back);
    }
    back.send(bytes, Number(port), address);
  });
  await new Promise((resolve) => front.bind(0, address, () => resolve(null)));
  const close = () => {
    for (const back of backs.values()) back.close();
    backs.clear();
    front.close();
  };
  return { iceServers: [{ ...near, urls: `turn:${address}:${front.address().port}?transport=udp` }], close };
}
