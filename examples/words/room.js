// A payment field of those who are in one room.

import { readAmount } from 'antiphon';
import { until } from './wallet.js';

/** Enters, and returns how many others are there. */
export async function enter(client, name) {
  await client.enterRoom(name);
  return until(client, ({ around }) => around.length);
}

export function propose(client, deposit) {
  return client.proposeField(client.snapshot().around.map(({ peer }) => peer), readAmount(deposit));
}

const fieldIn = (client, phase) => until(client, ({ fields }) => fields.find((field) => field.phase === phase));

export async function accept(client) {
  await client.acceptField((await fieldIn(client, 'invited')).field);
}

/** Pays somebody else in the field, once a key. */
export async function pay(client, key, amount) {
  const { field, members } = await fieldIn(client, 'open');
  const me = client.snapshot().wallet.address;
  const other = members.find(({ address }) => address !== me).address;
  return client.once(key).payMember(field, other, readAmount(amount));
}
