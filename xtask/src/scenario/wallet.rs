//! A wallet that runs: it is told a line, and answers with one.

use anyhow::{Context as _, Result, bail};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long an answer may take. Chosen here: many times what any takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// A wallet that runs.
pub(super) struct Wallet {
    child: Child,
    /// None once nothing follows.
    input: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Wallet {
    /// Starts one that keeps what it has in a folder.
    pub(super) fn start(mut line: Command, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
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
        Ok(Self { child, input, answers })
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
