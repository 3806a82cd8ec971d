/** Collects what was seen, and what the page's policy refused meanwhile. */
export async function tried(trial) {
  const faults = [];
  const isRefused = (event) => faults.push(`the policy refused ${event.violatedDirective} ${event.blockedURI}`);
  document.addEventListener('securitypolicyviolation', isRefused);
  let count = 0;
  const is = (what, isSo, why) => {
    count += 1;
    if (!isSo) faults.push(`not so: ${what}: ${why}`);
  };
  try {
    await trial(is);
  } catch (error) {
    faults.push(`thrown: ${error}`, `at ${error.stack}`);
  }
  return { count, faults };
}
