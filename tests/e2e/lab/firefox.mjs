// Real Firefox, driven by WebDriver BiDi: Playwright cannot drive the one that a distribution ships.

import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launch } from 'puppeteer-core';

/** Where Firefox lives; `FIREFOX` names another. */
const KNOWN = ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/opt/firefox/firefox'];

const PREFERENCES = {
  // What nobody hears plays by the clock; the device below takes sound as fast as it comes, so that a page would run into the live edge.
  'media.default_volume': '0.0',
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // Pages are listeners at the same time: none of them is in the background.
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'media.suspend-bkgnd-video.enabled': false,
};
/** What WebRTC needs where the only address may be loopback. */
const HOST_PREFERENCES = { 'media.peerconnection.ice.loopback': true, 'media.peerconnection.ice.obfuscate_host_addresses': false };

/** A sound device that swallows all, for pages that turn the volume up: without any, Firefox plays nothing then. */
const SILENCE = 'pcm.!default { type null }\nctl.!default { type null }\n';

/** Starts Firefox with an empty profile. */
export async function startFirefox() {
  const executablePath = process.env.FIREFOX ?? KNOWN.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error(`no Firefox at ${KNOWN.join(', ')}: run \`cargo xtask setup\` or set FIREFOX`);
  const folder = await mkdtemp(join(tmpdir(), 'antiphon-firefox-'));
  const sound = join(folder, 'asound.conf');
  await writeFile(sound, SILENCE);
  const browser = await launch({
    browser: 'firefox', executablePath, headless: true,
    env: { ...process.env, HOME: folder, ALSA_CONFIG_PATH: sound, MOZ_DISABLE_CONTENT_SANDBOX: '1' },
    extraPrefsFirefox: { ...PREFERENCES, ...(process.env.ANTIPHON_LAB === 'private' ? {} : HOST_PREFERENCES) },
  });
  const close = async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}
