/**
 * The moving picture: where the sound comes from.
 *
 * ```text
 *              origin
 *                |            You stand in the middle; listeners stand in two choirs, left and right. From each
 *   peer --\     |     /-- peer   voice a staff of four lines runs to you. Every 4 KiB is a square note on it:
 *   peer ---- ( you ) ---- peer   filled towards you, hollow away from you.
 *   peer --/           \-- peer
 * ```
 */

import type { Snapshot } from 'antiphon';

/** Bytes that one note stands for. */
const NOTE_BYTES = 4 * 1024;
/** Notes in flight at most; more would be fog. */
const MAX_NOTES = 240;
/** Notes of one voice that wait to start. */
const MAX_WAITING = 48;
/** Voices drawn; further peers share the last place. */
const MAX_VOICES = 12;
/** A note's way, in milliseconds. */
const FLIGHT_MS = 1_900;
/** Sound comes in bursts, a segment at a time; a voice spreads what it got over about this long. */
const PHRASE_MS = 1_900;
/** Between two notes of one voice, at least and at most. */
const BEAT_MS = [55, 400] as const;
const STAFF_LINES = 4;
const ORIGIN = 'origin';

interface Point { x: number; y: number }
interface Voice {
  readonly key: string;
  at: Point;
  /** Bytes seen so far: towards you, away from you. */
  seen: [number, number];
  waiting: [number, number];
  nextBeat: number;
  /** Milliseconds between its notes now. */
  beat: number;
  /** 0 when it just came or is about to go, 1 when it stands. */
  presence: number;
  isGone: boolean;
}
interface Note { voice: Voice; start: number; line: number; isMine: boolean }
interface Colours { ink: string; paper: string; peer: string; origin: string; gold: string }

