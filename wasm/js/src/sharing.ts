/**
 * What a listener gives away: what was agreed to, where the page is, and what was given this month.
 *
 * ```text
 * terms, network, battery, slices of the month --> policy --> client, which counts every byte against it
 * ```
 *
 * Source: FIELD-NOTES recommendation 7 (consent and caps).
 */

import type { UploadPolicy } from './border.js';
import { AntiphonError } from './error.js';
import { Month, type Memory } from './month.js';

/** What this listener agrees to give. Everything may be left out. */
export interface UploadTerms {
  /** Serve peers at all. On by default. */
  isEnabled?: boolean | undefined;
  /** Bytes a second, or `null` for no cap. */
  rate?: number | null | undefined;
  /** Bytes until the page closes, or `null` for no cap. */
  total?: number | null | undefined;
  /** Bytes in one month of the calendar (UTC), over all pages of this origin in this browser, or `null` for no cap. */
  monthly?: number | null | undefined;
  /** Also where the network counts bytes: a mobile one, or the user saves data. Off by default. Browsers that do not tell count as not metered. */
  whileMetered?: boolean | undefined;
  /** Also on battery. On by default. Browsers that do not tell count as plugged in. */
  whileOnBattery?: boolean | undefined;
}

/** Why a listener gives, or does not. */
export type SharingReason = 'agreed' | 'declined' | 'metered' | 'battery' | 'spent';

/** What is given, as of now. */
export interface SharingView {
  readonly isOn: boolean;
  readonly why: SharingReason;
  /** Bytes served since the page was opened. */
  readonly sessionBytes: number;
  /** Bytes served in this month by all pages of this origin, and what they may serve next. */
  readonly monthBytes: number;
  /** The month's cap in bytes, or `null`. */
  readonly monthly: number | null;
}

/** Where a page is, and what it may remember. */
export interface Surroundings extends Memory {
  readonly isMetered: () => boolean;
  readonly isOnBattery: () => boolean;
  /** Calls back when one of both may have changed. */
  readonly watch: (changed: () => void, signal: AbortSignal) => void;
}

/** Bytes that are taken of the month at once. Chosen here: three minutes of audio for one neighbour. */
const SLICE = 4 * 1024 * 1024;
/** Taken anew when less than this is left: what a few neighbours ask for until the next snapshot. */
const LOW = 1024 * 1024;

/** With less than this left, nothing more is given. Source: `core/src/delivery/chunk.rs`. */
const CHUNK = 16 * 1024;

type Agreed = Required<{ [K in keyof UploadTerms]: Exclude<UploadTerms[K], undefined> }>;

/** Decides what the client may give. */
export class Sharing {
  readonly #around: Surroundings;
  readonly #month: Month;
  readonly #apply: (policy: UploadPolicy) => void;
  readonly #stop = new AbortController();
  #terms: Agreed;
  /** Bytes served before the worker that runs now, and by it. */
  #before = 0;
  #served = 0;
  /** Slices of the running month: what may be served altogether by them, counted as `given` counts. */
  #leased = 0;
  #leasedMonth: string;
  #isTaking = false;
  /** Whether a client runs that gives. */
  #runs = false;
  /** What the newest client starts with, after a crash, too; and what the one that runs was told last. */
  #first: string;
  #applied: string;

