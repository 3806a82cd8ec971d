// Runs the end-to-end tests: `node run.mjs [FILE…]`, all of them without a file.
//
// Inside a private network if we may make one: there, pages connect to each other as they do in
// life, and nothing can leave the machine. Everything that the tests start ends with that network.
// `ANTIPHON_LAB=host` stays on the host's network and helps Chromium with flags.

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const [first, ...rest] = process.argv.slice(2);

/** Files at a time: a page that plays in time leaves most of a core to others. Measured: two at a time take 60 % of the time of one after the other. */
const AT_A_TIME = Math.min(2, availableParallelism());

/** A pair of virtual cards: ours has an address and the default route; nobody is at the other end. */
const NETWORK = [
  'link set lo up',
  'link add v0 type veth peer name v1',
  // An address of its own making would come a second later, and Chromium breaks off what it loads when addresses change.
  'link set v0 addrgenmode none',
  'link set v1 addrgenmode none',
  'address add 10.77.0.1/24 dev v0',
  'link set v0 up',
  'link set v1 up',
  'route add default via 10.77.0.2',
];

if (first === '--inside') {
  for (const line of NETWORK) check('ip', line.split(' '));
  process.exit(test(rest, 'private'));
}
const files = first === undefined ? [] : [first, ...rest];
const unshare = enter();
if (unshare === null) {
  console.log('tests run on the network of the host: a private one needs root or user namespaces');
  process.exit(test(files, 'host'));
}
const inside = [...unshare, process.execPath, fileURLToPath(import.meta.url), '--inside', ...files];
process.exit(spawnSync('unshare', inside, { stdio: 'inherit' }).status ?? 1);

/** Returns the arguments of `unshare` that work here, or null. @returns {string[] | null} */
function enter() {
  if (process.env.ANTIPHON_LAB === 'host') return null;
  const own = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const words = [...asRoot, ...own];
  const probe = spawnSync('unshare', [...words, 'ip', 'link', 'set', 'lo', 'up'], { env: environment('') });
  return probe.status === 0 ? words : null;
}

/** @param {string[]} files @param {string} lab */
function test(files, lab) {
  const all = readdirSync(here, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.mjs') && !name.includes('node_modules'))
    .sort();
  const words = ['--test', `--test-concurrency=${AT_A_TIME}`, '--test-reporter=spec', ...(files.length > 0 ? files : all)];
  return spawnSync(process.execPath, words, { cwd: here, stdio: 'inherit', env: environment(lab) }).status ?? 1;
}

/** @param {string} program @param {string[]} words */
function check(program, words) {
  const { status, error } = spawnSync(program, words, { stdio: 'inherit', env: environment('') });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error ?? `ended with ${status}`}`);
}

/** @param {string} lab */
function environment(lab) {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`, ANTIPHON_LAB: lab };
}
