//! How long things took, how much memory the process holds, and what it writes.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use antiphon_core::id::{Height, TxId};
use serde_json::json;

/// Of so many durations one is kept: enough for a percentile, and the memory that is measured stays the nodes'.
const KEPT: usize = 32;

/// Durations, of which half and nearly all are told.
#[derive(Default)]
pub(crate) struct Times {
    seen: usize,
    kept: Vec<Duration>,
}

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        if self.seen.is_multiple_of(KEPT) {
            self.kept.push(time);
        }
        self.seen += 1;
    }

    /// Returns the median and the 99th percentile, in milliseconds.
    pub(crate) fn summary(&self) -> serde_json::Value {
        let mut sorted = self.kept.clone();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let place = sorted.len().saturating_sub(1) * percent / 100;
            sorted.get(place).map(|time| time.as_secs_f64() * 1e3)
        };
        json!({ "p50": at(50), "p99": at(99) })
    }
}

/// What was measured.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) seconds: f64,
    pub(crate) settled: usize,
    /// What the nodes, and what the threads that load and watch them have used.
    pub(crate) nodes: Duration,
    pub(crate) load: Duration,
    pub(crate) to_settled: Times,
    pub(crate) to_final: Times,
    /// Bytes that the process gave to its disk.
    pub(crate) written: u64,
    /// The process's resident memory in MiB, every ten seconds.
    pub(crate) resident: Vec<u64>,
}

impl Figures {
    pub(crate) fn rate(&self) -> f64 {
        self.settled as f64 / self.seconds
    }

    /// Returns bytes on the disk for each settled transfer.
    pub(crate) fn bytes_each(&self) -> f64 {
        self.written as f64 / self.settled as f64
    }

    /// Returns microseconds of processor time for each settled transfer.
    pub(crate) fn micros_each(&self, used: Duration) -> f64 {
        used.as_secs_f64() * 1e6 / self.settled as f64
    }
}

/// What is on its way.
#[derive(Default)]
pub(crate) struct Flight {
    sent: BTreeMap<TxId, Instant>,
    /// Settled and not final: when they were sent, by the height that holds them.
    settled: BTreeMap<Height, Vec<Instant>>,
}

impl Flight {
    pub(crate) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(crate) fn send(&mut self, id: TxId) {
        self.sent.insert(id, Instant::now());
    }

    /// Forgets what was sent long ago: it was lost on the way, and is not counted.
    pub(crate) fn forget_older(&mut self, age: Duration) -> usize {
        let before = self.sent.len();
        self.sent.retain(|_, at| at.elapsed() < age);
        before - self.sent.len()
    }

    pub(crate) fn settle(&mut self, id: &TxId, height: Height) -> Option<Duration> {
        let sent = self.sent.remove(id)?;
        self.settled.entry(height).or_default().push(sent);
        Some(sent.elapsed())
    }

    /// Returns how long it took each transaction at or below a final height.
    pub(crate) fn finalise(&mut self, height: Height) -> Vec<Duration> {
        let above = self.settled.split_off(&Height(height.0 + 1));
        let done = std::mem::replace(&mut self.settled, above);
        done.into_values().flatten().map(|sent| sent.elapsed()).collect()
    }
}

/// Returns the resident memory of this process in MiB, or 0 where the system does not tell.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// Returns the bytes that this process has given to its disk so far, or 0 where the system does not tell.
pub(crate) fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}

/// Returns the processor time that threads of this process have used so far: those whose names begin so, and the others.
/// Zero where the system does not tell.
pub(crate) fn used_by(threads: &str) -> (Duration, Duration) {
    let (mut named, mut others) = (Duration::ZERO, Duration::ZERO);
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
        let running = read("schedstat");
        let nanos = running.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
        let used = Duration::from_nanos(nanos.unwrap_or(0));
        *(if read("comm").starts_with(threads) { &mut named } else { &mut others }) += used;
    }
    (named, others)
}
