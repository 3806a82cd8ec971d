import antiphon = require('antiphon');
import codes = require('antiphon/codes');
import hls = require('antiphon/hls');
import player = require('antiphon/player');
import verify = require('antiphon/verify');
import inline = require('antiphon/inline');
import vite = require('antiphon/vite');

export async function program(plain: hls.LoaderOptions['plain']): Promise<bigint> {
  const client: antiphon.Antiphon = await antiphon.connect({ node: 'https://n', chain: '00', ...(await inline.inline()) });
  hls.antiphonLoaders({ client: () => client, plain, media: () => null });
  player.definePlayer();
  vite.antiphon();
  codes.explain('pool/closed')?.help.trim();
  return (await verify.checkProof(client, new Blob())).amount;
}
