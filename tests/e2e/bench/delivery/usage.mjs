// What the browser that this process started uses, as Linux tells it.

import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of `/proc` in a second: USER_HZ, 100 on every Linux that we know. */
const TICKS = 100;

/** Processor time so far and memory now of all browser processes below this one, and memory of those that run pages; what they share is shared out. */
export function used() {
  const parents = new Map();
  const ticks = new Map();
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${name}/stat`);
    // The name is in brackets and may hold anything.
    const [, parent, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (!stat.includes('(chrom')) continue;
    parents.set(Number(name), Number(parent));
    ticks.set(Number(name), Number(rest[9]) + Number(rest[10]));
  }
  let cpuSeconds = 0, bytes = 0, pageBytes = 0;
  for (const [pid, used] of ticks) {
    if (!isOurs(pid, parents)) continue;
    cpuSeconds += used / TICKS;
    const held = Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
    bytes += held;
    if (read(`/proc/${pid}/cmdline`).includes('--type=renderer')) pageBytes += held;
  }
  return { cpuSeconds, bytes, pageBytes };
}

/** @param {number} pid @param {Map<number, number>} parents */
function isOurs(pid, parents) {
  for (let at = pid; at > 1; at = parents.get(at) ?? 0) if (parents.get(at) === process.pid) return true;
  return false;
}

/** A process may be gone meanwhile. @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
