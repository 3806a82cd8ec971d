//! A wallet that runs: it is told a line, and answers with one.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::process::run;

/// How long an answer may take. Chosen here: many times what any takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A wallet that runs.
pub(super) struct Wallet {
    child: Child,
    /// None once nothing follows.
    input: Option<ChildStdin>,
    answers: Receiver<String>,
    is_page: bool,
}

impl Wallet {
    /// Starts one that keeps what it has in a folder.
    pub(super) fn start(line: &Command, folder: &Path, is_page: bool) -> Result<Self> {
        fs::create_dir_all(folder)?;
        // A write beyond the limit of `fill` would be a signal, by which a program ends that does not know it.
        let mut patient = Command::new("env");
        patient.arg("--ignore-signal=XFSZ").arg(line.get_program()).args(line.get_args());
        patient.envs(line.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = line.get_current_dir() {
            patient.current_dir(folder);
        }
        let mut line = patient;
        line.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = line.spawn().with_context(|| crate::process::display(&line))?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("it says nothing")?;
        let (tell, answers) = channel();
        thread::spawn(move || {
            // Ends with the wallet, or with whoever listens.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self { child, input, answers, is_page })
    }

    /// Takes it all room to write, or gives it back. A page has its quota from who drives the browser; of a program no file
    /// grows any more, which it sees as it sees a full disk.
    pub(super) fn fill(&mut self, is_full: bool) -> Result<()> {
        if self.is_page {
            self.say(if is_full { "disk full" } else { "disk free" })?;
            return self.hear().map(drop);
        }
        let limit = if is_full { "--fsize=0:unlimited" } else { "--fsize=unlimited" };
        run(Command::new("prlimit").args([limit, "--pid", &self.child.id().to_string()]))
    }

    /// Tells it a line.
    pub(super) fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().context("it takes nothing")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Waits for its answer.
    pub(super) fn hear(&self) -> Result<String> {
        self.answers.recv_timeout(PATIENCE).context("no answer")
    }

    /// Says that nothing follows: a wallet pays what it owes, and ends.
    pub(super) fn end(mut self) -> Result<()> {
        self.input = None;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("a wallet ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        // It has ended if all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
