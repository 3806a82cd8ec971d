//! When a pool's promises go to the chain, and what becomes of them if the pool is insolvent.

use super::{Book, worth};
use crate::{
    amount::Amount,
    id::Height,
    payment::{
        payee::PayeePolicy,
        reservation::{Insolvency, PaidState, PoolRules, PoolStatus},
        voucher::Promise,
    },
};
use alloc::boxed::Box;

/// What the chain is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::payment::payee) enum Act {
    /// Pay this promise, or take it as a claim.
    Settle(Box<Promise>),
    /// Give us our share of what is left.
    Collect,
}

/// Where the chain is, as the payee sees it.
#[derive(Clone, Copy, Debug)]
pub(in crate::payment::payee) struct When<'a> {
    pub(in crate::payment::payee) height: Height,
    /// Blocks are withheld from us.
    pub(in crate::payment::payee) is_stalled: bool,
    /// It is time to settle whatever is owed (AME-24).
    pub(in crate::payment::payee) is_pay_day: bool,
    pub(in crate::payment::payee) rules: &'a PoolRules,
    pub(in crate::payment::payee) policy: &'a PayeePolicy,
}

impl Book {
    /// Returns what is lost, if the proof shows that the pool can pay nothing any more.
    pub(in crate::payment::payee) fn ended(&self, rules: &PoolRules) -> Option<Amount> {
        let proof = self.proof.as_ref()?;
        let owed = self.exposure();
        match proof.state.status {
            PoolStatus::Closed => Some(owed),
            // Until the release somebody may still show that the pool is insolvent; then there is something to claim.
            PoolStatus::Open => {
                let wait = if owed.is_zero() { 1 } else { rules.freeze };
                (proof.height >= proof.state.end_height.plus(wait)).then_some(owed)
            }
            PoolStatus::Insolvent(insolvency) => {
                let share = proof.paid.claim.map(|claim| claim.collected);
                match share {
                    Some(Some(share)) => Some(owed.saturating_sub(share)),
                    Some(None) => None,
                    None if owed.is_zero() => Some(owed),
                    None => (proof.height >= insolvency.collect_from(rules)).then_some(owed),
                }
            }
        }
    }

    /// Returns what to ask of the chain now, if something is due (A5.14), or wise because the chain is withheld from us.
    pub(in crate::payment::payee) fn act(&mut self, now: &When<'_>) -> Option<Act> {
        let proof = self.proof.as_ref()?;
        let margin = now.rules.inclusion_margin;
        if self.settling.is_some_and(|(_, sent)| now.height < sent.plus(margin)) {
            return None;
        }
        match proof.state.status {
            PoolStatus::Open if self.is_due(now) => {
                self.settle(now.height).map(|promise| Act::Settle(Box::new(promise)))
            }
            PoolStatus::Insolvent(insolvency) => self.claim(now, &insolvency),
            PoolStatus::Open | PoolStatus::Closed => None,
        }
    }

    fn is_due(&self, now: &When<'_>) -> bool {
        let Some(proof) = &self.proof else { return false };
        let exposure = self.owed();
        let fee = self.held.as_ref().map_or(Amount::ZERO, |held| held.fee(now.policy.fee));
        if exposure <= fee {
            return false;
        }
        let double = exposure.checked_add(exposure);
        exposure >= now.policy.settle_at
            || double.is_none_or(|double| proof.state.remaining() < double)
            || now.height.plus(now.rules.settle_margin()) >= proof.state.end_height
            || now.height > self.stale_after(now.rules)
            || now.is_stalled
            || now.is_pay_day
    }

    /// Returns the durable promise to settle, if the chain has not paid it and still could.
    pub(in crate::payment::payee) fn settle(&mut self, height: Height) -> Option<Promise> {
        let proof = self.proof.as_ref()?;
        let held = self.held.as_ref().filter(|held| worth(held) > proof.paid.cum)?;
        if proof.state.status != PoolStatus::Open || height > proof.state.end_height {
            return None;
        }
        self.settling = Some((worth(held), height));
        Some(held.clone())
    }

    /// A5.11: claims what is promised as long as claims are taken, then collects the share. Both whatever they bring: the
    /// pool is gone, and there is no later settlement to save the fee for.
    fn claim(&mut self, now: &When<'_>, insolvency: &Insolvency) -> Option<Act> {
        let proof = self.proof.as_ref()?;
        let PaidState { cum, claim, .. } = proof.paid;
        let height = now.height;
        if height < insolvency.collect_from(now.rules) {
            let held = self.held.as_ref()?;
            let due = worth(held).saturating_sub(cum).min(proof.state.deposit);
            let claimed = claim.map_or(Amount::ZERO, |claim| claim.weight);
            let act = (due > claimed).then(|| Act::Settle(Box::new(held.clone())))?;
            self.settling = Some((worth(held), height));
            return Some(act);
        }
        claim.filter(|claim| claim.collected.is_none())?;
        self.settling = Some((Amount::from_units(u128::MAX), height));
        Some(Act::Collect)
    }
}
