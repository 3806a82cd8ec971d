//! Lets ffmpeg encode an audio file into a folder of segments, at the pace of the clock and for ever.

use anyhow::{Context, bail};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How often the process is looked at.
const POLL: Duration = Duration::from_millis(500);

/// A running ffmpeg. Killed when dropped.
pub(in crate::shell::publish) struct Encoder {
    child: Child,
    folder: PathBuf,
}

impl Encoder {
    /// Starts ffmpeg on `audio`, with its segments in a fresh folder under `data`.
    pub(super) fn start(audio: &Path, data: &Path) -> anyhow::Result<Self> {
        if !audio.is_file() {
            bail!("{} is not a file", audio.display());
        }
        let folder = data.join("encoder");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        let child = Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-re", "-stream_loop", "-1"])
            .arg("-i")
            .arg(fs::canonicalize(audio)?)
            .args(["-vn", "-map", "0:a:0", "-c:a", "aac", "-b:a", "128k", "-ar", "48000"])
            .args(["-f", "hls", "-hls_time", "2", "-hls_list_size", "10"])
            .args(["-hls_segment_type", "fmp4"])
            .args(["-hls_flags", "delete_segments+program_date_time+temp_file"])
            .arg("live.m3u8")
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("starting ffmpeg; is it installed? --source and --push need none")?;
        Ok(Self { child, folder })
    }

    /// Returns where the segments appear.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns when ffmpeg has ended, which it should not.
    pub(super) async fn ended(&mut self) -> anyhow::Result<()> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("ffmpeg ended ({status}); its own words are above");
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
