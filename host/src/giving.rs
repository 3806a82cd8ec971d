//! What a native client gives: its keeper tells `sharing` what happened, and here is written down and told to the client what follows.

use crate::{clock, desk::Desk, keeper::Ticket, links::Links};
use antiphon_core::{
    client::Command,
    delivery::sharing::{Input, Output, Sharing, View},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The keeper's row of what was taken of each month.
const ROW: &str = "given";

/// What one client gives, within what was agreed to.
#[derive(Debug)]
pub struct Giving {
    sharing: Sharing,
    /// For whoever begins after it: bytes of the session that count as given, should the client end without a word.
    at_most: Arc<AtomicU64>,
    /// The newest row, while it is written.
    writing: Option<Ticket>,
}

impl Giving {
    /// Makes what one client gives. `at_most` is kept at the bytes of the session that the next client begins with.
    pub const fn new(sharing: Sharing, at_most: Arc<AtomicU64>) -> Self {
        Self { sharing, at_most, writing: None }
    }

    /// Returns what is to be shown.
    pub fn view(&self) -> View {
        self.sharing.view()
    }

    /// Reads what was written before. For [`crate::keeper::Keeper::loaded`].
    pub fn loaded<L: Links>(&mut self, rows: &[(String, Vec<u8>)], desk: &mut Desk<L>) {
        let row = rows.iter().find(|(name, _)| name == ROW).map(|(_, row)| row.clone());
        self.hear(Input::Loaded(row), desk);
    }

    /// Goes on if it is the newest row that is durable: those before it are, too. For [`crate::keeper::Keeper::kept`].
    pub fn kept<L: Links>(&mut self, ticket: Ticket, desk: &mut Desk<L>) {
        if self.writing.take_if(|writing| *writing == ticket).is_some() {
            self.hear(Input::Kept, desk);
        }
    }

    /// Counts what the client has given. For [`crate::keeper::Keeper::look`].
    pub fn count<L: Links>(&mut self, desk: &mut Desk<L>) {
        let bytes = desk.snapshot().delivery.to_peers;
        self.decide(Input::Served(bytes), desk);
    }

    /// Hears of something else, after what was given until then.
    pub fn hear<L: Links>(&mut self, input: Input, desk: &mut Desk<L>) {
        self.count(desk);
        self.decide(input, desk);
    }

    fn decide<L: Links>(&mut self, input: Input, desk: &mut Desk<L>) {
        let mut out = Vec::new();
        self.sharing.handle(clock::now(), input, &mut out);
        self.at_most.store(self.sharing.at_most(), Ordering::Relaxed);
        for output in out {
            match output {
                Output::Keep(row) => self.writing = Some(desk.keep(ROW, Some(row))),
                Output::Apply(policy) => {
                    // No client refuses to give what was agreed to.
                    let _ = desk.command(Command::SetUpload(policy));
                }
            }
        }
    }
}
