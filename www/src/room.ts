/** A room: pages that share a payment field, pay each other in bursts, and close it. Loaded when somebody first looks. */

import { AntiphonError, formatAmount, parseAmount, type Antiphon, type Snapshot } from 'antiphon';
import { FieldCard } from './room/card.js';
import { Judge } from './room/judge.js';
import { short } from './format.js';
import { byId, byTest, fill, make, mark, parts, say } from './page.js';
import { reason, words } from './words.js';

/** The view below `#/room`; its name, if it has one, is in the address, so that a link invites. */
export class Room {
  readonly #client: () => Antiphon | null;
  readonly #said = byId('room-said');
  readonly #around = byId('around');
  readonly #deposit = byId<HTMLInputElement>('field-deposit');
  readonly #propose = byId<HTMLButtonElement>('propose');
  readonly #faucet = byId<HTMLButtonElement>('room-faucet');
  readonly #name = byId<HTMLInputElement>('room-name');
  readonly #cards = new Map<string, FieldCard>();
  /** Who is not to be invited, by key. */
  readonly #left = new Set<string>();
  #entered = '';

  constructor(client: () => Antiphon | null) {
    this.#client = client;
    new Judge(client);
    byId('enter').addEventListener('submit', (event) => {
      event.preventDefault();
      location.hash = `#/room/${encodeURIComponent(this.#name.value.trim())}`;
    });
    this.#faucet.addEventListener('click', () => this.#act('Asked the faucet.', (antiphon) => antiphon.askFaucet()));
    this.#propose.addEventListener('click', () => this.#invite());
    this.#around.addEventListener('change', ({ target }) => {
      if (!(target instanceof HTMLInputElement)) return;
      if (target.checked) this.#left.delete(target.value);
      else this.#left.add(target.value);
    });
  }

  /** Enters the room that the address names. */
  enter(): void {
    const name = parts(location.hash)[1] ?? '';
    const antiphon = this.#client();
    if (name === '' || name === this.#entered || antiphon === null || antiphon.snapshot().stream !== null) return;
    this.#entered = name;
    this.#name.value = name;
    this.#act(`You are in ${name}. Send its address to whom you want to meet.`, async (client) => {
      try {
        await client.enterRoom(name);
      } catch (error) {
        // Not ready yet: again at the next change. What is refused for good is said once.
        if (error instanceof AntiphonError && error.retryable) this.leave();
        throw error;
      }
    });
  }

  /** The client knows of no room any more: it is entered again at the next change. */
  leave(): void {
    this.#entered = '';
  }

  /** Shows what the client says. */
  update(snapshot: Snapshot): void {
    this.enter();
    if (snapshot.stream !== null) say(byId('room-lead'), 'Everybody who listens to this stream is in the room.');
    const { account } = snapshot.wallet;
    say(byTest('room-balance'), account === null ? '–' : formatAmount(account.balance.value));
    const final = account?.finalBalance ?? null;
    const proven = byTest('room-final');
    mark(proven, 'units', String(final?.value ?? ''));
    mark(proven, 'level', final === null ? '' : 'final');
    say(proven, final === null ? 'not final yet' : `${formatAmount(final.value)} final at block ${final.height}`);
    this.#propose.disabled = account === null || snapshot.around.length === 0;
    fill(this.#around, snapshot.around.map(({ peer, isLinked }) => `${peer}${isLinked}`).join(), () =>
      snapshot.around.map(({ peer, address, isLinked }) => this.#listed(peer, address, isLinked)));
    byId('alone').hidden = snapshot.around.length > 0;
    this.#showFields(snapshot);
  }

  #listed(peer: string, address: string, isLinked: boolean): HTMLElement {
    const item = make('li', '', { peer });
    const label = make('label', '');
    const box = make('input', '');
    box.type = 'checkbox';
    box.value = peer;
    box.checked = !this.#left.has(peer);
    label.append(box, make('code', short(address, 8)), make('small', isLinked ? 'by channel' : 'by relay'));
    item.append(label);
    return item;
  }

  #showFields({ around, fields, wallet }: Snapshot): void {
    const shown = new Set(fields.map(({ field }) => field));
    for (const [id, card] of this.#cards) {
      if (shown.has(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    for (const view of fields) {
      let card = this.#cards.get(view.field);
      if (card === undefined) {
        card = new FieldCard(view.field, (done, command) => this.#act(done, command));
        this.#cards.set(view.field, card);
        byId('fields').prepend(card.element);
      }
      card.update(view, wallet.address ?? '', around);
    }
  }

  #invite(): void {
    const deposit = parseAmount(this.#deposit.value.trim());
    if (deposit === null) return say(this.#said, words('amount/not-decimal'));
    const boxes = [...this.#around.querySelectorAll<HTMLInputElement>('input:checked')];
    const others = boxes.map((box) => box.value);
    if (others.length === 0) return say(this.#said, 'Choose at least one to share it with.');
    this.#act(`Invited ${others.length} to a field of ${formatAmount(deposit)} each.`, (antiphon) => antiphon.proposeField(others, deposit));
  }

  #act(done: string, command: (antiphon: Antiphon) => Promise<void>): void {
    const antiphon = this.#client();
    if (antiphon === null) return;
    command(antiphon).then(
      () => say(this.#said, done),
      (error: unknown) => say(this.#said, reason(error)),
    );
  }
}