  /** `apply` hands the client a policy. */
  constructor(terms: UploadTerms, around: Surroundings, apply: (policy: UploadPolicy) => void) {
    this.#terms = agreed(terms);
    this.#around = around;
    this.#apply = apply;
    this.#month = new Month(around);
    this.#leasedMonth = this.#month.name;
    this.#first = this.#applied = JSON.stringify(this.policy);
    around.watch(() => this.#renew(), this.#stop.signal);
  }

  /** What the client may give now. Before anything was taken of the month that is nothing, if the month has a cap. */
  get policy(): UploadPolicy {
    const { rate, total, monthly } = this.#terms;
    const caps = [total === null ? null : Math.max(0, total - this.#before), monthly === null ? null : this.#leased - this.#before];
    const least = caps.filter((cap) => cap !== null);
    return {
      isEnabled: this.#blocked() === 'agreed',
      rate,
      total: least.length === 0 ? null : Math.max(0, Math.min(...least)),
    };
  }

  /** What is to be shown. */
  get view(): SharingView {
    const why = this.#blocked();
    const unused = Math.max(0, this.#leased - this.#given);
    return {
      isOn: why === 'agreed', why, sessionBytes: this.#given,
      monthBytes: Math.max(0, this.#month.taken - unused), monthly: this.#terms.monthly,
    };
  }

  /** On what terms. */
  get terms(): UploadTerms {
    return this.#terms;
  }

  /** Returns what a client is made with, and each that takes its place after a crash. */
  start(): UploadPolicy {
    const { policy } = this;
    this.#first = JSON.stringify(policy);
    return policy;
  }

  /** A client runs, the first or one after a crash, and counts from nothing: from now on it is told. */
  begin(): void {
    this.#runs = true;
    this.#before += this.#served;
    this.#served = 0;
    this.#applied = this.#first;
    this.#renew();
  }

  /** No client runs here: what was taken of the month is put back. */
  rest(): void {
    this.#runs = false;
    this.#putBack();
  }

  /** The listener agreed to something else. */
  agree(terms: UploadTerms): void {
    this.#terms = agreed(terms);
    this.#putBack(); // It was taken under another cap.
    this.#renew();
  }

  /** The client has served so many bytes since it started. */
  served(bytes: number): void {
    this.#served = bytes;
    this.#renew();
  }

  /** Puts back what was taken and not given. */
  close(): void {
    this.#stop.abort();
    this.#putBack();
  }

  get #given(): number {
    return this.#before + this.#served;
  }

  #blocked(): SharingReason {
    const { isEnabled, total, monthly, whileMetered, whileOnBattery } = this.#terms;
    if (!isEnabled) return 'declined';
    if (!whileMetered && this.#around.isMetered()) return 'metered';
    if (!whileOnBattery && this.#around.isOnBattery()) return 'battery';
    const isSpent = (cap: number): boolean => cap - this.#given < CHUNK;
    return (total !== null && isSpent(total)) || (monthly !== null && isSpent(this.#leased)) ? 'spent' : 'agreed';
  }

  #renew(): void {
    if (this.#stop.signal.aborted || !this.#runs) return;
    if (this.#leasedMonth !== this.#month.name) {
      // What was taken of the month before is not this month's.
      this.#leasedMonth = this.#month.name;
      this.#leased = this.#given;
    }
    if (this.#leased - this.#given < LOW && this.#terms.isEnabled) this.#take().catch(() => {}); // A page that goes away gets no lock.
    const { policy } = this;
    const told = JSON.stringify(policy);
    if (told === this.#applied) return;
    this.#applied = told;
    this.#apply(policy);
  }

  #putBack(): void {
    const unused = this.#leased - this.#given;
    if (unused > 0) this.#month.putBack(unused, this.#leasedMonth).catch(() => {}); // Then it counts as given.
    this.#leased = Math.min(this.#leased, this.#given);
  }

  async #take(): Promise<void> {
    if (this.#isTaking) return;
    this.#isTaking = true;
    const terms = this.#terms;
    const { bytes, month } = await this.#month.take(SLICE, terms.monthly ?? Infinity)
      .finally(() => (this.#isTaking = false));
    if (month === this.#leasedMonth && terms === this.#terms && !this.#stop.signal.aborted) {
      this.#leased += bytes;
      if (bytes > 0) this.#renew();
    } else {
      await this.#month.putBack(bytes, month);
      this.#renew();
    }
  }
}

function agreed(terms: UploadTerms): Agreed {
  for (const name of ['rate', 'total', 'monthly'] as const) {
    const value = terms[name] ?? 0;
    if (!Number.isSafeInteger(value) || value < 0) throw new AntiphonError('options/invalid', `upload.${name} is not a count of bytes`);
  }
  const { isEnabled = true, rate = null, total = null, monthly = null, whileMetered = false, whileOnBattery = true } = terms;
  return { isEnabled, rate, total, monthly, whileMetered, whileOnBattery };
}
