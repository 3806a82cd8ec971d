/** What the node says and nobody can prove: shown apart, and named so. */

/** Hints of a node. */
export interface Hints {
  /** Transactions that wait for a block. */
  readonly waiting: number;
  /** The epoch that the node is in. */
  readonly epoch: number;
}

/** Longest answer that is read. Chosen here: a hint is a few numbers. */
const MAX_ANSWER = 16 << 10;
/** How long a hint is worth waiting for. */
const PATIENCE_MS = 4_000;

/** Asks the node how it is; `null` if it does not say. */
export async function hints(node: string): Promise<Hints | null> {
  const status = await call(node, 'antiphon_status', []);
  const count = (name: string): number | null => {
    const value: unknown = typeof status === 'object' && status !== null ? Reflect.get(status, name) : null;
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
  };
  const [waiting, epoch] = [count('waiting'), count('epoch')];
  return waiting === null || epoch === null ? null : { waiting, epoch };
}

/** Asks the node in which block a transaction is. That it is there must be proven by the block. */
export async function blockOf(node: string, transaction: string): Promise<number | null> {
  const found = await call(node, 'antiphon_tx', [transaction]);
  const height: unknown = typeof found === 'object' && found !== null ? Reflect.get(found, 'height') : null;
  return typeof height === 'number' && Number.isSafeInteger(height) && height > 0 ? height : null;
}

async function call(node: string, method: string, params: string[]): Promise<unknown> {
  try {
    const response = await fetch(`${node.replace(/\/+$/, '')}/rpc`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, credentials: 'omit', cache: 'no-store',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }), signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer: unknown = JSON.parse(await short(response));
    return typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'result') : null;
  } catch {
    return null;
  }
}

/** Reads a body and gives up as soon as it is longer than a hint may be. */
async function short(response: Response): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    text += part.value;
    if (text.length > MAX_ANSWER) {
      await reader?.cancel();
      throw new Error('longer than a hint');
    }
  }
  return text;
}
