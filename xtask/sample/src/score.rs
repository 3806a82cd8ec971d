//! The piece: sixteen bars in F. The left side calls, the right side answers; at the end both sing.
//!
//! ```text
//! bars  1–4    left calls for two bars, right answers
//! bars  5–8    the same, higher
//! bars  9–12   closer: one bar each
//! bars 13–16   together
//! ```

/// Who plays a note.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The dark choir, on the left.
    LeftChoir,
    /// The bright choir, on the right.
    RightChoir,
    /// A soft pipe, on the left.
    Caller,
    /// A glassy key, on the right.
    Answerer,
    /// Low strings in the middle.
    Bass,
    /// Plucked notes that wander from side to side.
    Harp,
}

/// One note.
pub(crate) struct Note {
    pub(crate) part: Part,
    /// Start, in beats from the start of the piece.
    pub(crate) beat: f64,
    /// Length, in beats.
    pub(crate) length: f64,
    /// MIDI number of the pitch; 69 is the A of 440 Hz.
    pub(crate) pitch: u8,
    /// Loudness, 0 to 1.
    pub(crate) force: f64,
}

/// Bass note and four voices of each bar.
const CHORDS: [(u8, [u8; 4]); 16] = [
    (41, [57, 60, 64, 67]), // F major 9
    (40, [55, 60, 62, 67]), // C, its third in the bass
    (38, [57, 60, 64, 65]), // D minor 9
    (46, [57, 60, 62, 65]), // B flat major 9
    (45, [55, 60, 64, 67]), // A minor 7
    (38, [57, 60, 65, 69]), // D minor 7
    (43, [58, 62, 65, 69]), // G minor 9
    (36, [58, 62, 65, 67]), // C 11
    (38, [60, 64, 65, 69]), // D minor 9
    (36, [57, 60, 64, 67]), // A minor 7, its third in the bass
    (46, [57, 60, 62, 65]), // B flat major 9
    (45, [57, 60, 65, 67]), // F, its third in the bass
    (43, [58, 62, 65, 69]), // G minor 9
    (36, [58, 62, 65, 67]), // C 11
    (41, [57, 60, 64, 67]), // F major 9
    (36, [58, 62, 64, 67]), // C 9, which wants the first bar again
];

type Line = &'static [(f64, u8)];

/// What the caller plays: first beat, then lengths in beats and pitches.
const CALLS: [(f64, Line); 5] = [
    (
        0.0,
        &[(1.0, 72), (0.5, 69), (0.5, 72), (1.5, 76), (0.5, 74), (1.0, 72), (1.0, 74), (2.0, 67)],
    ),
    (
        16.0,
        &[
            (1.0, 76),
            (0.5, 72),
            (0.5, 76),
            (1.5, 79),
            (0.5, 76),
            (1.0, 77),
            (0.5, 76),
            (0.5, 74),
            (2.0, 69),
        ],
    ),
    (32.0, &[(0.5, 69), (0.5, 74), (0.5, 76), (0.5, 77), (2.0, 76)]),
    (40.0, &[(0.5, 77), (0.5, 74), (0.5, 72), (0.5, 69), (2.0, 74)]),
    (
        48.0,
        &[
            (1.0, 74),
            (1.0, 77),
            (1.5, 81),
            (0.5, 79),
            (1.0, 77),
            (0.5, 79),
            (0.5, 77),
            (2.0, 74),
            (1.0, 72),
            (0.5, 69),
            (0.5, 72),
            (2.0, 76),
            (1.5, 74),
            (0.5, 72),
            (2.0, 67),
        ],
    ),
];

