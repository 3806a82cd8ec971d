//! What an application may show of a pool that pays us.

use super::{PayeePolicy, book::Book};
use crate::{
    amount::Amount,
    chain::Level,
    crypto::PublicKey,
    id::{Height, PoolId},
    payment::reservation::{Claim, PoolRules},
};

/// A pool that pays us, with what is at risk in it (A5.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookView {
    /// Its id.
    pub pool: PoolId,
    /// What the promises held are worth, durably but for some ticks, beyond what the chain is proven to have paid.
    pub held: Amount,
    /// What the chain is proven to have paid.
    pub paid: Amount,
    /// What is promised and not paid: all that can be lost.
    pub exposure: Amount,
    /// `e_max`: what the exposure may not pass.
    pub max_exposure: Amount,
    /// Whether the creator promised more than the pool holds.
    pub is_insolvent: bool,
    /// What we claim of an insolvent pool, and what that brought.
    pub claim: Option<Claim>,
    /// Whether a settlement is on its way.
    pub is_settling: bool,
    /// What the chain showed; `None` until it did.
    pub proven: Option<ProvenView>,
}

/// What the chain showed of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenView {
    /// Who pays.
    pub creator: PublicKey,
    /// What it still can pay to all.
    pub remaining: Amount,
    /// Locked beside the deposit.
    pub collateral: Amount,
    /// What the creator loses at least by cheating, whoever reports it: the collateral without the bounty (A5.15).
    pub cost: Amount,
    /// `collateral / e_max`: about how many payees must be cheated at once before it pays (A5.15).
    pub cover: u128,
    /// Last block in which we can settle.
    pub end: Height,
    /// The block that showed it.
    pub height: Height,
    /// How far that is believed; final once any final block showed the pool.
    pub level: Level,
}

pub(super) fn of(pool: PoolId, book: &Book, rules: &PoolRules, policy: &PayeePolicy) -> BookView {
    let proven = book.proof().map(|proof| ProvenView {
        creator: proof.state.creator,
        remaining: proof.state.remaining(),
        collateral: proof.state.collateral,
        cost: proof.state.collateral.saturating_sub(rules.bounty),
        cover: proof.state.collateral.units().checked_div(policy.max_exposure.units()).unwrap_or(0),
        end: proof.state.end_height,
        height: proof.height,
        level: if book.is_final() { Level::Final } else { proof.level },
    });
    BookView {
        pool,
        held: book.owed(),
        paid: book.paid().cum,
        exposure: book.exposure(),
        max_exposure: policy.max_exposure,
        is_insolvent: book.is_insolvent(),
        claim: book.paid().claim,
        is_settling: book.is_settling(),
        proven,
    }
}
