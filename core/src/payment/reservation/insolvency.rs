//! A pool whose creator promised more than its deposit: who shows it, who gets what is left, and what is burned.
//!
//! ```text
//! settlement beyond the deposit ──┐
//! evidence: promises to several ──┴─> bounty to whoever brings it; the rest of the collateral is burned at once
//!     since ... since + F - 1   each target claims, by its best promise; more may still be claimed by a better one
//!     since + F ...             each target collects floor(remaining * weight / sum of weights), once, in any order
//!                               the last to collect burns what the divisions left over
//! ```
//!
//! Each act costs the chain the same, however many were cheated: the pool keeps sums, and each target's row its claim.
//! What nobody collects stays in the pool, counted for ever.
//!
//! Deviation from A5.11: no promise weighs more than the deposit, so that a voucher for more money than exists cannot
//! make the sum of weights overflow and shut honest claims out. No honest claim is above the deposit.
//!
//! Source: PROTOCOL A5.10, A5.11, A10.6.

use super::{PaidState, PoolRules, PoolState, PoolStatus, SettleError, Window};
use crate::{
    amount::Amount,
    codec::Bounded,
    id::{Address, ChainId, Height, PoolId},
    payment::voucher::{Promise, PromiseError, Voucher},
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most promises in evidence of an overdraft. Chosen here: what is checked for one fee takes a few milliseconds. Whoever
/// promises to more targets than that, to each less than a 64th of the deposit, is found out by a settlement.
pub const MAX_PROMISES: usize = 64;

/// What the chain keeps of a pool that promised too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Insolvency {
    /// The block that found it out.
    pub since: Height,
    /// The sum of all claims' weights.
    pub claimed: Amount,
    /// Claims that were not collected.
    pub uncollected: u64,
    /// What the chain still holds for them.
    pub left: Amount,
}

/// What a target claims of an insolvent pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Claim {
    /// What it was promised and not paid, the deposit at most.
    pub weight: Amount,
    /// What it got, once it has collected.
    pub collected: Option<Amount>,
}

/// Evidence that a pool's creator promised more than the deposit: O6 of A5.10.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Overdraft {
    /// The pool.
    pub pool: PoolId,
    /// One promise a target, strictly increasing by target.
    pub promises: Bounded<Promise, MAX_PROMISES>,
}

/// What evidence of an overdraft does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The insolvent pool.
    pub pool: PoolState,
    /// The targets' rows afterwards, in the order of the promises.
    pub rows: Vec<PaidState>,
    /// What the reporter gets.
    pub bounty: Amount,
    /// What is burned.
    pub burned: Amount,
}

/// What collecting a share does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// The pool afterwards.
    pub pool: PoolState,
    /// The target's row afterwards.
    pub paid: PaidState,
    /// What the target gets.
    pub share: Amount,
    /// What is burned: the divisions' remainder, with the last share.
    pub burned: Amount,
}

/// Why evidence shows no overdraft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The pool was released.
    #[error("the pool is closed")]
    Closed,
    /// It is known already.
    #[error("the pool is insolvent already")]
    Insolvent,
    /// The time for evidence has passed.
    #[error("height {height} is after the last for evidence, {last}")]
    TooLate {
        /// Now.
        height: Height,
        /// Last block for evidence.
        last: Height,
    },
    /// The promises are not of one pool with one target each in order.
    #[error("the promises are not one for each of some targets of the pool, in order")]
    BadPromises,
    /// The deposit covers what is promised.
    #[error("{promised} is promised and {deposit} deposited")]
    Covered {
        /// All promises and payments together.
        promised: Amount,
        /// What the deposit is.
        deposit: Amount,
    },
    /// The creator did not make one of the promises.
    #[error("one of the promises proves nothing: {0}")]
    Unproven(PromiseError),
}

impl ReportError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "pool/closed",
            Self::Insolvent => "pool/insolvent",
            Self::TooLate { .. } => "overdraft/too-late",
            Self::BadPromises => "overdraft/bad-promises",
            Self::Covered { .. } => "overdraft/covered",
            Self::Unproven(_) => "overdraft/unproven",
        }
    }
}

/// Why there is nothing to collect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// The pool promised no more than it holds, for all that is known.
    #[error("the pool is not insolvent")]
    Solvent,
    /// Claims are still taken.
    #[error("height {height} is before the first share at {earliest}")]
    TooEarly {
        /// Now.
        height: Height,
        /// `since + F`.
        earliest: Height,
    },
    /// The target never claimed.
    #[error("the target has no claim")]
    NoClaim,
    /// The target has its share.
    #[error("the share was collected before")]
    Collected,
}

