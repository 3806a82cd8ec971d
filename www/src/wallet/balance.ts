/** What is there, and where it can be sent to. */

import { formatAmount, type Antiphon, type Snapshot } from 'antiphon';
import encodeQR from 'qr';
import { h, s } from '../explorer/node.js';
import { fill, mark, say } from '../page.js';
import { reason } from '../words.js';
import { grouped } from './amount.js';
import { button, folio } from './folio.js';

/** Characters of an address that are read in one breath. Chosen here. */
const GROUP = 5;

/** The balance with what proves it, and the address. */
export class Balance {
  readonly element: HTMLElement;
  readonly #client: () => Antiphon | null;
  readonly #tell: (text: string) => void;
  readonly #sum = h('strong', { 'data-testid': 'wallet-balance', 'data-units': '' }, '–');
  readonly #level = h('a', { class: 'level', href: '#/chain', 'data-testid': 'wallet-level' }, 'not proven yet');
  readonly #code = h('div', { class: 'qr' });
  readonly #address = h('p', { class: 'groups', 'data-testid': 'wallet-address' }, '–');

  constructor(client: () => Antiphon | null, tell: (text: string) => void) {
    this.#client = client;
    this.#tell = tell;
    this.element = folio('money', 'Yours', 'What the chain is proven to hold for this account.',
      h('p', { class: 'sum' }, this.#sum, ' ', h('span', { class: 'unit' }, 'Tansen'), this.#level),
      h('h4', {}, 'To be paid'),
      h('div', { class: 'receive' }, this.#code, h('div', {}, this.#address,
        h('div', { class: 'acts' },
          button('Copy', 'wallet-copy', true, () => void this.#copy()),
          button('Ask the faucet', 'wallet-faucet', true, () => void this.#faucet())))));
  }

  /** Shows what the client says. */
  update({ wallet }: Snapshot): void {
    const { address, account } = wallet;
    const proven = account?.balance ?? null;
    const final = account?.finalBalance ?? null;
    say(this.#sum, proven === null ? '–' : grouped(formatAmount(proven.value)));
    mark(this.#sum, 'units', proven?.value.toString() ?? '');
    mark(this.#level, 'level', proven?.level ?? '');
    this.#level.href = address === null ? '#/chain' : `#/account/${address}`;
    const isOlder = final !== null && proven !== null && final.value !== proven.value;
    say(this.#level, proven === null ? 'not proven yet' : `${proven.level} at block ${proven.height.toLocaleString('en')}${isOlder ? `, ${formatAmount(final.value)} is final` : ''}`);
    if (address === null) return;
    mark(this.#address, 'address', address);
    fill(this.#address, address, () => groups(address).map((group) => h('span', {}, group)));
    fill(this.#code, address, () => [drawn(address)]);
  }

  async #copy(): Promise<void> {
    const address = this.#client()?.snapshot().wallet.address;
    if (!address) return;
    try {
      await navigator.clipboard.writeText(address);
      this.#tell('Address copied.');
    } catch {
      this.#tell('This browser does not let us copy; select the address instead.');
    }
  }

  async #faucet(): Promise<void> {
    try {
      await this.#client()?.askFaucet();
      this.#tell('Asked the faucet.');
    } catch (error) {
      this.#tell(reason(error));
    }
  }
}

/** The characters of an address in groups. */
function groups(address: string): string[] {
  return address.match(new RegExp(`.{1,${GROUP}}`, 'g')) ?? [];
}

/** The address as a code for a camera: always dark on light, as cameras expect. */
function drawn(address: string): SVGElement {
  const rows = encodeQR(address, 'raw', { ecc: 'medium', border: 3 });
  const path = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return s('svg', { viewBox: `0 0 ${rows.length} ${rows.length}`, role: 'img', 'aria-label': 'The address as a QR code' }, s('path', { d: path }));
}
