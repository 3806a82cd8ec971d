//! Keeps a native peer's money in order: opens a pool for what it takes from others if it was given a deposit, asks a
//! development chain's faucet if it may, and takes back what is left of ended pools.
//!
//! What the peer earns needs no steward: the payee settles by itself before anything is at risk (A5.14).

use antiphon_core::{
    amount::Amount,
    client::{Command, CommandError, PoolView, Snapshot},
    time::Moment,
    wallet::book::BookError,
};
use std::time::Duration;

/// Between two orders. Chosen here: a transaction is in a block by then.
pub const PAUSE: Duration = Duration::from_secs(10);

/// Between two looks for ended pools. Chosen here: freezes last thousands of blocks.
pub const RELEASE_PAUSE: Duration = Duration::from_secs(300);

/// Blocks before the end of a pool at which another is opened.
pub const END_MARGIN: u64 = 120;

/// Chunks that a pool must still pay for, else another is opened; half a deposit suffices where it buys fewer.
pub const LEAST_CHUNKS: u64 = 64;

/// What the keeper of the peer agreed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What each pool locks; nothing is paid, and little got from others, without.
    pub deposit: Option<Amount>,
    /// Whether the faucet may be asked.
    pub may_ask_faucet: bool,
}

/// Keeps a native peer's money in order.
#[derive(Clone, Debug)]
pub struct Steward {
    policy: Policy,
    rests_until: Moment,
    releases_at: Moment,
    /// The chain said that there is too little to open a pool.
    is_poor: bool,
}

impl Steward {
    /// Makes a steward.
    pub const fn new(policy: Policy) -> Self {
        Self { policy, rests_until: Moment::ZERO, releases_at: Moment::ZERO, is_poor: false }
    }

    /// Returns what to ask of the client now, if anything.
    pub fn advise(&mut self, now: Moment, shown: &Snapshot) -> Option<Command> {
        let stream = shown.stream.as_ref()?;
        shown.wallet.account.as_ref()?;
        if now < self.rests_until {
            return None;
        }
        let is_paying = |deposit: Amount| {
            let half = Amount::from_units(deposit.units() / 2);
            let least =
                stream.price.checked_mul(LEAST_CHUNKS).map_or(half, |least| least.min(half));
            stream.price.is_zero()
                || shown.wallet.pool.as_ref().is_some_and(|pool| lasts(pool, shown, least))
        };
        let command = match self.policy.deposit.filter(|deposit| !is_paying(*deposit)) {
            Some(_) if core::mem::take(&mut self.is_poor) => Command::AskFaucet,
            Some(deposit) => Command::OpenPool(deposit),
            None if now >= self.releases_at => {
                self.releases_at = now.after(RELEASE_PAUSE);
                Command::Release
            }
            None => return None,
        };
        self.rests_until = now.after(PAUSE);
        Some(command)
    }

    /// Hears that the client refused what was asked.
    pub fn refused(&mut self, error: &CommandError) {
        if matches!(error, CommandError::Book(BookError::Insufficient { .. })) {
            self.is_poor = self.policy.may_ask_faucet;
        }
    }
}

/// Returns whether a pool pays, or will once it is proven.
fn lasts(pool: &PoolView, shown: &Snapshot, least: Amount) -> bool {
    let is_young = pool.end > shown.chain.settled.plus(END_MARGIN);
    let left = pool.deposit.as_ref().map(|proven| proven.value.saturating_sub(pool.promised));
    pool.refusal.is_none() && is_young && left.is_none_or(|left| left >= least)
}

#[cfg(test)]
mod tests;
