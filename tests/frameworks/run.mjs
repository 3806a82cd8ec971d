// The npm package in frameworks that make their pages on a server: `node run.mjs [next|nuxt|angular]…`, all of them without a name.
//
// Each is installed, built, served and opened in Chromium and Firefox, under the strictest policy that it can have; then once more
// as it is served while one develops. Hundreds of megabytes and some minutes: no part of `cargo xtask test`.
// Before it: `cargo xtask build`, `cargo build -p antiphon-node --bins`, and `npm ci` in `tests/e2e`.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, Service } from '../e2e/lab/network.mjs';
import { startBrowsers } from '../packaging/lab/browsers.mjs';
import { strict } from '../packaging/lab/policy.mjs';
import { serve } from './lab/server.mjs';
import { node, open, pack, tool, weigh } from './lab/work.mjs';

const ALL = ['next', 'nuxt', 'angular'];
/** How many things a page looks at: those of `tests/packaging`, and the element that the server wrote. */
const LOOKS = 8;
/** What none of them may say. */
const BAD = /^(console\.(error|warn|warning)|thrown|status)\b/;

const names = process.argv.slice(2);
const unknown = names.filter((name) => !ALL.includes(name));
if (unknown.length > 0) throw new Error(`no such framework: ${unknown}; there are ${ALL}`);

const data = await mkdtemp(join(tmpdir(), 'antiphon-frameworks-'));
const chain = new Service(['dev', '--data', join(data, 'chain'), '--rpc', `127.0.0.1:${await freePort()}`, '--block-time', '1s']);
const browsers = await startBrowsers();
let failed = 0;
let passed = 0;
try {
  const ready = await chain.start();
  const config = join(data, 'config.json');
  await writeFile(config, JSON.stringify({ chain: ready.chain, node: ready.base }));
  const [tarball, program] = [await pack(), await node()];
  for (const name of names.length > 0 ? names : ALL) await judge(name, tarball, config, program).catch((error) => tell(false, name, String(error)));
} finally {
  await browsers.close();
  await chain.stop();
  await rm(data, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** All of one framework. @param {string} name @param {string} tarball @param {string} config @param {string} program */
async function judge(name, tarball, config, program) {
  const { project } = await import(`./${name}/project.mjs`);
  const begun = Date.now();
  const root = await open(name, tarball, config);
  const { version } = JSON.parse(await readFile(`${root}/node_modules/${project.package}/package.json`, 'utf8'));
  console.log(`${name} ${version}: installed in ${seconds(begun)}, ${mega(await weigh(`${root}/node_modules`))}`);
  const building = Date.now();
  await tool(program, project.build, root, { ...process.env, ...project.quiet });
  console.log(`${name} ${version}: built in ${seconds(building)}, ${mega(await weigh(`${root}/${project.built}`))} for browsers`);
  for (const way of ['start', 'develop']) {
    const [port, policy] = [await freePort(), loosened(project.loosened)];
    const { words, env } = project[way](port, policy);
    const url = `http://127.0.0.1:${port}/`;
    const server = await serve(program, words, root, url, { ...project.quiet, ...env });
    try {
      await visit(`${name} ${version}, ${way === 'start' ? 'built' : 'while it is developed'}`, url, server);
    } finally {
      await server.close();
    }
  }
}

/** The strictest policy, but for what a framework cannot do without. @param {Readonly<Record<string, string>>} [more] */
function loosened(more = {}) {
  return Object.entries(more).reduce((policy, [name, sources]) => policy.replace(`${name} 'none'`, `${name} ${sources}`), strict());
}

/** Opens what is served in both browsers. @param {string} what @param {string} url @param {Awaited<ReturnType<typeof serve>>} server */
async function visit(what, url, server) {
  const isDrawn = server.status === 200 && /<antiphon-player[^>]* src="\/sample\/index\.m3u8"/.test(server.html);
  tell(isDrawn, `${what}: the server writes the page`, isDrawn ? '' : `${server.status} ${server.html.slice(0, 2_000)}\n${server.said.join('')}`);
  for (const [browser, look] of browsers.all) {
    const { count, faults, log } = await look(url);
    const bad = [...faults, ...log.filter((line) => BAD.test(line))];
    if (count !== LOOKS) bad.push(`${count} looks`);
    tell(bad.length === 0, `${what}: well in ${browser}`, bad.join('\n  '));
  }
}

/** @param {boolean} isWell @param {string} what @param {string} why */
function tell(isWell, what, why) {
  if (isWell) passed += 1;
  else failed += 1;
  console.log(`${isWell ? 'ok' : 'NOT OK'} ${what}${isWell || why === '' ? '' : `\n  ${why}`}`);
}

/** @param {number} since */
function seconds(since) {
  return `${Math.round((Date.now() - since) / 1000)} s`;
}

/** @param {number} bytes */
function mega(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
