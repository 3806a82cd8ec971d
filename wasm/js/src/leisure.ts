/**
 * hls.js looks ten times a second, in two loops, whether there is something to do, which is much of what a page costs that plays. What
 * happens wakes both anyhow. So they look at leisure while there is sound, and as often as ever before it and where it stops.
 */

import type { HlsConfig, TaskLoop } from 'hls.js';

/** How often they look while there is sound, in milliseconds. Chosen here: a segment that plays next has been there for longer. */
const LEISURE_MS = 500;

type Loop = abstract new (...given: any[]) => TaskLoop;

/** What to spread into the configuration of hls.js. */
export function leisurely(
  { streamController, gapController }: HlsConfig, media: HTMLMediaElement, signal: AbortSignal,
): Pick<HlsConfig, 'streamController' | 'gapController'> {
  return {
    streamController: slowed(streamController, media, signal),
    ...(gapController && { gapController: slowed(gapController, media, signal) }),
  };
}

function slowed<L extends Loop>(Base: L, media: HTMLMediaElement, signal: AbortSignal): L {
  abstract class Slowed extends Base {
    #isFollowing = false;

    override setInterval(ms: number): boolean {
      if (!this.#isFollowing) {
        this.#isFollowing = true;
        for (const [event, every] of [['playing', LEISURE_MS], ['waiting', ms], ['seeking', ms]] as const) {
          media.addEventListener(event, () => void (this.clearInterval() && super.setInterval(every)), { signal });
        }
      }
      return super.setInterval(ms);
    }
  }
  return Slowed;
}
