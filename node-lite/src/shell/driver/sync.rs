//! Runs a sync on the node's thread, before there is a node: with the same mailbox and the same way to others.

use super::{Carrier, Clock, Event, IDLE, Mailbox, Verdict};
use crate::{
    bft::Peer,
    shell::store::Store,
    supernode::wire::Wire,
    sync::{Config, Input, Output, Sync, SyncError},
};
use std::{
    sync::{atomic::Ordering, mpsc::RecvTimeoutError},
    time::{Duration, Instant},
};

/// Between two lines of the log about how far it is. Chosen here.
const REPORT: Duration = Duration::from_secs(5);

/// How a sync ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The store has a head.
    Synced,
    /// There is nothing to sync: the chain has no final checkpoint.
    Nothing,
    /// The process is being stopped.
    Stopped,
}

/// Syncs the state of a chain into an empty store, or goes on with it.
///
/// # Errors
/// [`SyncError`].
pub fn run(
    mailbox: &mut Mailbox,
    carrier: &mut impl Carrier,
    (store, clock): (&Store, Clock),
    config: Config,
) -> Result<End, SyncError> {
    let mut out = Vec::new();
    let start = store.sync_start()?;
    let (resumes, held) = (start.target.is_some(), start.pieces.len());
    if resumes {
        tracing::info!(held, "state sync goes on with the ranges that are on the disk");
    }
    let mut sync = Sync::new(clock.now(), config, start, &mut out)?;
    let mut report = Report { at: Instant::now(), began: Instant::now() };
    while !mailbox.handle.stopping.load(Ordering::Acquire) {
        if let Some(end) = carry_out(std::mem::take(&mut out), carrier, store, &mut report)? {
            return Ok(end);
        }
        let wait = sync.deadline().map_or(IDLE, |at| at.since(clock.now()).min(IDLE));
        match mailbox.receiver.recv_timeout(wait) {
            Ok(Event::Bytes(from, bytes, ticket)) => {
                mailbox.handle.queued_bytes.fetch_sub(bytes.len(), Ordering::AcqRel);
                let (input, verdict) = match Wire::decode(&bytes) {
                    Ok(Wire::Sync(message)) => (Input::Message(from, message), Verdict::Fair),
                    // Without a state nothing can be said for or against it.
                    Ok(_) => (Input::Heard(from), Verdict::Unjudged),
                    Err(_) => (Input::Heard(from), Verdict::Foul),
                };
                sync.handle(clock.now(), input, &mut out);
                if let Some(ticket) = ticket {
                    let foul = is_foul(&out, from);
                    carrier.judged(ticket, if foul { Verdict::Foul } else { verdict });
                }
            }
            Ok(Event::Neighbours(neighbours)) => {
                for peer in &neighbours {
                    sync.handle(clock.now(), Input::Heard(*peer), &mut out);
                }
                mailbox.neighbours = neighbours;
            }
            // Nobody is told anything before there is a node; who asks hears that it is not there.
            Ok(Event::Call(_) | Event::Stop) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(End::Stopped),
        }
        if sync.deadline().is_some_and(|at| at <= clock.now()) {
            sync.handle(clock.now(), Input::Tick, &mut out);
        }
    }
    Ok(End::Stopped)
}

fn is_foul(out: &[Output], from: Peer) -> bool {
    out.iter().any(
        |output| matches!(output, Output::Blame(peer, fault) if *peer == from && fault.is_foul()),
    )
}

/// When the log last said how far it is.
struct Report {
    at: Instant,
    began: Instant,
}

fn carry_out(
    outputs: Vec<Output>,
    carrier: &mut impl Carrier,
    store: &Store,
    report: &mut Report,
) -> Result<Option<End>, SyncError> {
    for output in outputs {
        match output {
            Output::Store(part) => store.write(&[crate::storage::Write::Sync(part)])?,
            Output::Send(to, bytes) => carrier.send(to, bytes),
            Output::Blame(peer, fault) => {
                tracing::warn!(peer, code = fault.code(), %fault, "state sync: a neighbour");
            }
            Output::Progress(rows, bytes) => {
                tracing::debug!(rows, bytes, "range");
                if report.at.elapsed() >= REPORT {
                    report.at = Instant::now();
                    tracing::info!(rows, bytes, "state sync");
                }
            }
            Output::Done => {
                let seconds = report.began.elapsed().as_secs_f64();
                tracing::info!(seconds, "state synced");
                return Ok(Some(End::Synced));
            }
            Output::Nothing => return Ok(Some(End::Nothing)),
            Output::Failed(error) => return Err(error),
        }
    }
    Ok(None)
}
