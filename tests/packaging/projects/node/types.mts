import Hls from 'hls.js';
import { connect, type Antiphon, type AntiphonError, type AntiphonEvent, type WasmSource } from 'antiphon';
import { CODES, explain } from 'antiphon/codes';
import { antiphonLoaders } from 'antiphon/hls';
import { inline } from 'antiphon/inline';
import { definePlayer, type AntiphonPlayer } from 'antiphon/player';
import { checkProof } from 'antiphon/verify';
import { antiphon as plugin } from 'antiphon/vite';
import wasm from 'antiphon/wasm';
import hashes from 'antiphon/integrity.json' with { type: 'json' };

export async function program(signal: AbortSignal, made: Worker, module: WebAssembly.Module): Promise<bigint> {
  const sources: WasmSource[] = [wasm, new URL('https://a'), new Response(), new Uint8Array(), new ArrayBuffer(0), module, fetch('/a.wasm')];
  await using antiphon: Antiphon = await connect({ node: 'https://n', chain: '00', signal, ...(await inline()) });
  await using other = await connect({ node: 'https://n', chain: '00', worker: made, wasm: sources[0], integrity: hashes['antiphon_bg.wasm'] });
  for await (const event of antiphon.events({ signal })) tell(event);
  const hls = new Hls(antiphonLoaders({ client: () => other, plain: Hls.DefaultConfig.loader, media: () => null }));
  hls.destroy();
  const { amount } = await checkProof(antiphon, new Blob(), { signal });
  const player: AntiphonPlayer = document.createElement('antiphon-player');
  player.iceServers = [];
  definePlayer();
  plugin();
  const { proven } = await antiphon.findBlock(1, { signal });
  const level: 'included' | 'settled' | 'final' = proven.level;
  void level;
  const texts: string[] = CODES.flatMap((code) => explain(code)?.help ?? []);
  void texts;
  return amount;
}

function tell(event: AntiphonEvent): void {
  switch (event.type) {
    case 'fatal': return void (event.error satisfies AntiphonError).code;
    case 'lagged': return void event.count.toFixed();
    default: return;
  }
}