impl CollectError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Solvent => "pool/solvent",
            Self::TooEarly { .. } => "pool/collect-too-early",
            Self::NoClaim => "pool/no-claim",
            Self::Collected => "pool/collected",
        }
    }
}

impl Insolvency {
    /// Returns the first block in which shares are given (A5.11).
    pub const fn collect_from(&self, rules: &PoolRules) -> Height {
        self.since.plus(rules.freeze)
    }
}

impl Overdraft {
    /// Makes evidence of promises to several targets, if they and what the chain has paid are more than the deposit.
    /// Takes the best promise of each target, and only as many as are needed, the largest first.
    ///
    /// `paid` says what the chain paid to a target. Signatures are not checked.
    pub fn find(
        pool: PoolId,
        state: &PoolState,
        promises: impl IntoIterator<Item = Promise>,
        paid: impl Fn(&Address) -> Amount,
    ) -> Option<Self> {
        let mut best: Vec<(Amount, Promise)> = Vec::new();
        for promise in promises {
            let target = promise.voucher.body.target;
            let Ok(worth) = promise.worth() else { continue };
            let more = worth.saturating_sub(paid(&target));
            let is_ours = promise.voucher.body.pool == pool;
            let known = best.iter_mut().find(|(_, p)| p.voucher.body.target == target);
            match known {
                _ if more.is_zero() || !is_ours => {}
                Some(known) if known.0 < more => *known = (more, promise),
                Some(_) => {}
                None => best.push((more, promise)),
            }
        }
        best.sort_by(|(a, _), (b, _)| b.cmp(a));
        let mut sum = state.paid_total;
        let mut taken = Vec::new();
        for (more, promise) in best.into_iter().take(MAX_PROMISES) {
            sum = sum.checked_add(more).unwrap_or(Amount::from_units(u128::MAX));
            taken.push(promise);
            if sum > state.deposit {
                taken.sort_by_key(|promise| promise.voucher.body.target);
                return Some(Self { pool, promises: Bounded::try_from(taken).ok()? });
            }
        }
        None
    }

    /// Returns whose promises these are, in order.
    pub fn targets(&self) -> impl Iterator<Item = Address> {
        self.promises.iter().map(|promise| promise.voucher.body.target)
    }

    /// Returns how many hashes it takes to check the ticks.
    pub fn steps(&self) -> u32 {
        self.promises.iter().fold(0, |sum, promise| sum.saturating_add(promise.steps()))
    }
}

impl PoolState {
    /// Returns what evidence of an overdraft does (A5.10): the same as a settlement beyond the deposit. `rows` are the
    /// targets' rows, in the order of the promises; `chains` are this chain and those whose state it went on with.
    ///
    /// What was paid counts, too: the chain has paid `paid_total` to all, and each promise adds what it is beyond its
    /// target's part of that.
    ///
    /// # Errors
    /// [`ReportError`]; nothing changes then. Signatures come last, as the dearest check.
    pub fn report(
        &self,
        rules: &PoolRules,
        rows: &[PaidState],
        overdraft: &Overdraft,
        (chains, height): (&[ChainId], Height),
    ) -> Result<Reported, ReportError> {
        self.check_report(rules, height)?;
        let dues = self.dues(rows, overdraft)?;
        let beyond = dues.iter().fold(self.paid_total, |sum, due| {
            // Vouchers may name any sum; what is more than all money is more than the deposit.
            sum.checked_add(*due).unwrap_or(Amount::from_units(u128::MAX))
        });
        if beyond <= self.deposit {
            return Err(ReportError::Covered { promised: beyond, deposit: self.deposit });
        }
        for promise in overdraft.promises.iter() {
            promise.verify(chains, &self.creator).map_err(ReportError::Unproven)?;
        }
        let (mut insolvency, bounty, burned) = self.fail(rules, height);
        let mut claimed = Vec::new();
        for (row, due) in rows.iter().zip(dues) {
            // It was paid meanwhile. It counts as that, and whoever settles cannot make evidence void.
            if due.is_zero() {
                claimed.push(*row);
                continue;
            }
            let (next, row) =
                insolvency.claim(self.deposit, row, due).map_err(|_| ReportError::BadPromises)?;
            insolvency = next;
            claimed.push(row);
        }
        let pool = Self { status: PoolStatus::Insolvent(insolvency), ..self.clone() };
        Ok(Reported { pool, rows: claimed, bounty, burned })
    }

