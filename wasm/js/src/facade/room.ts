/** Rooms, and payment fields of those who meet there. */

import type { Exhibit } from '../field.js';
import { mustBeCount, mustBeHex, mustFit } from './check.js';
import type { Abortable } from './options.js';
import { MoneyCalls } from './money.js';

/** Longest name of a room, in bytes. Source: `core/src/client/room.rs`. */
const MAX_ROOM_NAME = 64;
/** Rounds and places are counted in 32 bits. */
const MAX_PLACE = 0xffff_ffff;

type FieldAct = 'acceptField' | 'declineField' | 'closeField' | 'leaveField' | 'forgetField';

/** A client, as a room sees it. */
export abstract class RoomCalls extends MoneyCalls {
  /** Meets whoever else enters the room of this name; needs a `tracker`. Listeners of a stream have met already. */
  async enterRoom(name: string, options?: Abortable): Promise<void> {
    mustFit('name', name, MAX_ROOM_NAME);
    return this.client.command({ kind: 'enterRoom', name }, options?.signal);
  }

  /** Leaves the room. Fields go on. */
  leaveRoom(options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'leaveRoom' }, options?.signal);
  }

  /**
   * Invites others, by key (`snapshot().around`), to a payment field in which each locks `deposit`. This client leads it. A stale
   * close can be disputed for `dispute` blocks, the chain's least by default. Watch `snapshot().fields`.
   */
  async proposeField(others: readonly string[], deposit: bigint, dispute?: number, options?: Abortable): Promise<void> {
    for (const key of others) mustBeHex('key', key);
    return this.client.command({ kind: 'proposeField', others, deposit, dispute: dispute ?? null }, options?.signal);
  }

  /**
   * Signs the terms of an invitation, or the next version of a field (`amendment` of `snapshot().fields`): the deposit may be locked from
   * now on.
   */
  acceptField(field: string, options?: Abortable): Promise<void> {
    return this.#fieldCommand('acceptField', field, options);
  }

  /** Forgets an invitation. */
  declineField(field: string, options?: Abortable): Promise<void> {
    return this.#fieldCommand('declineField', field, options);
  }

  /** Pays a member of a field. It is money once `snapshot().fields` shows it committed. */
  async payMember(field: string, payee: string, amount: bigint, options?: Abortable): Promise<void> {
    mustBeHex('field', field);
    return this.client.command({ kind: 'payMember', field, payee, amount }, options?.signal);
  }

  /**
   * Asks all members of a field that this client leads to let somebody in, by key (`snapshot().around`), who locks `deposit`. Who joins
   * and who is in already `acceptField()`. Payments wait until all have, or until the last block that may begin the new version.
   */
  async admitMember(field: string, key: string, deposit: bigint, options?: Abortable): Promise<void> {
    mustBeHex('field', field);
    mustBeHex('key', key);
    return this.client.command({ kind: 'admitMember', field, key, deposit }, options?.signal);
  }

  /**
   * Leaves a field of three or more with what this client has in it: the chain pays that when its phase is `left`, and the others go on.
   * Their clients agree by themselves; only who comes to lead is asked, for it locks a bond.
   */
  leaveField(field: string, options?: Abortable): Promise<void> {
    return this.#fieldCommand('leaveField', field, options);
  }

  /** Closes a field: at once if every member signs, alone if one is silent. */
  closeField(field: string, options?: Abortable): Promise<void> {
    return this.#fieldCommand('closeField', field, options);
  }

  /** Removes what is kept of a field that is over. */
  forgetField(field: string, options?: Abortable): Promise<void> {
    return this.#fieldCommand('forgetField', field, options);
  }

  /**
   * Proves one payment of a closed field: `round` and `index` as `snapshot().fields` shows them. The file shows who paid whom how
   * much, under which block, and nothing else of the field.
   */
  async provePayment(field: string, round: number, index: number, options?: Abortable): Promise<Exhibit> {
    mustBeHex('field', field);
    for (const place of [round, index]) mustBeCount('place of a payment', place, MAX_PLACE);
    return this.client.prove({ field, round, index }, options?.signal);
  }

  /** The newest state of a field that all members have signed, as a file of evidence; `null` while there is none. */
  async fieldEvidence(field: string, options?: Abortable): Promise<Blob | null> {
    mustBeHex('field', field);
    return this.file(() => this.client.evidence(field, options?.signal), 'field/nothing-sealed');
  }

  async #fieldCommand(kind: FieldAct, field: string, options: Abortable | undefined): Promise<void> {
    mustBeHex('field', field);
    await this.client.command({ kind, field }, options?.signal);
  }
}
