// What a long run may not show, and how long it may last.

/** A day. Chosen here: whoever types more has mistyped. */
const MOST_MINUTES = 1440;

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
 * @returns {string[]}
 */
export function wrongs({ stalls, bad }, errors) {
  const all = errors.map((error) => `uncaught: ${error}`);
  if (stalls !== 0) all.push(`sound stopped ${stalls} times`);
  if (bad !== 0) all.push(`${bad} bad chunks`);
  return all;
}
