//! The instruments: each turns a note into samples on the stage.

use std::f64::consts::{PI, TAU};

use crate::score::{Note, Part};
use crate::stage::{Place, Stage};
use crate::{BEAT, RATE};

/// Plays one note.
pub(crate) fn play(note: &Note, stage: &mut Stage) {
    let hertz = 440.0 * 2f64.powf((f64::from(note.pitch) - 69.0) / 12.0);
    match note.part {
        Part::LeftChoir => choir(note, hertz, &DARK, -1.0, stage),
        Part::RightChoir => choir(note, hertz, &BRIGHT, 1.0, stage),
        Part::Caller => pipe(note, hertz, stage),
        Part::Answerer => glass(note, hertz, stage),
        Part::Bass => bass(note, hertz, stage),
        Part::Harp => harp(note, hertz, stage),
    }
}

/// Resonances of a vowel: centre and width in hertz, strength.
type Vowel = [(f64, f64, f64); 4];
/// Near "oo".
const DARK: Vowel =
    [(330.0, 110.0, 1.0), (720.0, 150.0, 0.35), (2300.0, 300.0, 0.05), (3000.0, 350.0, 0.03)];
/// Near "ah".
const BRIGHT: Vowel =
    [(620.0, 150.0, 1.0), (1060.0, 180.0, 0.5), (2500.0, 320.0, 0.09), (3250.0, 380.0, 0.05)];

/// Three singers a note, each a little out of tune and time with the others.
fn choir(note: &Note, hertz: f64, vowel: &Vowel, side: f64, stage: &mut Stage) {
    // Detuning in cents, rate of vibrato in hertz, place, first phase.
    let singers = [(-6.0, 4.7, 0.30, 0.0), (1.0, 5.1, 0.55, 2.1), (7.0, 5.5, 0.85, 4.2)];
    let partials: Vec<f64> = (1..=24)
        .map(|number| f64::from(number) * hertz)
        .take_while(|frequency| *frequency < 5_000.0)
        .map(|frequency| {
            let resonance: f64 = vowel
                .iter()
                .map(|(centre, width, strength)| {
                    strength / (1.0 + ((frequency - centre) / width).powi(2))
                })
                .sum();
            (0.06 + resonance) * (hertz / frequency).powf(0.7)
        })
        .collect();
    let power = partials.iter().map(|gain| gain * gain).sum::<f64>().sqrt();
    for (cents, rate, width, phase) in singers {
        let pan = side * width;
        let place = Place { pan, dry: 0.55, hall: 0.6, echo: 0.0 };
        let gain = 0.030 * note.force / power;
        let mut angle = phase + f64::from(note.pitch);
        // Each chord swells in while the last one fades: 0.9 s of both.
        sound(note, 0.9, 1.1, 1.0, |time, envelope| {
            let vibrato = 9.0 * (time / 1.5).min(1.0) * (TAU * rate * time + phase).sin();
            angle += TAU * hertz * cents_to_ratio(cents + vibrato) / RATE as f64;
            gain * envelope * harmonics(angle, &partials)
        })
        .for_each(|(at, value)| stage.add(at, value, place));
    }
}

/// A soft pipe: few harmonics, a breath of noise, vibrato once the note has settled.
fn pipe(note: &Note, hertz: f64, stage: &mut Stage) {
    let place = Place { pan: -0.5, dry: 0.8, hall: 0.45, echo: 0.35 };
    let mut angle = 0.0;
    let mut breath = Breath::new(u32::from(note.pitch) + 1, hertz);
    let gain = 0.125 * note.force;
    sound(note, 0.09, 0.35, 0.85, |time, envelope| {
        let vibrato = 14.0 * (time / 0.8 - 0.35).clamp(0.0, 1.0) * (TAU * 5.2 * time).sin();
        // The pitch rises into the note, as a player's does.
        let scoop = -22.0 * (-time / 0.05).exp();
        angle += TAU * hertz * cents_to_ratio(vibrato + scoop) / RATE as f64;
        let tone = harmonics(angle, &[1.0, 0.32, 0.10, 0.05, 0.02]);
        let chiff = 0.05 + 0.25 * (-time / 0.06).exp();
        gain * envelope * (tone + chiff * breath.next())
    })
    .for_each(|(at, value)| stage.add(at, value, place));
}

