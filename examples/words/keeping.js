// What words do not bring back, as a file that another device takes.

/** Returns a backup as one word. */
export async function backup(client) {
  const bytes = new Uint8Array(await (await client.backup()).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

/** Takes one that another device made. */
export async function take(client, file) {
  await client.restoreBackup(new Blob([Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0))]));
}

/** Says of each pool why nothing is signed for it, if so. */
export function locked(client) {
  return client.snapshot().wallet.locked.map(({ freeze }) => freeze ?? 'usable').sort();
}

/** Looks for pools of a lost device, and says how many hold money, and whether there may be more. */
export async function find(client) {
  const { pools, isWhole } = await client.findOwnPools();
  return `found ${pools.length}${isWhole ? '' : ' or more'}`;
}
