//! Renders the sample piece as a WAV file: `antiphon-sample OUT.wav`.
//!
//! ```text
//! score ──notes──► voice ──dry stereo loop──► room ──wet stereo loop──► wav
//! ```
//!
//! The piece is a loop of 16 bars and lasts exactly 32 segments of 96 AAC frames, so that a
//! publisher can play it for ever without a seam.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "signal processing over buffers of a fixed length"
)]

mod room;
mod score;
mod stage;
mod voice;
mod wav;

use anyhow::{Context as _, Result};

/// Samples per second.
pub(crate) const RATE: usize = 48_000;
/// Samples of one AAC-LC frame.
const FRAME: usize = 1024;
/// Samples of one segment: 2.048 s, the whole number of frames nearest to two seconds that makes
/// a beat (half a segment) a whole number of frames, too.
const SEGMENT: usize = 96 * FRAME;
/// Samples of one beat.
pub(crate) const BEAT: usize = SEGMENT / 2;
/// Samples of the loop: 16 bars of four beats.
pub(crate) const LOOP: usize = 16 * 4 * BEAT;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).context("missing output file")?;

    let mut stage = stage::Stage::new();
    for note in score::notes() {
        voice::play(&note, &mut stage);
    }
    let (left, right) = room::finish(&stage);
    wav::write(path.as_ref(), &left, &right)
}
