//! One pool as its payer sees it: what was asked of the chain, what is proven, what is promised, what stands in the way.

use super::{
    DeviceId, Freeze,
    line::Line,
    record::{LineRecord, PoolRecord, Row},
};
use crate::{
    amount::Amount,
    id::{Address, ChainId, Height, PoolId},
    payment::reservation::{PoolRules, PoolState, PoolTerms},
    row::Damaged,
    table::Table,
};
use alloc::vec::Vec;

/// One pool.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) terms: Option<PoolTerms>,
    pub(super) proven: Option<(PoolState, Height)>,
    pub(super) lines: Table<Address, Line>,
    pub(super) freeze: Option<Freeze>,
    /// Why the pool was not opened, until the application asks again.
    pub(super) refusal: Option<&'static str>,
}

impl Pool {
    pub(super) const fn new(terms: Option<PoolTerms>) -> Self {
        Self { terms, proven: None, lines: Table::new(), freeze: None, refusal: None }
    }

    /// Takes one of its stored rows, or freezes.
    pub(super) fn restore(
        &mut self,
        (chain, id, device): (ChainId, PoolId, DeviceId),
        row: Row,
        bytes: Result<Vec<u8>, Damaged>,
    ) {
        let writer = bytes.and_then(|bytes| match row {
            Row::Pool(_) => PoolRecord::from_bytes(&bytes).map(|record| {
                let is_its_own = record.terms.id(chain) == id;
                self.terms = is_its_own.then_some(record.terms);
                record.device
            }),
            Row::Line(_, target) => LineRecord::from_bytes(&bytes).map(|record| {
                self.lines.insert(target, Line::restored(record.seq, record.cum, record.chain));
                record.device
            }),
        });
        match writer {
            Ok(writer) if writer == device => {}
            Ok(_) => self.freeze = Some(Freeze::OtherDevice),
            Err(Damaged) => self.freeze = Some(Freeze::Damaged),
        }
    }

    /// Sums what every target is promised, with one target's promise raised; `None` on overflow.
    pub(super) fn promised(&self, change: Option<(Address, Amount)>) -> Option<Amount> {
        let changed = change.map(|(target, _)| target);
        let others = self.lines.iter().filter(|(target, _)| Some(**target) != changed);
        let sums = others.map(|(_, line)| line.committed());
        // Ticks that are reserved stay promised until another voucher is durable.
        let own = change.map(|(target, wanted)| match self.lines.get(&target) {
            Some(line) => line.committed_at(wanted.max(line.wanted())),
            None => wanted,
        });
        Amount::checked_sum(sums.chain(own))
    }

    /// Returns the terms if the pool was refused, is of the wanted stream and deposit, and could still be opened; it
    /// counts as not refused then.
    pub(super) fn ask_again(
        &mut self,
        wanted: &PoolTerms,
        rules: &PoolRules,
        tip: Height,
    ) -> Option<PoolTerms> {
        let terms = self.terms.as_ref()?;
        let is_alike = (terms.resource, terms.deposit) == (wanted.resource, wanted.deposit);
        let is_possible = self.freeze.is_none() && terms.open(rules, tip).is_ok();
        self.refusal.take_if(|_| is_alike && is_possible).map(|_| terms.clone())
    }
}