    /// Evidence is accepted while `height < end + F` (A5.10), which is before any release.
    fn check_report(&self, rules: &PoolRules, height: Height) -> Result<(), ReportError> {
        match self.status {
            PoolStatus::Open => {}
            PoolStatus::Closed => return Err(ReportError::Closed),
            PoolStatus::Insolvent(_) => return Err(ReportError::Insolvent),
        }
        if self.window(rules, height) == Window::Release {
            let last = Height(self.end_height.plus(rules.freeze).0.saturating_sub(1));
            return Err(ReportError::TooLate { height, last });
        }
        Ok(())
    }

    /// Returns what each promise is beyond its target's row, if they are what evidence is made of.
    fn dues(&self, rows: &[PaidState], overdraft: &Overdraft) -> Result<Vec<Amount>, ReportError> {
        let promises = &overdraft.promises;
        let targets: Vec<_> = overdraft.targets().collect();
        if !targets.is_sorted_by(|a, b| a < b) || rows.len() != promises.len() {
            return Err(ReportError::BadPromises);
        }
        let due = |(promise, row): (&Promise, &PaidState)| {
            let Voucher { pool, resource, target, seq, .. } = promise.voucher.body;
            let is_ours = (pool, resource) == (overdraft.pool, self.resource)
                && target != Address::of(&self.creator)
                && seq != u64::MAX;
            let worth = promise.worth().map_err(PromiseError::Tick);
            let due = worth.map_err(ReportError::Unproven)?.saturating_sub(row.cum);
            if is_ours { Ok(due) } else { Err(ReportError::BadPromises) }
        };
        promises.iter().zip(rows).map(due).collect()
    }

    /// Returns the insolvency that begins here, the bounty, and what is burned of the collateral (A5.11): neither the
    /// creator nor a claimant gets anything of it, for either might be the other.
    pub(super) fn fail(&self, rules: &PoolRules, since: Height) -> (Insolvency, Amount, Amount) {
        let bounty = rules.bounty.min(self.collateral);
        let burned = self.collateral.saturating_sub(bounty);
        let (claimed, left) = (Amount::ZERO, self.remaining());
        (Insolvency { since, claimed, uncollected: 0, left }, bounty, burned)
    }

    /// Returns what collecting a target's share does (A5.11). Anyone may ask; the target gets it.
    ///
    /// # Errors
    /// [`CollectError`]; nothing changes then.
    pub fn collect(
        &self,
        rules: &PoolRules,
        paid: &PaidState,
        height: Height,
    ) -> Result<Collected, CollectError> {
        let PoolStatus::Insolvent(insolvency) = self.status else {
            return Err(CollectError::Solvent);
        };
        if self.window(rules, height) != Window::Collect {
            let earliest = insolvency.collect_from(rules);
            return Err(CollectError::TooEarly { height, earliest });
        }
        let claim = paid.claim.ok_or(CollectError::NoClaim)?;
        if claim.collected.is_some() {
            return Err(CollectError::Collected);
        }
        // The weights and what they share stand still since the claims ended, so the order changes nothing.
        let share = self.remaining().share(claim.weight, insolvency.claimed).unwrap_or_default();
        let uncollected = insolvency.uncollected.saturating_sub(1);
        let rest = insolvency.left.saturating_sub(share);
        let (left, burned) =
            if uncollected == 0 { (Amount::ZERO, rest) } else { (rest, Amount::ZERO) };
        let status = PoolStatus::Insolvent(Insolvency { uncollected, left, ..insolvency });
        let claim = Some(Claim { collected: Some(share), ..claim });
        let pool = Self { status, ..self.clone() };
        Ok(Collected { pool, paid: PaidState { claim, ..*paid }, share, burned })
    }
}

impl Insolvency {
    /// Takes a target's claim to `due`, in place of a smaller one.
    pub(super) fn claim(
        self,
        deposit: Amount,
        paid: &PaidState,
        due: Amount,
    ) -> Result<(Self, PaidState), SettleError> {
        let weight = due.min(deposit);
        let before = paid.claim.map_or(Amount::ZERO, |claim| claim.weight);
        if weight <= before {
            return Err(SettleError::ClaimedBefore { due, claimed: before });
        }
        let others = self.claimed.saturating_sub(before);
        let claimed = others.checked_add(weight).ok_or(SettleError::OutOfRange)?;
        let uncollected = self.uncollected.saturating_add(u64::from(paid.claim.is_none()));
        let claim = Some(Claim { weight, collected: None });
        Ok((Self { claimed, uncollected, ..self }, PaidState { claim, ..*paid }))
    }
}
