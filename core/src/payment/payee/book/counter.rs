//! Counts ticks: one hash each, in constant memory, written to the store by many at once.
//!
//! What was counted since the last write is lost with the process: the payee's own risk, which its policy bounds, as the
//! exposure bounds what all ticks together can be worth.
//!
//! Source: T6, T9 of `SPEC-MAP.md`.

use super::{Batch, Book, Offer, worth};
use crate::{
    amount::Amount,
    id::{ChainId, PeerId},
    payment::{
        payee::Fault,
        tick::{Context, Preimage, Ticks},
        voucher::Promise,
    },
    table::Table,
};

/// The ticks of the voucher that is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counter {
    ticks: Ticks,
    context: Context,
    /// Counted and durable.
    saved: u32,
}

impl Counter {
    /// Makes the counter of a promise that was verified; `None` if it has no ticks.
    pub(super) fn new(chain: ChainId, promise: &Promise) -> Option<Self> {
        let ticks = promise.voucher.body.ticks?;
        let context = Context::of(chain, &promise.voucher.body);
        Some(Self { ticks, context, saved: promise.steps() })
    }
}

impl Book {
    /// Takes a preimage of the voucher that is held, and returns what it adds. Nothing changes if it adds nothing.
    ///
    /// # Errors
    /// [`Fault`]; [`Fault::Early`] if the voucher that it may be of is still being written.
    pub(in crate::payment::payee) fn tick(
        &mut self,
        peer: PeerId,
        preimage: Preimage,
        offer: &Offer,
    ) -> Result<Amount, Fault> {
        let best = self.best();
        let held = self.held.as_ref();
        let is_newest = held.is_some_and(|held| held.voucher.body.seq == best.seq);
        if !is_newest {
            return Err(self.come_early(peer, preimage));
        }
        let counter = self.counter.as_ref().ok_or(Fault::NoTicks)?;
        let Some(Promise { voucher, tick }) = held else { return Err(Fault::NoTicks) };
        let cum = voucher.body.cum;
        let tick = counter.ticks.advance(&counter.context, *tick, preimage).map_err(Fault::Tick)?;
        let sum = counter.ticks.worth(cum, tick.count).ok_or(Fault::Overdrawn)?;
        self.check_sum(offer, sum)?;
        if let Some(held) = &mut self.held {
            held.tick = Some(tick);
        }
        Ok(sum.saturating_sub(best.cum))
    }

    /// Keeps the newest preimage that came before its voucher was durable.
    fn come_early(&mut self, peer: PeerId, preimage: Preimage) -> Fault {
        let newest = self.next.as_ref().or(self.writing.as_ref());
        if newest.is_none_or(|batch| batch.promise.voucher.body.ticks.is_none()) {
            return Fault::NoTicks;
        }
        self.early = Some((peer, preimage));
        Fault::Early
    }

    /// Returns the preimage that waited for its voucher.
    pub(in crate::payment::payee) const fn take_early(&mut self) -> Option<(PeerId, Preimage)> {
        self.early.take()
    }

    /// Returns the promise to write, if so many ticks were counted since the last time.
    pub(super) fn unsaved(&self, least: u32) -> Option<Batch> {
        let (held, counter) = (self.held.as_ref()?, self.counter.as_ref()?);
        let unsaved = held.steps().saturating_sub(counter.saved);
        let credits = Table::new();
        (unsaved >= least.max(1)).then(|| Batch { promise: held.clone(), credits })
    }

    /// Holds what is durable now, or notes that a part of what is held is.
    pub(super) fn hold(&mut self, durable: Promise) {
        let body = &durable.voucher.body;
        let same = self.held.as_ref().filter(|held| held.voucher.body.seq == body.seq);
        if let (Some(held), Some(counter)) = (same, &mut self.counter)
            && worth(held) >= worth(&durable)
        {
            counter.saved = durable.steps();
            return;
        }
        self.counter = self.chain.and_then(|chain| Counter::new(chain, &durable));
        self.held = Some(durable);
    }
}
