//! How far a call is: what the chain and its field show of it.

use super::{Act, Entry, Stage};
use crate::{
    chain::{
        Level,
        transaction::{LIFETIME, Message},
    },
    client::{FieldView, GiftStage, PaymentStanding, Snapshot},
    id::Height,
};

/// How far the sequence of a transaction shows it to be.
///
/// The chain's proof is of the sequence, not of the transaction: where another device signs with the same key, another one
/// may have taken the place of this, and is shown here. One device a key.
pub(super) fn transaction_stage(
    call: &Entry,
    sequences: [Option<(Height, u64)>; 3],
) -> Option<Stage> {
    let sent = call.sent()?.body;
    in_place((sent.sequence, sent.reference_height), call.stage, sequences)
}

/// The same of a place in the account's sequence, with the block that was referred to.
pub(super) fn in_place(
    (place, reference): (u64, Height),
    stage: Stage,
    sequences: [Option<(Height, u64)>; 3],
) -> Option<Stage> {
    let has = |level: Level| {
        let at = Level::ALL.iter().position(|known| *known == level)?;
        sequences.get(at).copied().flatten()
    };
    let is_in = |level| has(level).is_some_and(|(_, used)| used >= place);
    for level in Level::ALL.into_iter().rev() {
        if is_in(level) {
            return Some(at_level(level).max(stage));
        }
    }
    // The client makes it anew then, and its turn is told by `sending`; a life that ended long ago without that is over.
    let over = reference.plus(LIFETIME.saturating_mul(2));
    has(Level::Settled).filter(|(height, _)| *height > over).map(|_| Stage::Failed)
}

/// How far is what a block of this level has.
pub(super) const fn at_level(level: Level) -> Stage {
    match level {
        Level::Included => Stage::Included,
        Level::Settled => Stage::Settled,
        Level::Final => Stage::Final,
    }
}

/// How far a pool is whose transaction was not made before the application ended: it will be, if the client has written the
/// pool down. Of one that is not proven a snapshot shows no deposit, so any may be it; sooner or later each is proven, or
/// given up.
pub(super) fn reservation_stage(call: &Entry, shown: &Snapshot) -> Option<Stage> {
    // Whoever has an address has read its pools.
    if !call.is_read || shown.wallet.address.is_none() {
        return None;
    }
    let mut gifts = shown.gifts.iter().filter(|gift| gift.is_given);
    let may_come = if let Act::Give { to, amount, purpose } = &call.act {
        gifts.any(|gift| {
            gift.stage == GiftStage::Asked
                && (&gift.other, &gift.amount, &gift.purpose) == (to, amount, purpose)
        })
    } else {
        let is_gift = |pool| gifts.clone().any(|gift| gift.pool == pool);
        shown.wallet.locked.iter().any(|one| one.held.is_none() && !is_gift(one.pool))
    };
    (!may_come).then_some(Stage::Failed)
}

/// How far a field shows a payment of its own to be.
pub(super) fn payment_stage(call: &Entry, view: &FieldView) -> Option<Stage> {
    let id = call.payment?;
    let found = view.payments.iter().find(|one| one.id == Some(id));
    Some(match found.map(|one| one.standing) {
        Some(PaymentStanding::Pending | PaymentStanding::Sequenced) => Stage::Pending,
        Some(PaymentStanding::Void) => Stage::Failed,
        // What is committed has no name of its own any more.
        Some(PaymentStanding::Committed) | None => Stage::Committed,
    })
}

impl Act {
    /// Returns whether this is what a message orders.
    pub(super) fn is(&self, message: &Message) -> bool {
        match (self, message) {
            (
                Self::Transfer { token, to, amount },
                Message::Transfer { token: sent, to: whom, amount: sum },
            ) => (token, to, amount) == (sent, whom, sum),
            (Self::Bond(who, sum), Message::Bond { staker, amount })
            | (Self::Unbond(who, sum), Message::Unbond { staker, amount }) => {
                (who, sum) == (staker, amount)
            }
            (Self::Withdraw(who), Message::Withdraw { staker }) => who == staker,
            (Self::OpenPool(sum), Message::CreatePool(terms)) => {
                terms.only.is_none() && terms.deposit == *sum
            }
            (Self::Give { to, amount, purpose }, Message::CreatePool(terms)) => {
                terms.deposit == *amount
                    && terms
                        .only
                        .as_ref()
                        .is_some_and(|only| only.payee == *to && only.purpose.as_str() == purpose)
            }
            _ => false,
        }
    }
}
