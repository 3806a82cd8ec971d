/** What an application asks of the wallet of this browser, and what it is told. */

/** The wallet of this browser: one for all tabs and chains of an origin. */
export interface WalletInfo {
  /** Whether its words were written down; until then they can be shown, afterwards they are nowhere here. */
  readonly isWrittenDown: boolean;
  /** Which account this client has. */
  readonly account: number;
  /** Addresses of the accounts that were opened here, and of the next; account `n` is at place `n`. */
  readonly addresses: readonly string[];
}

/** What is asked of it. */
export type WalletAct =
  | { kind: 'show' }
  | { kind: 'words' }
  | { kind: 'writtenDown'; text: string }
  | { kind: 'restore'; text: string; forget: boolean }
  | { kind: 'use'; account: number }
  | { kind: 'check'; address: string }
  | { kind: 'backup'; notes: Uint8Array }
  | { kind: 'takeBackup'; file: Uint8Array };

/** The answers, of the kind that belongs to what is asked. */
export type WalletAnswer = WalletInfo | string | Uint8Array | null;

/** Whether another client takes over after it: of another account, or as another device. */
export function isChange({ kind }: WalletAct): boolean {
  return kind === 'restore' || kind === 'use' || kind === 'takeBackup';
}
