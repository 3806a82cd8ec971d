// Vite with the package's plug-in.
import { pathToFileURL } from 'node:url';
import * as plain from '../vite/project.mjs';

/** @param {string} root @param {string} proxied */
export async function serve(root, proxied) {
  const { antiphon } = await import(pathToFileURL(`${root}/../node_modules/antiphon/dist/vite.js`).href);
  return plain.serve(root, proxied, [antiphon()]);
}
