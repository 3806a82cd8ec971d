// A wallet that is told one line and answers with one: the same as in Rust, Python, Kotlin and Swift (`mobile/`). In a page and in Node.

import { AntiphonError, formatAmount, readAmount } from 'antiphon';
import { backup, find, locked, take } from './keeping.js';
import { earn, listen, promise } from './listening.js';
import { accept, enter, pay, propose } from './room.js';
import { came, finalBalance, giftAt, giveUp, hearOf, reach, receive, send } from './wallet.js';

const called = async (call) => `call ${(await call).key}`;

/** What each word does, given the wallet and the words behind it. */
const COMMANDS = {
  create: async (wallet) => `address ${await wallet.create()}`,
  restore: async (wallet, ...words) => `address ${await wallet.restore(words.join(' '))}`,
  open: (wallet) => wallet.open().then(() => 'open'),
  faucet: async ({ client }) => `balance ${formatAmount(await receive(client))}`,
  balance: async ({ client }) => `final ${formatAmount(await finalBalance(client))}`,
  came: async ({ client }, from) => `came ${formatAmount(await came(client, from))}`,
  send: ({ client }, key, to, amount) => called(send(client, key, to, amount)),
  cancel: ({ client }, key, to, amount) => giveUp(client, key, to, amount).then(() => 'cancelled'),
  wait: async ({ client }, key, stage) => {
    const code = await reach(client, key, stage);
    return code === null ? `${key} ${stage}` : `${key} failed ${code}`;
  },
  events: ({ client }, key) => hearOf(client, key).then(() => `told ${key} final`),
  give: ({ client }, key, to, amount, purpose) => called(client.once(key).give(to, readAmount(amount), purpose)),
  gift: async ({ client }, stage) => {
    const { amount, purpose } = await giftAt(client, stage);
    return `gift ${formatAmount(amount)} ${purpose}`;
  },
  listen: async ({ client }, url) => `stream ${(await listen(client, url)).name}`,
  pool: ({ client }, key, deposit) => called(client.once(key).openPool(readAmount(deposit))),
  earn: ({ client }) => earn(client).then(() => 'earned'),
  promise: ({ client }) => promise(client).then(() => 'promised'),
  room: async ({ client }, name) => `around ${await enter(client, name)}`,
  propose: ({ client }, deposit) => propose(client, deposit).then(() => 'proposed'),
  accept: ({ client }) => accept(client).then(() => 'accepted'),
  pay: ({ client }, key, amount) => called(pay(client, key, amount)),
  backup: async ({ client }) => `backup ${await backup(client)}`,
  take: ({ client }, file) => take(client, file).then(() => 'taken'),
  locked: async ({ client }) => ['locked', ...locked(client)].join(' '),
  find: ({ client }) => find(client),
  release: ({ client }) => client.release().then(() => 'released'),
  suspend: ({ client }) => client.suspend().then(() => 'suspended'),
  resume: ({ client }) => client.resume().then(() => 'resumed'),
  close: ({ client }) => client.close().then(() => 'closed'),
};

export class Program {
  #wallet;

  constructor(wallet) {
    this.#wallet = wallet;
  }

  async answer(line) {
    const [name, ...words] = line.split(' ');
    try {
      return (await COMMANDS[name]?.(this.#wallet, ...words)) ?? 'unknown';
    } catch (error) {
      if (error instanceof AntiphonError) return `error ${error.code}`;
      throw error;
    }
  }

  /** Says goodbye. */
  end() {
    return this.#wallet.end();
  }
}
