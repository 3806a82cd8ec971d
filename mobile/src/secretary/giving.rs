//! Hears for `sharing` what the client gives, writes down what it takes of the month, and tells the client.

use super::{Secretary, sharing};
use crate::sharing::{Sharing, SharingView};
use antiphon_core::client::Command;
use antiphon_host::{clock, desk::Desk, keeper::Ticket, links::Links};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The row of what was taken of each month.
const ROW: &str = "given";

/// What one client gives.
#[derive(Debug)]
pub(crate) struct Giving {
    sharing: Sharing,
    /// For whoever begins after it: bytes of the session that count as given, should the client end without a word.
    at_most: Arc<AtomicU64>,
    /// The newest row, while it is written.
    writing: Option<Ticket>,
}

impl Giving {
    pub(crate) const fn new(sharing: Sharing, at_most: Arc<AtomicU64>) -> Self {
        Self { sharing, at_most, writing: None }
    }

    /// Returns what is to be shown.
    pub(super) fn view(&self) -> SharingView {
        self.sharing.view()
    }

    /// Returns whether this is the newest row: rows before it are durable, too.
    pub(super) fn is_kept(&mut self, ticket: Ticket) -> bool {
        self.writing.take_if(|writing| *writing == ticket).is_some()
    }
}

impl Secretary {
    /// Counts what the client has given.
    pub(super) fn count<L: Links>(&mut self, desk: &mut Desk<L>) {
        let bytes = desk.snapshot().delivery.to_peers;
        self.decide(sharing::Input::Served(bytes), desk);
    }

    /// Hears of something else, after what was given until then.
    pub(super) fn share<L: Links>(&mut self, input: sharing::Input, desk: &mut Desk<L>) {
        self.count(desk);
        self.decide(input, desk);
    }

    fn decide<L: Links>(&mut self, input: sharing::Input, desk: &mut Desk<L>) {
        let Giving { sharing, at_most, writing } = &mut self.giving;
        let (before, mut out) = (sharing.view(), Vec::new());
        sharing.handle(clock::now(), input, &mut out);
        at_most.store(sharing.at_most(), Ordering::Relaxed);
        self.is_changed |= sharing.view() != before;
        for output in out {
            match output {
                sharing::Output::Keep(row) => *writing = Some(desk.keep(ROW, Some(row))),
                sharing::Output::Apply(policy) => {
                    // No client refuses to give what was agreed to.
                    let _ = desk.command(Command::SetUpload(policy));
                }
            }
        }
    }
}

/// Returns what was written before.
pub(super) fn row(rows: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    rows.iter().find(|(name, _)| name == ROW).map(|(_, row)| row.clone())
}
