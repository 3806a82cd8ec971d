/** Gifts, as an application sees them. Mirrors `core/src/payment/gift/view.rs`. */

/**
 * How far a gift is. Given: `asked`, then `reserved` on the chain, then `sure`: the payee says that it has it. Received: `offered`,
 * then `sure`: what is stored here can only be paid. Both: `settled`, `final`; or `lapsed`: it was not taken in time, and `returned`.
 * `void`: given, and never reserved until its end, so that nothing was locked.
 */
export type GiftStage = 'asked' | 'offered' | 'reserved' | 'sure' | 'settled' | 'final' | 'lapsed' | 'returned' | 'void';

/** What is reserved for one payee alone. */
export interface GiftView {
  /** Id in hexadecimal of the pool that holds it. */
  readonly pool: string;
  /** Whether this client gives it. */
  readonly isGiven: boolean;
  /** Address of the other one. */
  readonly other: string;
  readonly amount: bigint;
  /** What for, as the giver says; empty until the chain has shown it. */
  readonly purpose: string;
  readonly stage: GiftStage;
  /** Last block in which it can be taken; `null` until the chain has shown it. */
  readonly end: number | null;
  /** Why it was not reserved, in one stable code. */
  readonly refusal: string | null;
}
