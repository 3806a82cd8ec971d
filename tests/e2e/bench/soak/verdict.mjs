// What a long run may not show, and how long it may last.

/** A day. Chosen here: whoever types more has mistyped. */
const MOST_MINUTES = 1440;

/** Minutes from which on memory is judged: what a page keeps is full, and what the engine compiles is compiled. Chosen here. */
const JUDGED_MINUTES = 20;
/** What the memory of pages may be larger by in the last quarter of a run than in the second. Chosen here: what engines hold back comes and goes by about as much. */
const MOST_GROWTH = 0.1;

/** Reads how many minutes to listen; throws for what is no whole number of them. @param {string} text @returns {number} */
export function minutesOf(text) {
  const minutes = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(minutes >= 1 && minutes <= MOST_MINUTES)) throw new Error(`--minutes is a whole number from 1 to ${MOST_MINUTES}, not \`${text}\``);
  return minutes;
}

/**
 * Says what was wrong with a run: nothing if all went well.
 * @param {{ stalls: number, bad: number }} last What the last minute counted since the start.
 * @param {readonly string[]} errors What no page caught.
 * @param {readonly number[]} megabytes Memory of the pages in each minute.
 * @returns {string[]}
 */
export function wrongs({ stalls, bad }, errors, megabytes) {
  const all = errors.map((error) => `uncaught: ${error}`);
  if (stalls !== 0) all.push(`sound stopped ${stalls} times`);
  if (bad !== 0) all.push(`${bad} bad chunks`);
  const growth = growthOf(megabytes);
  if (megabytes.length >= JUDGED_MINUTES && !(growth <= MOST_GROWTH)) all.push(`the memory of pages grew by ${(growth * 100).toFixed(0)} %`);
  return all;
}

/** Part by which the last quarter is above the second, in the mean. @param {readonly number[]} megabytes */
function growthOf(megabytes) {
  const quarter = Math.floor(megabytes.length / 4);
  const mean = (/** @type {readonly number[]} */ part) => part.reduce((sum, one) => sum + one, 0) / part.length;
  return mean(megabytes.slice(-quarter)) / mean(megabytes.slice(quarter, 2 * quarter)) - 1;
}
