//! Executes the transactions of a block on several threads where they have nothing to do with each other.
//!
//! ```text
//! transactions ─ what each will touch, and its scope ─> groups ─> one session a thread, in the block's order
//!                                                                     |
//!       one session <── no row written there was read or written here ┤
//!       all again, one after the other <────────── otherwise ─────────┘
//! ```
//!
//! How transactions are grouped is a guess, and decides nothing but speed: what counts are the rows that were really read
//! and written (A9.5). Where no session wrote a row that another one touched, no transaction saw anything else than it would
//! have seen after all those before it, so the result is the one of executing them in order.
//!
//! Source: seed 002 (aelf) §5.2.3, AELF-24; ALZA-7; PROTOCOL A9.5.

#[cfg(test)]
mod tests;

use super::{
    apply::{Session, TxError},
    footprint::groups,
};
use crate::storage::Storage;
use antiphon_core::{chain::transaction::SignedTransaction, id::Address};
use std::{num::NonZeroUsize, thread};

/// Below this many transactions a thread costs more than it brings. Chosen here.
const MIN_PARALLEL: usize = 32;

/// A transaction to be executed, with whether its signatures are known to hold.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) tx: SignedTransaction,
    pub(super) is_known: bool,
}

impl Job {
    /// Returns the sender with the sequence that it spends.
    pub(super) fn spends(&self) -> (Address, u64) {
        (self.tx.body.sender.address(), self.tx.body.sequence)
    }
}

/// What became of each transaction, in order.
pub(super) type Verdicts = Vec<Result<(), TxError>>;

/// Applies the jobs in order to `session`, on at most `workers` threads if it is fresh.
///
/// Refused ones leave nothing behind. The result does not depend on `workers`.
pub(super) fn apply_all<'a, S: Storage>(
    session: &mut Session<'a, S>,
    jobs: &[Job],
    workers: NonZeroUsize,
) -> Verdicts {
    if workers.get() > 1 && jobs.len() >= MIN_PARALLEL && session.is_fresh() {
        let bins = bins(groups(jobs), workers.get());
        if let Some(verdicts) = apply_apart(session, jobs, &bins) {
            return verdicts;
        }
    }
    jobs.iter().map(|job| session.apply(&job.tx, job.is_known)).collect()
}

/// Spreads groups of places over so many bins, the largest first, each bin in the block's order.
fn bins(mut groups: Vec<Vec<usize>>, count: usize) -> Vec<Vec<usize>> {
    let mut bins = vec![Vec::new(); count];
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    for group in groups {
        if let Some(least) = bins.iter_mut().min_by_key(|bin| bin.len()) {
            least.extend(group);
        }
    }
    bins.retain(|bin| !bin.is_empty());
    bins.iter_mut().for_each(|bin| bin.sort_unstable());
    bins
}

/// Applies each bin in a session of its own. `None`, and nothing changed, where they turn out to have to do with each other.
fn apply_apart<'a, S: Storage>(
    session: &mut Session<'a, S>,
    jobs: &[Job],
    bins: &[Vec<usize>],
) -> Option<Verdicts> {
    if bins.len() < 2 {
        return None;
    }
    let mut forks: Vec<Session<'a, S>> = bins.iter().map(|_| session.fork()).collect();
    let mut verdicts = vec![Vec::new(); bins.len()];
    thread::scope(|scope| {
        for ((bin, fork), verdicts) in bins.iter().zip(&mut forks).zip(&mut verdicts) {
            scope.spawn(move || {
                let jobs = bin.iter().filter_map(|place| Some((*place, jobs.get(*place)?)));
                verdicts
                    .extend(jobs.map(|(place, job)| (place, fork.apply(&job.tx, job.is_known))));
            });
        }
    });
    session.join(forks).then(|| {
        let mut verdicts: Vec<_> = verdicts.into_iter().flatten().collect();
        verdicts.sort_by_key(|(place, _)| *place);
        verdicts.into_iter().map(|(_, verdict)| verdict).collect()
    })
}
