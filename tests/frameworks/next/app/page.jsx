import { connection } from 'next/server';
import { Radio } from './radio.jsx';
import { Trial } from './trial.jsx';

export default async function Page() {
  // A nonce is of one request: so is the page.
  await connection();
  return <><Radio src="/sample/index.m3u8" /><Trial /></>;
}
