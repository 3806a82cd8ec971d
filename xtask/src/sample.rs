//! Makes the sample stream anew: renders the piece, encodes it, cuts one loop out of the middle.
//!
//! ```text
//! antiphon-sample ──WAV──► ffmpeg, three times round ──AAC frames──► the second round ──► www/sample
//! ```
//!
//! The second round, because there the encoder is warmed up and knows what follows: the last frame
//! joins the first as any two frames join.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process::{cargo, command, root, run, target_dir};
use crate::setup::{self, Need};
use crate::step::step;

/// AAC frames of one round: 32 segments of 96 frames of 1024 samples.
const FRAMES: usize = 32 * 96;
/// Frames that the encoder emits before the first sound.
const PRIMING: usize = 1;

/// Writes `www/sample`.
///
/// # Errors
///
/// ffmpeg is missing and cannot be installed, or a program fails.
pub(crate) fn make() -> Result<()> {
    setup::ensure(&[Need::Ffmpeg])?;
    let work = target_dir().join("xtask/sample");
    fs::create_dir_all(&work)?;
    let wav = work.join("round.wav");
    step("rendering the piece", || {
        run(cargo().args(["run", "--package", "antiphon-sample", "--"]).arg(&wav))
    })?;
    let long = work.join("three.aac");
    step("encoding it three times round", || {
        let mut ffmpeg = ffmpeg();
        ffmpeg.args(["-stream_loop", "2", "-i"]).arg(&wav);
        run(ffmpeg.args(["-c:a", "aac", "-b:a", "192k", "-f", "adts"]).arg(&long))
    })?;
    let round = work.join("round.aac");
    fs::write(&round, second_round(&fs::read(&long)?)?)?;
    step("cutting segments", || segments(&round, &root().join("www/sample")))
}

/// Cuts the sample stream into segments of so many seconds, in a folder of its own.
///
/// # Errors
///
/// ffmpeg is missing and cannot be installed, or fails.
pub(crate) fn cut(seconds: &str, folder: &Path) -> Result<()> {
    setup::ensure(&[Need::Ffmpeg])?;
    fs::create_dir_all(folder)?;
    let mut ffmpeg = ffmpeg();
    ffmpeg.arg("-i").arg(root().join("www/sample/index.m3u8")).args(["-c:a", "copy"]);
    run(as_hls(&mut ffmpeg, seconds, folder))
}

fn segments(round: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension != "md") {
            fs::remove_file(path)?;
        }
    }
    let mut ffmpeg = ffmpeg();
    ffmpeg.arg("-i").arg(round).args(["-c:a", "copy", "-bsf:a", "aac_adtstoasc"]);
    run(as_hls(&mut ffmpeg, "2.048", folder))
}

/// Adds to a command what makes segments and a playlist of its input.
fn as_hls<'a>(ffmpeg: &'a mut Command, seconds: &str, folder: &Path) -> &'a mut Command {
    ffmpeg.args(["-f", "hls", "-hls_time", seconds]);
    ffmpeg.args(["-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]);
    ffmpeg.args(["-hls_fmp4_init_filename", "init.mp4", "-hls_segment_filename"]);
    ffmpeg.arg(folder.join("%02d.m4s")).arg(folder.join("index.m3u8"))
}

fn ffmpeg() -> Command {
    let mut ffmpeg = command("ffmpeg");
    ffmpeg.args(["-nostdin", "-y", "-hide_banner", "-loglevel", "error"]);
    // Nothing that differs from run to run, and no name of a program in the files.
    ffmpeg.args(["-bitexact"]);
    ffmpeg
}

/// Returns the ADTS frames of the second of three rounds.
fn second_round(stream: &[u8]) -> Result<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at < stream.len() {
        let header = stream.get(at..at + 7).context("the stream ends inside a header")?;
        let [0xff, second, _, third, fourth, fifth, _] = *header else {
            anyhow::bail!("no frame starts at byte {at}");
        };
        ensure!(second & 0xf0 == 0xf0, "no frame starts at byte {at}");
        let length =
            usize::from(third & 3) << 11 | usize::from(fourth) << 3 | usize::from(fifth) >> 5;
        ensure!(length > 7, "a frame of {length} bytes at byte {at}");
        starts.push(at);
        at += length;
    }
    let first = *starts.get(PRIMING + FRAMES).context("the stream is too short")?;
    let end = *starts.get(PRIMING + 2 * FRAMES).context("the stream is too short")?;
    stream.get(first..end).context("the stream is too short")
}