/// A glassy key: frequency modulation that mellows as the note rings.
fn glass(note: &Note, hertz: f64, stage: &mut Stage) {
    let place = Place { pan: 0.5, dry: 0.8, hall: 0.45, echo: 0.35 };
    let gain = 0.145 * note.force;
    sound(note, 0.006, 0.9, 1.0, |time, envelope| {
        let angle = TAU * hertz * time;
        let body = 0.9 * (-time / 0.9).exp() + 0.15;
        let tine = 0.35 * (-time / 0.12).exp();
        let tremolo = 1.0 + 0.10 * (TAU * 4.2 * time).sin();
        let warm = (angle + body * angle.sin()).sin();
        let bright = 0.22 * (2.0 * angle + tine * (7.0 * angle).sin()).sin();
        gain * envelope * tremolo * (-time / 2.4).exp() * (warm + bright)
    })
    .for_each(|(at, value)| stage.add(at, value, place));
}

/// Low strings: round, slow, in the middle.
fn bass(note: &Note, hertz: f64, stage: &mut Stage) {
    let place = Place { pan: 0.0, dry: 0.9, hall: 0.12, echo: 0.0 };
    let gain = 0.135 * note.force;
    sound(note, 0.12, 0.5, 0.8, |time, envelope| {
        let angle = TAU * hertz * time;
        gain * envelope * harmonics(angle, &[1.0, 0.42, 0.16, 0.07, 0.03])
    })
    .for_each(|(at, value)| stage.add(at, value, place));
}

/// A plucked note that rings for a second.
fn harp(note: &Note, hertz: f64, stage: &mut Stage) {
    let pan = 0.75 * (note.beat * PI / 3.0).sin();
    let place = Place { pan, dry: 0.6, hall: 0.5, echo: 0.3 };
    let gain = 0.060 * note.force;
    sound(note, 0.004, 1.2, 1.0, |time, envelope| {
        let angle = TAU * hertz * time;
        let pluck = 1.1 * (-time / 0.10).exp();
        gain * envelope * (-time / 0.55).exp() * (angle + pluck * (3.0 * angle).sin()).sin()
    })
    .for_each(|(at, value)| stage.add(at, value, place));
}

/// Runs `wave(time, envelope)` over a note and its release, in seconds. The envelope rises in
/// `attack`, settles at `sustain`, and falls in `release` after the note's length.
fn sound(
    note: &Note,
    attack: f64,
    release: f64,
    sustain: f64,
    mut wave: impl FnMut(f64, f64) -> f64,
) -> impl Iterator<Item = (usize, f64)> {
    let start = (note.beat * BEAT as f64).round() as usize;
    let length = note.length * BEAT as f64 / RATE as f64;
    let samples = ((length + release) * RATE as f64) as usize;
    (0..samples).map(move |sample| {
        let time = sample as f64 / RATE as f64;
        let rise = ease(time / attack);
        let settle = 1.0 - (1.0 - sustain) * ease((time - attack) / 1.2);
        let fall = 1.0 - ease((time - length) / release);
        (start + sample, wave(time, rise * settle * fall))
    })
}

/// From 0 to 1 without a corner.
fn ease(part: f64) -> f64 {
    (1.0 - (PI * part.clamp(0.0, 1.0)).cos()) / 2.0
}

fn cents_to_ratio(cents: f64) -> f64 {
    2f64.powf(cents / 1200.0)
}

/// Sums sines of whole multiples of an angle: sin(n+1)a = 2 cos(a) sin(na) - sin(n-1)a.
fn harmonics(angle: f64, gains: &[f64]) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let (mut before, mut current, mut sum) = (0.0, sine, 0.0);
    for gain in gains {
        sum += gain * current;
        (before, current) = (current, 2.0 * cosine * current - before);
    }
    sum
}

/// Noise through a resonance at the pitch, from a fixed seed.
struct Breath {
    state: u32,
    low: f64,
    band: f64,
    tune: f64,
}

impl Breath {
    fn new(seed: u32, hertz: f64) -> Self {
        let tune = 2.0 * (PI * hertz / RATE as f64).sin();
        Self { state: seed.wrapping_mul(2_654_435_761), low: 0.0, band: 0.0, tune }
    }

    fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = f64::from(self.state >> 8) / f64::from(1u32 << 23) - 1.0;
        // A state-variable filter.
        self.low += self.tune * self.band;
        let high = noise - self.low - 0.25 * self.band;
        self.band += self.tune * high;
        self.band
    }
}
