/**
 * The module worker that holds the client: wasm, storage, sockets and timers live here, off the page.
 *
 * Anything that escapes is a crash: it is told to the page in one `fatal` message, and the page starts a new worker.
 */

import { AntiphonError } from './error.js';
import type { Start, ToPage, ToWorker } from './message.js';
import { codeOf, type Carried } from './wasm.js';
import { Host } from './worker/host.js';
import { openDisk } from './worker/keys.js';
import { loadClient } from './worker/load.js';
import { openStorage } from './worker/storage.js';
import { Teller } from './worker/teller.js';

let host: Host | null = null;
let teller: Teller | null = null;
/** Messages held while the client loads. Chosen here: a page that asks more than this is broken. */
const MAX_EARLY = 1024;

let early: ToWorker[] = [];
let give: (wasm: Carried) => void = () => {};
const brought = new Promise<Carried>((resolve) => {
  give = resolve;
});

function post(message: ToPage, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

function die(error: unknown): void {
  const code = error instanceof AntiphonError ? error.code : (codeOf(error) ?? 'client/panicked');
  const message = error instanceof Error ? error.message : String(error);
  post({ type: 'fatal', code, message: message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message });
  self.close?.();
}

async function begin(start: Start): Promise<void> {
  const [wasm, disk] = await Promise.all([brought.then((given) => loadClient(given, start.integrity)), openDisk(start.storage)]);
  const storage = await openStorage(wasm, disk, start);
  const client = new wasm.WasmClient({
    secret: storage.secret,
    seed: crypto.getRandomValues(new Uint8Array(32)),
    chain: start.chain,
    checkpoint: start.checkpoint,
    node: start.node,
    witness: start.witness,
    publisher: start.publisher,
    tracker: start.tracker,
    hasTower: start.tower !== null,
    cacheBytes: start.cacheBytes,
    maxPeers: start.maxPeers,
    upload: start.upload,
  });
  const entries = await storage.load();
  const made = new Host(client, storage, start, post);
  host = made;
  teller = new Teller(wasm, client, storage, post, () => made.close());
  post({ type: 'ready', account: storage.account, isStored: storage.isStored });
  host.feed({ kind: 'loaded', entries });
  const waiting = early;
  early = [];
  for (const message of waiting) take(host, message);
}

function take(to: Host, message: ToWorker): void {
  switch (message.type) {
    case 'start': case 'wasm': return;
    case 'command': return to.command(message.id, message.command);
    case 'playlist': return to.feed({ kind: 'playlist', id: message.id, url: message.url, text: message.text });
    case 'check': return to.feed({ kind: 'check', id: message.id, sequence: message.sequence, body: new Uint8Array(message.body) });
    case 'want': return to.feed({ kind: 'want', id: message.id, sequence: message.sequence, bufferedMs: message.bufferedMs });
    case 'unwant': return to.feed({ kind: 'unwant', id: message.id });
    case 'lookUp': return to.ask({ kind: 'lookUp', id: message.id, ...message.question });
    case 'prove': return to.ask({ kind: 'prove', id: message.id, ...message.payment });
    case 'forkProof': return to.forkProof(message.id);
    case 'evidence': return to.evidence(message.id, message.field);
    case 'wallet': return void teller?.ask(message.id, message.act);
    case 'signIn': return to.signIn(message.id, message.nonce, message.expires);
    case 'begin': return to.ask({ kind: 'begin', id: message.id, key: message.key, command: message.command });
    case 'call': return to.ask({ kind: 'call', id: message.id, key: message.key });
    case 'calls': case 'nextEvent': return to.ask({ kind: message.type, id: message.id });
    case 'handled': return to.ask({ kind: 'handled', id: message.id, event: message.event });
    case 'wake': return to.feed({ kind: 'tick' });
    case 'described': return to.links.described(message.link, message.sdp);
    case 'candidates': return to.links.candidates(message.link, message.lines);
    case 'channel': return to.links.attach(message.link, message.channel);
    case 'relay': return to.links.relay(message.link);
    case 'relayedMessage': return to.links.message(message.link, message.body);
    case 'relayed':
      if (message.event === 'open') to.links.opened(message.link);
      else if (message.event === 'drained') to.links.drained(message.link);
      else to.links.closed(message.link);
      return;
    case 'stop':
      to.close();
      post({ type: 'stopped' });
      self.close?.();
  }
}

function listen(): void {
  self.addEventListener('message', (event: MessageEvent<ToWorker>) => {
    const message = event.data;
    try {
      if (message.type === 'start') begin(message.start).catch(die);
      else if (message.type === 'wasm') give(message.wasm);
      else if (host !== null) take(host, message);
      else if (early.length < MAX_EARLY) early.push(message);
    } catch (error) {
      die(error);
    }
  });
  self.addEventListener('error', (event) => die(event.error ?? event.message));
  self.addEventListener('unhandledrejection', (event) => die(event.reason));
}

/** Who imports this on a server or in a page wants its address, not what it does. Bun's workers have no name for what they are. */
function isWorker(): boolean {
  const bun: { isMainThread?: boolean } | undefined = Reflect.get(globalThis, 'Bun');
  return 'WorkerGlobalScope' in globalThis || bun?.isMainThread === false;
}

if (isWorker()) listen();
