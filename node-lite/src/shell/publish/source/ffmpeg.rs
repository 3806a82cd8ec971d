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
    /// Starts ffmpeg on `audio`, with its segments in a fresh folder under `data`; one rendition for each of these rates in
    /// kilobits per second.
    pub(super) fn start(audio: &Path, data: &Path, rates: &[u16]) -> anyhow::Result<Self> {
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
            .args(encoding(rates))
            .args(["-f", "hls", "-hls_time", "2", "-hls_list_size", "10"])
            .args(["-hls_segment_type", "fmp4"])
            // An encoder that is told to stop is no end of the stream.
            .args(["-hls_flags", "delete_segments+program_date_time+temp_file+omit_endlist"])
            .args(files(rates))
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

fn encoding(rates: &[u16]) -> Vec<String> {
    let mut words = vec![String::from("-vn")];
    for (place, rate) in rates.iter().enumerate() {
        words.extend(["-map".into(), "0:a:0".into()]);
        words.extend([format!("-b:a:{place}"), format!("{rate}k")]);
    }
    words.extend(["-c:a", "aac", "-ar", "48000"].map(String::from));
    words
}

/// Returns how the files are called; several renditions have a catalogue.
fn files(rates: &[u16]) -> Vec<String> {
    if rates.len() < 2 {
        return vec![String::from("live.m3u8")];
    }
    let map = (0..rates.len()).map(|place| format!("a:{place}")).collect::<Vec<_>>().join(" ");
    let mut words = vec![String::from("-var_stream_map"), map];
    words.extend(["-master_pl_name", "master.m3u8"].map(String::from));
    words.extend(["-hls_fmp4_init_filename", "init-%v.mp4"].map(String::from));
    words.extend(["-hls_segment_filename", "r%v-%d.m4s", "r%v.m3u8"].map(String::from));
    words
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
