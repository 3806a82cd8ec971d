/** What the listener agrees to give: asked once, kept, and shown with what became of it. */

import type { SharingReason, Snapshot, UploadTerms } from 'antiphon';
import { bytes } from './format.js';
import { byId, mark, say } from './page.js';

const KEY = 'antiphon-site/terms';
const MEGABYTE = 1_000_000;

/** Why nothing is given, to whom it concerns. */
const WHY: Readonly<Record<SharingReason, string>> = {
  agreed: 'You carry for others.',
  declined: 'You carry for nobody.',
  metered: 'You carry for nobody while your network counts bytes.',
  battery: 'You carry for nobody while you are on battery.',
  spent: 'You have given what you agreed to.',
};

/** The form. */
export class Terms {
  readonly #on = byId<HTMLInputElement>('terms-on');
  readonly #month = byId<HTMLInputElement>('terms-month');
  readonly #metered = byId<HTMLInputElement>('terms-metered');
  readonly #said = byId('sharing');

  /** `agree` hands the player what was agreed to, now and at each change. */
  constructor(agree: (terms: UploadTerms) => void) {
    this.#fill(recall());
    const change = (): void => {
      const terms = this.#read();
      this.#month.setAttribute('aria-invalid', String(terms === null));
      if (terms === null) return;
      remember(terms);
      agree(terms);
    };
    byId('terms').addEventListener('submit', (event) => event.preventDefault());
    for (const input of [this.#on, this.#month, this.#metered]) input.addEventListener('change', change);
    agree(this.#read() ?? {});
  }

  /** Shows what is given. */
  update({ sharing }: Snapshot): void {
    mark(this.#said, 'why', sharing.why);
    mark(this.#said, 'month', String(sharing.monthBytes));
    say(this.#said, `${WHY[sharing.why]} ${bytes(sharing.monthBytes)} this month.`);
  }

  /** `null` if the cap is no count of megabytes. */
  #read(): UploadTerms | null {
    const text = this.#month.value.trim();
    if (!/^\d{0,9}$/.test(text)) return null;
    const monthly = text === '' ? null : Number(text) * MEGABYTE;
    return { isEnabled: this.#on.checked, whileMetered: this.#metered.checked, monthly };
  }

  #fill({ isEnabled = true, whileMetered = false, monthly = null }: UploadTerms): void {
    this.#on.checked = isEnabled;
    this.#metered.checked = whileMetered;
    this.#month.value = monthly === null ? '' : String(Math.round(monthly / MEGABYTE));
  }
}

/** What was agreed to on an earlier visit. What cannot be read is nothing. */
function recall(): UploadTerms {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    if (typeof kept !== 'object' || kept === null) return {};
    const { isEnabled, whileMetered, monthly } = kept as Record<string, unknown>;
    return {
      ...(typeof isEnabled === 'boolean' && { isEnabled }),
      ...(typeof whileMetered === 'boolean' && { whileMetered }),
      ...(typeof monthly === 'number' && Number.isSafeInteger(monthly) && monthly >= 0 && { monthly }),
    };
  } catch {
    return {};
  }
}

function remember(terms: UploadTerms): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(terms));
  } catch {
    // A page that may not store asks again next time.
  }
}
