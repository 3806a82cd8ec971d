//! A node's process. It ends when this one does, however this one ends: its standard input closes.

use anyhow::{Context as _, bail};
use serde_json::Value;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{ChildStdin, ChildStdout, Command},
    time::timeout,
};

/// Until a node must be ready. Chosen here: many nodes on few cores.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// Until a node that was asked to stop is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// Lines of a log that are shown, and bytes that are read for them.
const TAIL_LINES: usize = 12;
const TAIL_BYTES: u64 = 8192;

/// One node's process.
#[derive(Debug)]
pub(super) struct Child {
    /// What people call it.
    pub(super) name: String,
    line: Value,
    /// How it ended, if it did.
    pub(super) ended: Option<ExitStatus>,
    process: tokio::process::Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Child {
    /// Starts the node of a folder.
    pub(super) fn spawn(name: String, folder: &Path, dial: &[String]) -> anyhow::Result<Self> {
        let log = folder.join("node.log");
        let said = File::create(&log).with_context(|| format!("writing {}", log.display()))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["run", "--with-parent", "--config"]).arg(folder.join("node.toml"));
        if !dial.is_empty() {
            command.arg("--dial").arg(dial.join(","));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said).kill_on_drop(true);
        let mut process = command.spawn().with_context(|| format!("starting {name}"))?;
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let stdout = stdout.map(BufReader::new);
        Ok(Self { name, line: Value::Null, ended: None, process, stdin, stdout, log })
    }

    /// Waits until the node is ready.
    pub(super) async fn ready(&mut self) -> anyhow::Result<()> {
        let Some(mut stdout) = self.stdout.take() else { return Ok(()) };
        let mut line = String::new();
        let read = timeout(READY_PATIENCE, stdout.read_line(&mut line)).await;
        if let Ok(Ok(_)) = read
            && let Ok(value) = serde_json::from_str(&line)
        {
            self.line = value;
            return Ok(());
        }
        bail!(
            "{} does not start; its log {} ends so:\n{}",
            self.name,
            self.log.display(),
            self.tail()
        )
    }

    /// Returns where it listens for nodes.
    pub(super) fn listens(&self) -> Vec<String> {
        let listed = self.said("listen");
        let listed = listed.as_array().into_iter().flatten();
        listed.filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// Returns a part of what it said when it was ready.
    pub(super) fn said(&self, name: &str) -> Value {
        self.line.get(name).cloned().unwrap_or_default()
    }

    /// Returns, once, what there is to say of a process that has ended.
    pub(super) fn obituary(&mut self) -> anyhow::Result<Option<String>> {
        if self.ended.is_some() {
            return Ok(None);
        }
        self.ended = self.process.try_wait()?;
        let (name, log) = (&self.name, self.log.display());
        Ok(self
            .ended
            .map(|how| format!("{name} ended ({how}); its log {log} ends so:\n{}", self.tail())))
    }

    /// Asks it to stop, and kills it if it does not.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        if timeout(STOP_PATIENCE, self.process.wait()).await.is_err() {
            tracing::warn!(node = self.name, "killed, for it did not stop");
            // It may have ended by now.
            let _ = self.process.kill().await;
        }
    }

    fn tail(&self) -> String {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let read = || -> std::io::Result<Vec<u8>> {
            let mut file = File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
            let mut bytes = Vec::new();
            file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let text = read().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_else(|error| error.to_string());
        let lines: Vec<_> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        lines.iter().skip(from).map(|line| format!("    {line}\n")).collect()
    }
}
