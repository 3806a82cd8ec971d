//! Writes a stereo WAV file of 16 bits.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::RATE;

/// Bytes of one sample of both sides.
const BLOCK: u32 = 4;

/// Writes one file.
///
/// # Errors
///
/// The file cannot be written, or is too long for the format.
pub(crate) fn write(path: &Path, left: &[f64], right: &[f64]) -> Result<()> {
    let file =
        File::create(path).with_context(|| format!("could not create {}", path.display()))?;
    let mut file = BufWriter::new(file);
    let bytes = u32::try_from(left.len())?.checked_mul(BLOCK).context("too long")?;
    let rate = u32::try_from(RATE)?;
    file.write_all(b"RIFF")?;
    file.write_all(&(36 + bytes).to_le_bytes())?;
    file.write_all(b"WAVEfmt \x10\0\0\0\x01\0\x02\0")?; // PCM, two sides.
    file.write_all(&rate.to_le_bytes())?;
    file.write_all(&(rate * BLOCK).to_le_bytes())?;
    file.write_all(b"\x04\0\x10\0data")?; // Four bytes a block, 16 bits a sample.
    file.write_all(&bytes.to_le_bytes())?;
    for (left, right) in left.iter().zip(right) {
        for value in [left, right] {
            let sample = (value * f64::from(i16::MAX)).round() as i16;
            file.write_all(&sample.to_le_bytes())?;
        }
    }
    file.flush()?;
    Ok(())
}
