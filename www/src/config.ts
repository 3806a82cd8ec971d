/** What the page plays: `/config.json`, written by `antiphon site`. */

/** The configuration. */
export interface Config {
  readonly stream: string;
  readonly publisher: string;
  readonly node: string;
  /** Another operator's node, with which every final checkpoint is compared. */
  readonly witness: string;
  readonly chain: string;
  readonly tracker: string;
  /** A node that watches payment fields when their members are gone. */
  readonly tower: string;
}

/** Loads it; fields that are missing are empty, and the player then plays over plain HTTP. */
export async function loadConfig(): Promise<Config> {
  // As index.html preloads it; the server says that nobody keeps it.
  const response = await fetch('config.json');
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  const json: unknown = await response.json();
  const text = (name: string): string => {
    if (typeof json !== 'object' || json === null) return '';
    const value: unknown = Reflect.get(json, name);
    return typeof value === 'string' ? value : '';
  };
  return {
    stream: text('stream'), publisher: text('publisher'), node: text('node'), witness: text('witness'), chain: text('chain'), tracker: text('tracker'), tower: text('tower'),
  };
}
