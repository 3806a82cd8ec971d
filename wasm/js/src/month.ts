/**
 * What this origin gave in the month that runs, over all pages and restarts.
 *
 * A page takes slices of the month's cap before it gives anything, and puts back what it did not use. So pages that
 * give at the same time stay below the cap together, and one that dies counts too much, never too little.
 */

/** What a page has to remember with; nothing of it may be there. */
export interface Memory {
  /** `localStorage`, or `null` where a page may not store. Then a month is as long as the page. */
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem' | 'key' | 'length'> | null;
  /** `navigator.locks`; without it, pages that take at the very same time may take the same. */
  readonly locks: Pick<LockManager, 'request'> | null;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const PREFIX = 'antiphon/given/';

/** The month's account. Months are those of the calendar, in UTC. */
export class Month {
  readonly #memory: Memory;
  /** Where there is no storage, or it fails. */
  readonly #own = new Map<string, number>();

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#forgetOthers();
  }

  /** Which month it is: `2026-11`. */
  get name(): string {
    return new Date(this.#memory.now()).toISOString().slice(0, 7);
  }

  /** Bytes that were taken in this month. */
  get taken(): number {
    return this.#read(this.name);
  }

  /** Takes up to `wanted` bytes below `cap` and resolves with how many it took, and of which month. */
  take(wanted: number, cap: number): Promise<{ bytes: number; month: string }> {
    return this.#alone(() => {
      const month = this.name;
      const before = this.#read(month);
      const bytes = Math.max(0, Math.min(wanted, cap - before));
      this.#write(month, before + bytes);
      return { bytes, month };
    });
  }

  /** Puts back bytes that were taken and not given. */
  putBack(bytes: number, month: string): Promise<void> {
    return this.#alone(() => this.#write(month, Math.max(0, this.#read(month) - bytes)));
  }

  async #alone<T>(act: () => T): Promise<T> {
    const { locks } = this.#memory;
    return locks === null ? act() : locks.request(PREFIX, act) as Promise<T>;
  }

  #read(month: string): number {
    const stored = Number(this.#memory.storage?.getItem(PREFIX + month) ?? this.#own.get(month) ?? 0);
    return Number.isSafeInteger(stored) && stored > 0 ? stored : 0;
  }

  #write(month: string, bytes: number): void {
    try {
      if (this.#memory.storage !== null) return this.#memory.storage.setItem(PREFIX + month, String(bytes));
    } catch {
      // Full or forbidden: this page remembers for itself.
    }
    this.#own.set(month, bytes);
  }

  #forgetOthers(): void {
    const { storage } = this.#memory;
    if (storage === null) return;
    const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i));
    for (const key of keys) {
      if (key?.startsWith(PREFIX) === true && key < PREFIX + this.name) storage.removeItem(key);
    }
  }
}
