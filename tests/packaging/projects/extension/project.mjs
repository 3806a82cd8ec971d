// A page of an extension (Manifest V3), made by esbuild: its policy is the strictest that lets wasm run.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { cp, writeFile } from 'node:fs/promises';
import * as esbuild from '../esbuild/project.mjs';

/** @param {string} root @param {string} sample @param {string} config */
export async function make(root, sample, config) {
  const { folder } = await esbuild.make(root);
  await cp(sample, `${folder}/sample`, { recursive: true });
  await writeFile(`${folder}/config.json`, config);
  // An extension is called after its key.
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' });
  const manifest = {
    manifest_version: 3, name: 'Antiphon', version: '1', key: key.toString('base64'),
    host_permissions: ['http://127.0.0.1/*'],
    content_security_policy: { extension_pages: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; object-src 'none'" },
  };
  await writeFile(`${folder}/manifest.json`, JSON.stringify(manifest));
  const digest = createHash('sha256').update(key).digest('hex').slice(0, 32);
  const name = digest.replace(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 16)));
  return { folder, url: `chrome-extension://${name}/index.html` };
}
