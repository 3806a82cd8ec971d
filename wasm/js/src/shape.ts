/** What `<antiphon-player>` looks like: markup and style of its shadow tree. Colours come from custom properties. */

/** Markup. */
export const CONTROLS = `
<div part="controls" role="group" aria-label="Player">
  <button part="play" type="button" aria-label="Play" data-testid="play">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path class="go" d="M8 5.2v13.6c0 .8.9 1.3 1.6.8l9.8-6.8c.6-.4.6-1.2 0-1.6L9.6 4.4C8.9 3.9 8 4.4 8 5.2z"/><path class="stop" d="M7 5h3.4v14H7zM13.6 5H17v14h-3.4z"/></svg>
  </button>
  <button part="live" type="button" title="Jump to the live edge" data-testid="live"><i></i><span>Live</span><small part="delay" data-testid="delay">–</small></button>
  <button part="mute" type="button" aria-label="Mute" data-testid="mute">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M4 9.5v5h3.2L12 18.6V5.4L7.2 9.5z"/><path class="wave" d="M15 8.6a4.6 4.6 0 0 1 0 6.8M17.4 6a8.2 8.2 0 0 1 0 12" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"/></svg>
  </button>
  <input part="volume" type="range" min="0" max="1" step="0.01" value="1" aria-label="Volume" data-testid="volume">
  <button part="figures" type="button" aria-label="Statistics" aria-pressed="false" data-testid="figures">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M5 20v-7h3v7zM10.5 20V5h3v15zM16 20v-10h3v10z"/></svg>
  </button>
  <select part="quality" aria-label="Quality" data-testid="quality" hidden></select>
</div>
<audio preload="auto"></audio>`;

/** Style. */
export const STYLE = `
:host { display: block; --accent: var(--antiphon-accent, #c2410c); --ink: var(--antiphon-ink, currentColor);
  --paper: var(--antiphon-paper, Canvas); color: var(--ink); font: inherit; }
:host([hidden]) { display: none; }
[part~=controls] { display: flex; align-items: center; gap: .75rem; min-height: 4rem; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; display: inline-flex;
  align-items: center; justify-content: center; touch-action: manipulation; }
button:focus-visible, input:focus-visible, select:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
svg { fill: currentColor; width: 1.6rem; height: 1.6rem; display: block; }
[part~=play] { flex: none; width: 4rem; height: 4rem; border-radius: 50%; background: var(--accent);
  color: var(--antiphon-on-accent, #fff); transition: transform .15s; }
[part~=play] svg { width: 2.1rem; height: 2.1rem; }
[part~=play]:active { transform: scale(.95); }
[part~=play] .stop, [part~=play][data-running=true] .go { display: none; }
[part~=play][data-running=true] .stop { display: inline; }
[part~=live] { gap: .5rem; height: 2.75rem; padding: 0 .9rem; border-radius: 1.4rem;
  border: 1px solid color-mix(in srgb, currentColor 28%, transparent); white-space: nowrap; }
[part~=live] i { width: .55rem; height: .55rem; border-radius: 50%; background: currentColor; opacity: .45; }
[part~=live][data-live=true] i { background: var(--accent); opacity: 1; }
[part~=live] small { font-size: .85em; min-width: 6.6em; text-align: left; font-variant-numeric: tabular-nums; opacity: .8; }
[part~=quality] { font: inherit; color: inherit; background: var(--paper); height: 2.75rem; padding: 0 .5rem; min-width: 0; max-width: 11rem;
  border-radius: 1.4rem; border: 1px solid color-mix(in srgb, currentColor 28%, transparent); touch-action: manipulation; }
[part~=quality][hidden] { display: none; }
[part~=mute] { flex: none; width: 2.75rem; height: 2.75rem; margin-left: auto; }
[part~=mute][data-muted=true] .wave { opacity: .2; }
[part~=figures] { flex: none; width: 2.75rem; height: 2.75rem; }
[part~=figures] svg { width: 1.3rem; height: 1.3rem; opacity: .6; } [part~=figures][aria-pressed=true] svg { opacity: 1; }
[part~=volume] { width: 7rem; min-width: 3rem; flex: 0 1 7rem; height: 2.75rem; accent-color: var(--accent); margin: 0; }
/* Phones have keys for the volume; all else stays in one row. */
@media (max-width: 480px) { [part~=controls] { gap: .4rem; } [part~=play] { width: 3.5rem; height: 3.5rem; }
  [part~=live] { padding: 0 .65rem; gap: .4rem; } [part~=live] small { min-width: 5.7em; } [part~=volume] { display: none; }
  [part~=controls] { flex-wrap: wrap; } [part~=quality] { flex: 1 0 100%; max-width: none; } }
@media (max-width: 360px) { [part~=live] span { display: none; } [part~=live] small { min-width: 0; } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
