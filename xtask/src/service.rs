//! A program that runs beside us: started, awaited, watched, stopped.
//!
//! Every subcommand of `antiphon` prints one line of JSON once it is ready; that line is the contract.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::process::display;

/// How long a service may take until it is ready. Chosen here: an old chain is read back first.
const READY_PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to end after it was asked.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
/// Lines that are shown of a service that failed.
const TAIL: usize = 20;

/// A running service. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a program and returns it with what it said when it was ready.
    ///
    /// # Errors
    ///
    /// It does not start, ends, or is not ready in time; its last lines are in the message.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        logs: &std::path::Path,
    ) -> Result<(Self, Value)> {
        use std::os::unix::process::CommandExt as _;
        fs::create_dir_all(logs)?;
        let (said, log) = (logs.join(format!("{name}.json")), logs.join(format!("{name}.log")));
        // A group of its own: Ctrl-C reaches us alone, and we stop the services in order.
        command.process_group(0).stdin(Stdio::null());
        command.stdout(File::create(&said)?).stderr(File::create(&log)?);
        let line = display(command);
        let child = command.spawn().with_context(|| format!("could not start `{line}`"))?;
        let mut service = Self { name, child, log };
        let end = Instant::now() + READY_PATIENCE;
        while Instant::now() < end {
            let text = fs::read_to_string(&said)?;
            if let Some((first, _)) = text.split_once('\n') {
                let ready = serde_json::from_str(first)
                    .with_context(|| format!("{name} said `{first}` instead of being ready"))?;
                return Ok((service, ready));
            }
            if let Some(status) = service.ended()? {
                bail!("{name} ended with {status}; `{line}` said:\n{}", service.tail());
            }
            std::thread::sleep(PAUSE);
        }
        bail!("{name} was not ready in {READY_PATIENCE:?}; it said:\n{}", service.tail())
    }

    /// Returns how the service ended, if it did.
    ///
    /// # Errors
    ///
    /// The system does not tell.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Returns the id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the last lines of its log.
    pub(crate) fn tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default().join("\n")
    }

    fn stop(&mut self) {
        let Ok(id) = i32::try_from(self.child.id()) else { return };
        // It may have ended by itself; then there is nobody to tell.
        let _ = kill(Pid::from_raw(id), Signal::SIGINT);
        let end = Instant::now() + STOP_PATIENCE;
        while Instant::now() < end {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(PAUSE);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns a text field of what a service said.
///
/// # Errors
///
/// The field is missing.
pub(crate) fn text<'a>(ready: &'a Value, field: &str) -> Result<&'a str> {
    let value = ready.get(field).and_then(Value::as_str);
    value.with_context(|| format!("`{field}` is missing in {ready}"))
}
