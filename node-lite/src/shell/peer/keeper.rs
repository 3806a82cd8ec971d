//! Who keeps a native peer: counts what it does, logs it, holds it to what it may give, and lets the steward look after its money.

use super::counts::Counts;
use crate::peer::steward::Steward;
use antiphon_core::{
    client::{Notice, Output, Snapshot},
    delivery::sharing,
};
use antiphon_host::{
    desk::Desk,
    giving::Giving,
    keeper::{Keeper, Ticket},
    links::Links,
};
use core::convert::Infallible;
use std::sync::Arc;

/// Looks between two lines of the log.
const LOOKS_A_LINE: u32 = 30;

/// Keeps a peer that nobody sits in front of.
#[derive(Debug)]
pub struct Watchman {
    steward: Steward,
    giving: Giving,
    counts: Arc<Counts>,
    looks: u32,
}

impl Watchman {
    /// Makes one.
    pub const fn new(steward: Steward, giving: Giving, counts: Arc<Counts>) -> Self {
        Self { steward, giving, counts, looks: 0 }
    }

    fn log(&mut self, shown: &Snapshot) {
        if self.looks.is_multiple_of(LOOKS_A_LINE) {
            let delivery = &shown.delivery;
            tracing::info!(
                peers = shown.peers.len(),
                from_peers = delivery.from_peers,
                from_origin = delivery.from_origin,
                to_peers = delivery.to_peers,
                cached = delivery.cached,
                vouchers_in = %shown.wallet.vouchers_in.units(),
                "carrying"
            );
        }
        self.looks = self.looks.wrapping_add(1);
    }
}

impl Keeper for Watchman {
    type Request = Infallible;

    fn serve<L: Links>(&mut self, request: Infallible, _: &mut Desk<L>) {
        match request {}
    }

    fn loaded<L: Links>(&mut self, rows: Vec<(String, Vec<u8>)>, desk: &mut Desk<L>) {
        self.giving.loaded(&rows, desk);
    }

    fn look<L: Links>(&mut self, desk: &mut Desk<L>) {
        self.giving.count(desk);
        let shown = desk.snapshot();
        self.counts.show(&shown, desk.tuned(), self.giving.view());
        self.log(&shown);
        let Some(command) = self.steward.advise(desk.now(), &shown) else { return };
        if let Err(error) = desk.command(command) {
            tracing::debug!(code = error.code(), "the client refuses");
            self.steward.refused(&error);
        }
    }

    fn hear<L: Links>(&mut self, told: Output, _: &mut Desk<L>) {
        // Nobody looks anything up here.
        let Output::Notify(notice) = told else { return };
        self.counts.notice(&notice);
        match notice {
            Notice::Trouble(code) => tracing::warn!(code, "trouble"),
            Notice::Recovered(code) => tracing::info!(code, "well again"),
            Notice::Banned(code) => tracing::warn!(code, "a peer is banned"),
            Notice::Warning(..) | Notice::Changed => {}
        }
    }

    fn leaving<L: Links>(&mut self, desk: &mut Desk<L>) {
        self.giving.hear(sharing::Input::Left, desk);
    }

    fn kept<L: Links>(&mut self, ticket: Ticket, desk: &mut Desk<L>) {
        self.giving.kept(ticket, desk);
    }
}
