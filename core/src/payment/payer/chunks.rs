//! Pays for chunks: once by a voucher, then one hash for each (T1, T7 of `SPEC-MAP.md`).
//!
//! ```text
//! nothing yet --voucher--> paid before --voucher with ticks--> a tick a chunk --all revealed--> another voucher with ticks
//!                               ^------ a pool with little left, a price that is another, a payee that takes no ticks: by voucher
//! ```
//!
//! A write that is under way is waited for: what is owed meanwhile is paid together, by the last of its ticks.

use super::{Output, PayError, Payer, RESERVE, line::Line};
use crate::{
    amount::Amount,
    id::{Address, PoolId},
    payment::tick::{Preimage, STEPS_OF_A_SIGNATURE},
};
use alloc::vec::Vec;

/// Ticks of one voucher. Chosen here: as many as the chain settles for one fee (T8).
pub const LADDER: u32 = STEPS_OF_A_SIGNATURE - 1;

/// Prices that a pool must have left for another voucher with ticks, of which some are promised before they are needed.
/// Chosen here: what eight payees reserve.
const ROOM: u64 = RESERVE as u64 * 8;

/// What was paid now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    /// How much of what is owed; the rest is to be asked for again after the next write.
    pub amount: Amount,
    /// The newest tick, to give to the payee. A voucher comes by [`Output::Voucher`].
    pub tick: Option<Preimage>,
}

impl Payer {
    /// Pays `owed` for chunks of this price to a payee that takes ticks.
    ///
    /// # Errors
    /// [`PayError`]; nothing is paid then.
    pub fn pay_chunks(
        &mut self,
        id: PoolId,
        target: Address,
        (price, owed): (Amount, Amount),
        out: &mut Vec<Output>,
    ) -> Result<Paid, PayError> {
        if owed < price || price.is_zero() {
            return self.pay_at_once(id, target, owed, out);
        }
        let mut paid = Paid::default();
        if self.line(id, &target).and_then(Line::tick_price) == Some(price) {
            while owed.saturating_sub(paid.amount) >= price {
                match self.tick(id, target, out) {
                    Ok(tick) => {
                        let amount = paid.amount.checked_add(price).unwrap_or(owed);
                        paid = Paid { amount, tick: Some(tick) };
                    }
                    Err(_) => break,
                }
            }
        }
        if paid.tick.is_some() || self.is_writing(id, target) {
            return Ok(paid);
        }
        let is_new = self.line(id, &target).is_none_or(|line| !line.has_voucher());
        if is_new || !self.has_room(id, price) {
            return self.pay_at_once(id, target, owed, out);
        }
        match self.commit(id, target, (price, LADDER), out) {
            Ok(()) => Ok(paid),
            Err(PayError::DepositExhausted { .. }) => self.pay_at_once(id, target, owed, out),
            Err(error) => Err(error),
        }
    }

    fn pay_at_once(
        &mut self,
        id: PoolId,
        target: Address,
        owed: Amount,
        out: &mut Vec<Output>,
    ) -> Result<Paid, PayError> {
        self.pay(id, target, owed, out).map(|_| Paid { amount: owed, tick: None })
    }

    fn has_room(&self, id: PoolId, price: Amount) -> bool {
        let proven = self.pools.get(&id).and_then(|pool| pool.proven.as_ref());
        let deposit = proven.map_or(Amount::ZERO, |(state, _)| state.deposit);
        let left = deposit.saturating_sub(self.promised(id));
        price.checked_mul(ROOM).is_some_and(|room| room <= left)
    }

    fn line(&self, id: PoolId, target: &Address) -> Option<&Line> {
        self.pools.get(&id)?.lines.get(target)
    }
}
