/** Where the page is, as its browser tells. */

import type { Surroundings } from './sharing.js';
import type { Between } from './tabs.js';

/** The Network Information API and the Battery Status API, which not every browser has. */
interface Told {
  readonly connection?: EventTarget & { readonly type?: string; readonly saveData?: boolean };
  getBattery?: () => Promise<EventTarget & { readonly charging: boolean }>;
}

/** Returns what this page can know and remember. With `memory`, nothing outlives it. */
export function surroundings(kept: 'indexeddb' | 'memory'): Surroundings {
  const told: Told & Partial<Navigator> = globalThis.navigator ?? {};
  const { connection } = told;
  let isOnBattery = false;
  return {
    storage: kept === 'memory' ? null : storage(),
    locks: told.locks ?? null,
    now: () => Date.now(),
    isMetered: () => connection?.saveData === true || connection?.type === 'cellular',
    isOnBattery: () => isOnBattery,
    watch: (changed, signal) => {
      connection?.addEventListener('change', changed, { signal });
      told.getBattery?.().then((battery) => {
        const look = (): void => {
          isOnBattery = !battery.charging;
          changed();
        };
        if (signal.aborted) return;
        battery.addEventListener('chargingchange', look, { signal });
        look();
      }).catch(() => {}); // A page may be forbidden to ask. Then it counts as plugged in.
    },
  };
}

/** What tabs share a client by; `null` where the browser has none of it, as in a page that did not come securely. */
export function between(): Between | null {
  const { locks } = globalThis.navigator ?? {};
  if (locks === undefined || typeof BroadcastChannel === 'undefined') return null;
  return { locks, channel: (name) => new BroadcastChannel(name) };
}

/** `localStorage`, where a page may have it: reading the property alone may throw. */
function storage(): Storage | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
