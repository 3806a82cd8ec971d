import { createHeliosProvider } from '@a16z/helios';

// Its wasm has to run to say that there is no such network.
export const boot = async () => {
  const options = { network: 'nowhere', executionRpc: 'http://127.0.0.1:1024/', consensusRpc: 'http://127.0.0.1:1024/' };
  const refused = await createHeliosProvider(options, 'ethereum').catch((error) => error);
  if (refused instanceof TypeError || !/network/i.test(String(refused))) throw refused;
};
