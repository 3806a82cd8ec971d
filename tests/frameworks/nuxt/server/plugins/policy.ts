// Nuxt writes scripts into its pages: the policy has the hash of each.
import { createHash } from 'node:crypto';

export default defineNitroPlugin((nitro) => {
  const policy = process.env.POLICY;
  if (policy === undefined) return;
  nitro.hooks.hook('render:response', (response) => {
    const scripts = [...String(response.body).matchAll(/<script(?![^>]* src=)[^>]*>([^]*?)<\/script>/g)];
    const hashes = scripts.map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
    response.headers = { ...response.headers, 'content-security-policy': policy.replace("script-src 'self'", `script-src 'self' ${hashes.join(' ')}`) };
  });
});
