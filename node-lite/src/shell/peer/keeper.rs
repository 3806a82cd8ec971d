//! Who keeps a native peer: counts what it does, logs it, and lets the steward look after its money.

use super::counts::Counts;
use crate::peer::steward::Steward;
use antiphon_core::client::{Notice, Output, Snapshot};
use antiphon_host::{desk::Desk, keeper::Keeper, links::Links};
use core::convert::Infallible;
use std::sync::Arc;

/// Looks between two lines of the log.
const LOOKS_A_LINE: u32 = 30;

/// Keeps a peer that nobody sits in front of.
#[derive(Debug)]
pub struct Watchman {
    steward: Steward,
    counts: Arc<Counts>,
    looks: u32,
}

impl Watchman {
    /// Makes one.
    pub const fn new(steward: Steward, counts: Arc<Counts>) -> Self {
        Self { steward, counts, looks: 0 }
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

    fn look<L: Links>(&mut self, desk: &mut Desk<L>) {
        let shown = desk.snapshot();
        self.counts.show(&shown, desk.tuned());
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
}
