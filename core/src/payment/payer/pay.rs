//! Promises, by vouchers and by ticks: what is given away was stored before, and the sum of all never passes the deposit.
//!
//! Source: PROTOCOL A5.13, A10.7; T7 of `SPEC-MAP.md`.

use super::{
    MAX_TARGETS, Output, PayError, Payer, Waiting,
    line::{ChainRecord, ChainTerms, Line, NoTick, Owner, Write},
    record::{self, LineRecord},
};
use crate::{
    amount::Amount,
    crypto::Signed,
    id::{Address, Height, PoolId},
    payment::{
        tick::{Preimage, Ticks},
        voucher::Voucher,
    },
};
use alloc::vec::Vec;

impl Payer {
    /// Promises `price` more to `target`. The voucher leaves once it is stored; pays that come meanwhile are collected
    /// into the next one. Returns all that is promised to this target, this price included.
    ///
    /// # Errors
    /// [`PayError`]; nothing is promised then.
    pub fn pay(
        &mut self,
        id: PoolId,
        target: Address,
        price: Amount,
        out: &mut Vec<Output>,
    ) -> Result<Amount, PayError> {
        let deposit = self.check_pay(id, target)?;
        if price.is_zero() {
            return Err(PayError::NothingToPay);
        }
        let pool = self.pools.get_mut(&id).ok_or(PayError::NoPool)?;
        let line = pool.lines.get(&target);
        let wanted = line.map_or(Amount::ZERO, Line::wanted);
        let wanted = wanted.checked_add(price).ok_or(PayError::SequenceExhausted)?;
        // A10.7: the sum over all targets after this update.
        let needed = pool.promised(Some((target, wanted)));
        if needed.is_none_or(|needed| needed > deposit) {
            return Err(PayError::DepositExhausted { deposit });
        }
        pool.lines.entry(target).or_default().want(wanted);
        self.store_next(id, target, out);
        Ok(wanted)
    }

    /// Commits the next voucher for `target` to a chain of `length` ticks of `price` each (T1). The voucher leaves once it
    /// is stored, with as many of its ticks as are reserved at once; then each is paid by [`tick`](Self::tick).
    ///
    /// # Errors
    /// [`PayError`]; nothing is promised then.
    pub fn commit(
        &mut self,
        id: PoolId,
        target: Address,
        (price, length): (Amount, u32),
        out: &mut Vec<Output>,
    ) -> Result<(), PayError> {
        let deposit = self.check_pay(id, target)?;
        let pool = self.pools.get_mut(&id).ok_or(PayError::NoPool)?;
        let cum = pool.lines.get(&target).map_or(Amount::ZERO, Line::wanted);
        let anchor = Preimage([0; 32]);
        Ticks { anchor, price, length }.check(cum).map_err(PayError::Ticks)?;
        let terms = ChainTerms { price, length };
        let exhausted = PayError::DepositExhausted { deposit };
        let promised = pool.promised(Some((target, cum))).ok_or(exhausted)?;
        let reserve = terms.affordable(deposit.saturating_sub(promised));
        if reserve == 0 {
            return Err(exhausted);
        }
        pool.lines.entry(target).or_default().want_chain(ChainRecord { terms, reserve });
        self.store_next(id, target, out);
        Ok(())
    }

    /// Pays one tick more of the newest voucher: returns the preimage to give to `target`, with no write before it (T7).
    ///
    /// # Errors
    /// [`PayError`]; nothing is promised then. [`PayError::NotReserved`] passes with the next write.
    pub fn tick(
        &mut self,
        id: PoolId,
        target: Address,
        out: &mut Vec<Output>,
    ) -> Result<Preimage, PayError> {
        let deposit = self.check_pay(id, target)?;
        let Self { key, chain, pools, .. } = self;
        let owner = Owner { key, chain: *chain, pool: id, target };
        let line = pools.get_mut(&id).and_then(|pool| pool.lines.get_mut(&target));
        let line = line.ok_or(PayError::NoTicks)?;
        let revealed = line.reveal(&owner);
        if line.is_low() {
            self.reserve(id, target, deposit, out);
        }
        revealed.map_err(|error| match error {
            NoTick::NoChain => PayError::NoTicks,
            NoTick::Exhausted => PayError::TicksExhausted,
            NoTick::NotReserved if self.is_writing(id, target) => PayError::NotReserved,
            NoTick::NotReserved => PayError::DepositExhausted { deposit },
        })
    }

    /// Stores more ticks as promised, as far as the deposit goes (A10.7).
    fn reserve(&mut self, id: PoolId, target: Address, deposit: Amount, out: &mut Vec<Output>) {
        let Some(pool) = self.pools.get_mut(&id) else { return };
        let Some(promised) = pool.promised(None) else { return };
        let free = deposit.saturating_sub(promised);
        let write = pool.lines.get_mut(&target).and_then(|line| line.reserve(free));
        if let Some(write) = write {
            self.write(id, target, write, out);
        }
    }