/** Draws the choir on a canvas until the page closes. */
export class Choir {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #voices = new Map<string, Voice>();
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  #notes: Note[] = [];
  #colours: Colours;
  #width = 0;
  #height = 0;
  #share = 0;
  #shownShare = 0;
  #glow = 0;
  #last = 0;
  #frame = 0;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('no 2d canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#colours = readColours();
    this.#add(ORIGIN);
    new ResizeObserver(() => this.#resize()).observe(canvas);
    const recolour = (): void => {
      this.#colours = readColours();
      this.#wake();
    };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', recolour);
    this.#still.addEventListener('change', () => this.#wake());
    document.addEventListener('visibilitychange', () => this.#wake());
    this.#resize();
  }

  /** Takes new totals; differences become notes. */
  update(snapshot: Snapshot): void {
    const { fromPeers, fromOrigin } = snapshot.delivery;
    this.#share = fromPeers + fromOrigin === 0 ? 0 : fromPeers / (fromPeers + fromOrigin);
    const present = new Set(snapshot.peers.map((peer) => peer.peer));
    for (const voice of this.#voices.values()) voice.isGone = voice.key !== ORIGIN && !present.has(voice.key);
    for (const peer of snapshot.peers) {
      const voice = this.#voices.get(peer.peer) ?? this.#add(peer.peer);
      if (voice !== null) count(voice, peer.received, peer.sent);
    }
    const origin = this.#voices.get(ORIGIN);
    if (origin !== undefined) count(origin, fromOrigin, 0);
    this.#wake();
  }

  #add(key: string): Voice | null {
    if (this.#voices.size > MAX_VOICES) return null;
    const voice: Voice = {
      key, at: { x: 0, y: 0 }, seen: [0, 0], waiting: [0, 0], nextBeat: 0, beat: BEAT_MS[1], presence: 0, isGone: false,
    };
    this.#voices.set(key, voice);
    this.#place();
    return voice;
  }

  /** Puts the origin above and the listeners left and right in turn. */
  #place(): void {
    const centre = this.#centre();
    const peers = [...this.#voices.values()].filter((voice) => voice.key !== ORIGIN);
    const origin = this.#voices.get(ORIGIN);
    if (origin !== undefined) origin.at = { x: centre.x, y: 18 };
    peers.forEach((voice, i) => {
      const side = i % 2 === 0 ? -1 : 1;
      const row = Math.floor(i / 2);
      const rows = Math.ceil((peers.length - (side > 0 ? 1 : 0)) / 2);
      const angle = rows <= 1 ? 0.12 : (row / (rows - 1) - 0.5) * 1.9 + 0.16;
      voice.at = {
        x: centre.x + side * (centre.x - 24) * Math.cos(angle * 0.62),
        y: centre.y + (this.#height / 2 - 26) * Math.sin(angle) * 0.9,
      };
    });
  }

  #centre(): Point {
    return { x: this.#width / 2, y: this.#height * 0.56 };
  }

  #radius(): number {
    return Math.min(this.#width * 0.19, this.#height * 0.27);
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = devicePixelRatio || 1;
    this.#width = clientWidth;
    this.#height = clientHeight;
    this.#canvas.width = Math.round(clientWidth * scale);
    this.#canvas.height = Math.round(clientHeight * scale);
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#place();
    this.#wake();
  }

  /** Draws again until nothing moves any more. */
  #wake(): void {
    if (this.#frame === 0 && !document.hidden) this.#frame = requestAnimationFrame((now) => this.#draw(now));
  }

  #draw(now: number): void {
    this.#frame = 0;
    const step = Math.min(64, now - this.#last);
    this.#last = now;
    this.#move(now, step);
    const { ink, paper } = this.#colours;
    this.#context.clearRect(0, 0, this.#width, this.#height);
    for (const voice of this.#voices.values()) this.#drawStaff(voice);
    for (const note of this.#notes) this.#drawNote(note, now);
    for (const voice of this.#voices.values()) this.#drawVoice(voice, ink, paper);
    this.#drawYou();
    if (this.#isMoving()) this.#wake();
  }

  #isMoving(): boolean {
    if (this.#notes.length > 0 || Math.abs(this.#share - this.#shownShare) > 0.001 || this.#glow > 0.01) return true;
    return [...this.#voices.values()].some((voice) => voice.isGone || voice.presence < 1 || hasWaiting(voice));
  }

  #move(now: number, step: number): void {
    const isStill = this.#still.matches;
    this.#shownShare += (this.#share - this.#shownShare) * (isStill ? 1 : Math.min(1, step / 300));
    this.#glow = Math.max(0, this.#glow - step / 700);
    for (const voice of this.#voices.values()) {
      const change = isStill ? 1 : step / 500;
      voice.presence = Math.min(1, Math.max(0, voice.presence + (voice.isGone ? -change : change)));
      if (voice.isGone && voice.presence === 0) {
        this.#voices.delete(voice.key);
        this.#notes = this.#notes.filter((note) => note.voice !== voice);
        this.#place();
        continue;
      }
      if (isStill) voice.waiting = [0, 0];
      this.#sing(voice, now);
    }
    const before = this.#notes.length;
    this.#notes = this.#notes.filter((note) => now - note.start < FLIGHT_MS);
    if (this.#notes.length < before) this.#glow = Math.min(1, this.#glow + 0.25);
  }

  #sing(voice: Voice, now: number): void {
    if (!hasWaiting(voice) || now < voice.nextBeat || this.#notes.length >= MAX_NOTES) return;
    voice.nextBeat = now + voice.beat;
    for (const way of [0, 1] as const) {
      if (voice.waiting[way] < 1) continue;
      voice.waiting[way] -= 1;
      this.#notes.push({ voice, start: now, line: melody(voice.seen[way] + voice.waiting[way]), isMine: way === 0 });
    }
  }

  /** Returns the point at `t` of the way to you, on a line of the staff. */
  #along(voice: Voice, t: number, line: number): Point {
    const you = this.#centre();
    const from = voice.at;
    const bend = { x: (from.x + you.x) / 2, y: (from.y + you.y) / 2 + (voice.key === ORIGIN ? 0 : this.#height * 0.09) };
    const u = 1 - t;
    const point = {
      x: u * u * from.x + 2 * u * t * bend.x + t * t * you.x,
      y: u * u * from.y + 2 * u * t * bend.y + t * t * you.y,
    };
    const dx = 2 * u * (bend.x - from.x) + 2 * t * (you.x - bend.x);
    const dy = 2 * u * (bend.y - from.y) + 2 * t * (you.y - bend.y);
    const length = Math.hypot(dx, dy) || 1;
    const spread = (line - (STAFF_LINES - 1) / 2) * (4 + 5 * Math.sin(Math.PI * t));
    return { x: point.x - (dy / length) * spread, y: point.y + (dx / length) * spread };
  }

  #drawStaff(voice: Voice): void {
    const context = this.#context;
    context.strokeStyle = voice.key === ORIGIN ? this.#colours.origin : this.#colours.peer;
    context.lineWidth = 1;
    context.globalAlpha = 0.34 * voice.presence;
    for (let line = 0; line < STAFF_LINES; line += 1) {
      context.beginPath();
      for (let i = 0; i <= 24; i += 1) {
        const { x, y } = this.#along(voice, i / 24, line);
        if (i === 0) context.moveTo(x, y);
        else context.lineTo(x, y);
      }
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #drawNote(note: Note, now: number): void {
    const context = this.#context;
    const passed = Math.min(1, (now - note.start) / FLIGHT_MS);
    const eased = passed * passed * (3 - 2 * passed);
    const { x, y } = this.#along(note.voice, note.isMine ? eased : 1 - eased, note.line);
    const size = 5;
    context.globalAlpha = Math.min(1, 5 * passed, 6 * (1 - passed)) * note.voice.presence;
    context.fillStyle = note.voice.key === ORIGIN ? this.#colours.origin : this.#colours.peer;
    context.strokeStyle = this.#colours.gold;
    context.lineWidth = 1.8;
    diamond(context, x, y, size);
    if (note.isMine) context.fill();
    else context.stroke();
    context.globalAlpha = 1;
  }

  #drawVoice(voice: Voice, ink: string, paper: string): void {
    const context = this.#context;
    const isOrigin = voice.key === ORIGIN;
    context.globalAlpha = voice.presence;
    context.fillStyle = paper;
    context.strokeStyle = isOrigin ? this.#colours.origin : this.#colours.peer;
    context.lineWidth = 2;
    diamond(context, voice.at.x, voice.at.y, isOrigin ? 12 : 9);
    context.fill();
    context.stroke();
    context.fillStyle = ink;
    context.font = '12px ui-sans-serif, system-ui, sans-serif';
    const isRight = voice.at.x > this.#width * 0.7;
    context.textAlign = isOrigin ? 'left' : isRight ? 'right' : 'left';
    context.textBaseline = 'middle';
    const label = isOrigin ? 'origin' : voice.key.slice(0, 6);
    if (isOrigin) context.fillText(label, voice.at.x + 18, voice.at.y);
    else context.fillText(label, voice.at.x + (isRight ? 9 : -9), voice.at.y + (voice.at.y > this.#height * 0.7 ? 19 : -18));
    context.globalAlpha = 1;
  }

  #drawYou(): void {
    const context = this.#context;
    const { x, y } = this.#centre();
    const radius = this.#radius();
    const top = -Math.PI / 2;
    context.fillStyle = this.#colours.paper;
    context.beginPath();
    context.arc(x, y, radius + 6, 0, 2 * Math.PI);
    context.fill();
    context.lineWidth = 7;
    context.strokeStyle = this.#colours.origin;
    context.globalAlpha = this.#share === 0 && this.#shownShare < 0.001 ? 0.35 : 1;
    ring(context, x, y, radius, top + this.#shownShare * 2 * Math.PI, top + 2 * Math.PI);
    context.globalAlpha = 1;
    context.strokeStyle = this.#colours.peer;
    ring(context, x, y, radius, top, top + this.#shownShare * 2 * Math.PI);
    if (this.#glow > 0) {
      context.globalAlpha = this.#glow * 0.4;
      context.lineWidth = 2;
      context.strokeStyle = this.#colours.peer;
      ring(context, x, y, radius + 7 + 5 * (1 - this.#glow), 0, 2 * Math.PI);
      context.globalAlpha = 1;
    }
  }
}

function count(voice: Voice, towards: number, away: number): void {
  for (const [way, total] of [[0, towards], [1, away]] as const) {
    const fresh = Math.max(0, total - voice.seen[way]) / NOTE_BYTES;
    voice.seen[way] = total;
    voice.waiting[way] = Math.min(MAX_WAITING, voice.waiting[way] + fresh);
    if (fresh > 0) {
      voice.beat = Math.min(BEAT_MS[1], Math.max(BEAT_MS[0], PHRASE_MS / Math.max(1, ...voice.waiting)));
    }
  }
}

function hasWaiting(voice: Voice): boolean {
  return voice.waiting[0] >= 1 || voice.waiting[1] >= 1;
}

/** A tune rather than noise: the line of the staff follows the bytes that have passed. */
function melody(bytes: number): number {
  const steps = [0, 1, 2, 1, 3, 2, 2, 1, 0, 1, 3, 3, 2];
  return steps[Math.floor(Math.abs(bytes) / NOTE_BYTES) % steps.length] ?? 0;
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.closePath();
}

function ring(context: CanvasRenderingContext2D, x: number, y: number, radius: number, from: number, to: number): void {
  if (to - from < 0.001) return;
  context.beginPath();
  context.arc(x, y, radius, from, to);
  context.stroke();
}

function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: colour('--ink'), paper: colour('--paper'), peer: colour('--lapis'), origin: colour('--rubric'), gold: colour('--gold'),
  };
}
