//! How far a call is: what the chain and its field show of it.

use super::{Act, Entry, Stage};
use crate::{
    chain::{
        Level,
        transaction::{LIFETIME, Message, decode_transaction},
    },
    client::{FieldView, PaymentStanding},
    id::Height,
};

/// How far the sequence of a transaction shows it to be.
pub(super) fn transaction_stage(
    call: &Entry,
    sequences: [Option<(Height, u64)>; 3],
) -> Option<Stage> {
    let sent = decode_transaction(call.transaction.as_ref()?).ok()?.body;
    let has = |level: Level| {
        let at = Level::ALL.iter().position(|known| *known == level)?;
        sequences.get(at).copied().flatten()
    };
    let is_in = |level| has(level).is_some_and(|(_, used)| used >= sent.sequence);
    for (level, stage) in [
        (Level::Final, Stage::Final),
        (Level::Settled, Stage::Settled),
        (Level::Included, Stage::Included),
    ] {
        if is_in(level) {
            return Some(stage.max(call.stage));
        }
    }
    // The client makes it anew then, and its turn is told by `sending`; a life that ended long ago without that is over.
    let over = sent.reference_height.plus(LIFETIME.saturating_mul(2));
    has(Level::Settled).filter(|(height, _)| *height > over).map(|_| Stage::Failed)
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