    /// Returns whether a promise from another pool than this is on its way to the disk.
    pub fn is_writing_of_another(&self, id: PoolId) -> bool {
        self.waiting.values().any(|it| matches!(it, Waiting::Line(pool, _) if *pool != id))
    }

    pub(super) fn is_writing(&self, id: PoolId, target: Address) -> bool {
        let line = self.pools.get(&id).and_then(|pool| pool.lines.get(&target));
        line.is_some_and(Line::is_writing)
    }

    /// Returns whether a pool that ends at this height is too near its end to pay from (A5.14).
    pub fn is_too_near(&self, end: Height) -> bool {
        self.tip.plus(self.rules.settle_margin()) > end
    }

    /// Checks all that does not depend on the amount, and returns the deposit.
    fn check_pay(&self, id: PoolId, target: Address) -> Result<Amount, PayError> {
        let pool = self.pools.get(&id).ok_or(PayError::NoPool)?;
        if let Some(freeze) = pool.freeze {
            return Err(PayError::Frozen(freeze));
        }
        let (state, _) = pool.proven.as_ref().ok_or(PayError::NotProven)?;
        if target == self.address {
            return Err(PayError::OwnPool);
        }
        if state.only.as_ref().is_some_and(|only| only.payee != target) {
            return Err(PayError::NotPayee);
        }
        // No payee would accept it, and none could settle it in time (A5.14).
        if self.is_too_near(state.end_height) {
            return Err(PayError::EndTooNear);
        }
        match pool.lines.get(&target) {
            None if pool.lines.len() >= MAX_TARGETS => Err(PayError::TooManyTargets),
            Some(line) if line.is_exhausted() => Err(PayError::SequenceExhausted),
            Some(_) | None => Ok(state.deposit),
        }
    }

    /// Returns the newest tick that was revealed to `target` again, for a peer that came back.
    pub fn latest_tick(&self, id: PoolId, target: Address) -> Option<Preimage> {
        let pool = self.pools.get(&id).filter(|pool| pool.freeze.is_none())?;
        pool.lines.get(&target)?.latest_tick()
    }

    const fn owner(&self, pool: PoolId, target: Address) -> Owner<'_> {
        Owner { key: &self.key, chain: self.chain, pool, target }
    }

    /// Returns the newest stored voucher for `target` again, for a peer that came back. Same bytes as before.
    pub fn latest(&self, id: PoolId, target: Address) -> Option<Signed<Voucher>> {
        let pool = self.pools.get(&id).filter(|pool| pool.freeze.is_none())?;
        let line = pool.lines.get(&target).filter(|line| line.has_voucher())?;
        self.sign(id, target, line)
    }

    pub(super) fn line_stored(&mut self, id: PoolId, target: Address, out: &mut Vec<Output>) {
        let Self { key, chain, pools, .. } = self;
        let owner = Owner { key, chain: *chain, pool: id, target };
        let Some(pool) = pools.get_mut(&id) else { return };
        let Some(line) = pool.lines.get_mut(&target) else { return };
        let is_new = line.stored(&owner);
        // A pool may have been frozen while the disk worked: then the promise stays unspoken.
        if let Some(voucher) = self.latest(id, target).filter(|_| is_new) {
            out.push(Output::Voucher(target, voucher));
        }
        self.store_next(id, target, out);
    }

    /// Starts the write of what is wanted beyond the stored promise, unless one is under way.
    fn store_next(&mut self, id: PoolId, target: Address, out: &mut Vec<Output>) {
        let Some(pool) = self.pools.get_mut(&id).filter(|pool| pool.freeze.is_none()) else {
            return;
        };
        if let Some(write) = pool.lines.get_mut(&target).and_then(Line::start) {
            self.write(id, target, write, out);
        }
    }

    fn write(&mut self, id: PoolId, target: Address, write: Write, out: &mut Vec<Output>) {
        let Write { seq, cum, chain } = write;
        let record = LineRecord { device: self.device, seq, cum, chain };
        let token = self.wait_for(Waiting::Line(id, target));
        out.push(Output::Store(token, record::line_name(&id, &target), Some(record.to_bytes())));
    }

    fn sign(&self, id: PoolId, target: Address, line: &Line) -> Option<Signed<Voucher>> {
        let (state, _) = self.pools.get(&id)?.proven.as_ref()?;
        let (seq, cum, ticks) = line.voucher(&self.owner(id, target));
        let body = Voucher { pool: id, resource: state.resource, target, seq, cum, ticks };
        Some(Signed::new(&self.key, self.chain, body))
    }
}