/// What the answerer plays.
const ANSWERS: [(f64, Line); 5] = [
    (
        8.0,
        &[
            (1.0, 69),
            (0.5, 65),
            (0.5, 69),
            (1.5, 72),
            (0.5, 69),
            (1.0, 65),
            (0.5, 67),
            (0.5, 69),
            (2.0, 72),
        ],
    ),
    (
        24.0,
        &[
            (1.0, 74),
            (0.5, 70),
            (0.5, 74),
            (1.5, 77),
            (0.5, 74),
            (1.0, 72),
            (0.5, 74),
            (0.5, 70),
            (2.0, 67),
        ],
    ),
    (36.0, &[(0.5, 67), (0.5, 72), (0.5, 76), (0.5, 79), (2.0, 76)]),
    (44.0, &[(0.5, 72), (0.5, 69), (0.5, 67), (0.5, 65), (2.0, 69)]),
    (
        48.0,
        &[
            (1.0, 70),
            (1.0, 74),
            (1.5, 77),
            (0.5, 74),
            (1.0, 74),
            (0.5, 74),
            (0.5, 72),
            (2.0, 70),
            (1.0, 69),
            (0.5, 65),
            (0.5, 69),
            (2.0, 72),
            (1.5, 70),
            (0.5, 69),
            (2.0, 64),
        ],
    ),
];

/// How loud the two choirs sing in each bar.
const CHOIRS: [(f64, f64); 16] = [
    (1.0, 0.25),
    (0.95, 0.35),
    (0.3, 1.0),
    (0.35, 0.95),
    (1.0, 0.3),
    (0.95, 0.35),
    (0.3, 1.0),
    (0.35, 0.95),
    (0.9, 0.4),
    (0.4, 0.9),
    (0.9, 0.4),
    (0.4, 0.9),
    (0.75, 0.75),
    (0.85, 0.85),
    (0.8, 0.8),
    (0.7, 0.6),
];

/// The order in which the harp visits the voices of a chord, by half beats.
const HARP: [usize; 8] = [0, 2, 1, 3, 2, 1, 3, 2];
/// How loud the harp is in each group of four bars.
const HARP_FORCE: [f64; 4] = [0.35, 0.55, 0.8, 0.6];

/// Returns every note of the loop.
pub(crate) fn notes() -> Vec<Note> {
    let mut notes = Vec::new();
    for (bar, ((bass, chord), (left, right))) in CHORDS.into_iter().zip(CHOIRS).enumerate() {
        let beat = 4.0 * bar as f64;
        for pitch in chord {
            notes.push(Note { part: Part::LeftChoir, beat, length: 4.0, pitch, force: left });
            notes.push(Note { part: Part::RightChoir, beat, length: 4.0, pitch, force: right });
        }
        notes.push(Note { part: Part::Bass, beat, length: 3.75, pitch: bass, force: 1.0 });
        for (half, voice) in HARP.into_iter().enumerate() {
            let strong = if half % 4 == 0 { 1.0 } else { 0.75 };
            notes.push(Note {
                part: Part::Harp,
                beat: beat + half as f64 / 2.0,
                length: 0.5,
                pitch: chord[voice] + 12,
                force: HARP_FORCE[bar / 4] * strong,
            });
        }
    }
    solo(Part::Caller, &CALLS, &mut notes);
    solo(Part::Answerer, &ANSWERS, &mut notes);
    notes
}

fn solo(part: Part, phrases: &[(f64, Line)], notes: &mut Vec<Note>) {
    for (start, line) in phrases {
        let mut beat = *start;
        for (length, pitch) in *line {
            // Long notes carry the phrase; short ones lead to them.
            let force = 0.72 + 0.28 * (length / 2.0).min(1.0);
            notes.push(Note { part, beat, length: *length, pitch: *pitch, force });
            beat += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_fills_whole_bars_and_ends_inside_the_piece() {
        for (start, line) in CALLS.iter().chain(&ANSWERS) {
            let length: f64 = line.iter().map(|(length, _)| length).sum();
            assert!(length % 4.0 == 0.0, "the phrase at beat {start} lasts {length} beats");
            assert!(start + length <= 64.0);
        }
    }
}
