/** What is asked of the chain: each answer is proven here. */

import type { Question } from '../border.js';
import { AntiphonError } from '../error.js';
import type { AccountFound, BlockFound, CheckpointFound, FieldFound, Found, HeaderFound, OwnPoolsFound, PoolFound, StakersFound } from '../found.js';
import type { Level } from '../snapshot.js';
import { mustBeCount, mustBeHex } from './check.js';
import { MediaCalls } from './media.js';
import type { Abortable } from './options.js';

/** A client, as an explorer sees it. */
export abstract class ChainCalls extends MediaCalls {
  /** The block at a height: header, who signed it, its transactions. */
  async findBlock(height: number, options?: Abortable): Promise<BlockFound> {
    mustBeCount('height', height);
    return this.#find({ question: 'block', height }, options);
  }

  /** Headers from a height down to the checkpoint below it, the highest first. */
  async findBlocks(height: number, options?: Abortable): Promise<readonly HeaderFound[]> {
    mustBeCount('height', height);
    return this.#find({ question: 'blocks', height }, options);
  }

  /** The checkpoint at a height: which guardians signed it. */
  async findCheckpoint(height: number, options?: Abortable): Promise<CheckpointFound> {
    mustBeCount('height', height);
    return this.#find({ question: 'checkpoint', height }, options);
  }

  /** An account and its bonds under the newest head believed at least to `level`. */
  findAccount(address: string, level: Level = 'settled', options?: Abortable): Promise<AccountFound> {
    return this.#find({ question: 'account', address, level }, options);
  }

  /** A pool by its id, 64 hexadecimal digits, under the newest head believed at least to `level`. */
  async findPool(pool: string, level: Level = 'settled', options?: Abortable): Promise<PoolFound> {
    mustBeHex('pool', pool);
    return this.#find({ question: 'pool', pool, level }, options);
  }

  /**
   * Looks for pools that this account has opened on a device whose rows are lost, as after a restore from words alone: blocks are read from the
   * newest settled one down, until as many transactions were seen as the account is proven to have sent. Those that hold money are
   * locked here from then on, frozen (A5.13); `release()` takes back what is left in time. Rejects with `lookup/busy` while another search runs.
   */
  findOwnPools(options?: Abortable): Promise<OwnPoolsFound> {
    return this.#find({ question: 'ownPools' }, options);
  }

  /** A payment field by its id, 64 hexadecimal digits, under the newest head believed at least to `level`. */
  async findField(field: string, level: Level = 'settled', options?: Abortable): Promise<FieldFound> {
    mustBeHex('field', field);
    return this.#find({ question: 'field', field, level }, options);
  }

  /** Everybody who stakes under the newest head believed at least to `level`. */
  findStakers(level: Level = 'settled', options?: Abortable): Promise<StakersFound> {
    return this.#find({ question: 'stakers', level }, options);
  }

  /** The file that proves that the chain has split and who split it; `null` while there is none. */
  forkProof(options?: Abortable): Promise<Blob | null> {
    return this.file(() => this.client.forkProof(options?.signal), 'light/no-fork');
  }

  /**
   * For half a minute, heads follow the chain block by block. While nothing waits for the chain, a client looks at every eighth
   * block: a page that shows heads moving says this again and again, for as long as it does.
   */
  follow(options?: Abortable): Promise<void> {
    return this.client.command({ kind: 'follow' }, options?.signal);
  }

  /** The client answers each question with its own kind of answer. */
  async #find<T extends Found>(question: Question, options: Abortable | undefined): Promise<T> {
    return (await this.client.lookUp(question, options?.signal)) as T;
  }

  /** A file of the client's, or `null` where it says that there is none. @internal */
  protected async file(bytes: () => Promise<ArrayBuffer>, missing: string): Promise<Blob | null> {
    try {
      return new Blob([await bytes()], { type: 'application/octet-stream' });
    } catch (error) {
      if (error instanceof AntiphonError && error.code === missing) return null;
      throw error;
    }
  }
}
