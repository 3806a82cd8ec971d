//! A gift as its payee sees it: offered, verified, stored, settled.

use super::{GiftView, Ground, Output, Proof, Stage, word};
use crate::{
    amount::Amount,
    chain::{Level, transaction::LIFETIME},
    codec::{self, DecodeError},
    crypto::{Hash, Signed},
    id::{Address, Height, PoolId},
    payment::{
        reservation::{Bearer, PaidState, PoolStatus, Purpose, SettleError},
        voucher::{CompactVoucher, Voucher},
    },
};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest row: a nonce, a giver, a promise without ticks.
const MAX_ROW: usize = 256;

/// Why what is offered is not a gift. It can be offered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a word of giver and payee.
    #[error("not a gift: {0}")]
    Malformed(DecodeError),
    /// Too many gifts are followed.
    #[error("too many gifts are followed")]
    TooMany,
    /// The pool pays others, too.
    #[error("the pool does not pay us alone")]
    NotAlone,
    /// It brings no more than the settlement costs.
    #[error("it brings no more than its settlement costs")]
    TooLittle,
    /// The chain would not pay it, as late as we may come to settle it.
    #[error(transparent)]
    Unpayable(SettleError),
}

impl Refusal {
    /// Returns the stable code of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed(_) => "gift/malformed",
            Self::TooMany => "gift/too-many",
            Self::NotAlone => "gift/not-alone",
            Self::TooLittle => "gift/too-little",
            Self::Unpayable(error) => error.code(),
        }
    }
}

/// What is stored of a gift.
#[derive(Clone, Debug, BorshSerialize, BorshDeserialize)]
struct Kept {
    giver: Giver,
    voucher: Signed<Voucher>,
}

/// Who gives, and by which nonce: what the pool's id follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Giver {
    pub(super) address: Address,
    pub(super) nonce: u64,
}

#[derive(Debug)]
enum State {
    /// Since this height; the pool is not proven.
    Offered(CompactVoucher, Height),
    /// Read from the store; the pool is not proven in this life.
    Restored(Kept),
    /// Being stored.
    Storing(Kept),
    /// Stored; a settlement was ordered at this height.
    Sure(Kept, Height),
    /// The pool is closed: paid, at this level.
    Paid(Amount, Level),
    /// The pool is closed or over without us.
    Lost(Amount),
}

#[derive(Debug)]
pub(super) struct Received {
    giver: Giver,
    state: State,
    purpose: Option<Purpose>,
    end: Option<Height>,
}

pub(super) fn name(pool: &PoolId) -> String {
    format!("gift/{}", pool.0)
}

pub(super) fn parse_name(name: &str) -> Option<PoolId> {
    let pool = Hash::from_hex(name.strip_prefix("gift/")?).map(PoolId);
    pool.filter(|pool| self::name(pool) == name)
}

/// Checks that the chain will pay this to us alone, so many blocks from now: by the chain's own rule (A5.9, AELF-35).
fn check(
    voucher: &Signed<Voucher>,
    proof: &Proof,
    ground: &Ground,
    margin: u64,
) -> Result<(), Refusal> {
    let Ground { chain, me, rules, policy, tip } = ground;
    if proof.state.only.is_none() {
        return Err(Refusal::NotAlone);
    }
    if voucher.body.cum <= policy.fee {
        return Err(Refusal::TooLittle);
    }
    let (pool, height) = (voucher.body.pool, (*tip).max(proof.height).plus(margin));
    let bearer = Bearer { chains: &[*chain], pool, by: *me, height };
    let paid = proof.state.settle(rules, &PaidState::default(), &voucher.clone().into(), &bearer);
    paid.map(|_| ()).map_err(Refusal::Unpayable)
}

impl Received {
    pub(super) const fn offered(giver: Giver, voucher: CompactVoucher, tip: Height) -> Self {
        Self { giver, state: State::Offered(voucher, tip), purpose: None, end: None }
    }

    pub(super) fn restored(pool: PoolId, me: Address, bytes: &[u8]) -> Option<Self> {
        let kept: Kept = codec::decode(bytes, MAX_ROW).ok()?;
        let is_ours = kept.voucher.body.pool == pool && kept.voucher.body.target == me;
        let (giver, state) = (kept.giver, State::Restored(kept));
        is_ours.then_some(Self { giver, state, purpose: None, end: None })
    }

    pub(super) const fn from(&self) -> Address {
        self.giver.address
    }

    /// Takes a proof. Returns the row to store, once the gift is good.
    pub(super) fn proven(
        &mut self,
        pool: PoolId,
        proof: &Proof,
        ground: &Ground,
        out: &mut Vec<Output>,
    ) -> Result<Option<Vec<u8>>, Refusal> {
        self.purpose = proof.state.only.as_ref().map(|only| only.purpose.clone());
        self.end = Some(proof.state.end_height);
        match &self.state {
            State::Offered(compact, _) if proof.is_fresh => {
                if compact.cum > ground.policy.final_above && proof.level < Level::Final {
                    return Ok(None);
                }
                let voucher = compact.expand(pool, proof.state.resource, ground.me);
                check(&voucher, proof, ground, ground.rules.settle_margin())?;
                let kept = Kept { giver: self.giver, voucher };
                let row = codec::encode(&kept);
                self.state = State::Storing(kept);
                return Ok(Some(row));
            }
            State::Restored(kept) if proof.state.status == PoolStatus::Open => {
                // It was good when it was stored. If the store lied, there is nothing to settle.
                self.state = match check(&kept.voucher, proof, ground, 0) {
                    Ok(()) => State::Sure(kept.clone(), Height(0)),
                    Err(_) => State::Lost(kept.voucher.body.cum),
                };
                out.push(Output::Changed);
                out.extend(self.settle(ground));
            }
            State::Sure(kept, _) | State::Restored(kept) => {
                let amount = kept.voucher.body.cum;
                self.end_with(amount, proof, ground, out);
            }
            State::Paid(amount, Level::Settled) if proof.level == Level::Final => {
                let amount = *amount;
                self.end_with(amount, proof, ground, out);
            }
            State::Offered(..) | State::Storing(_) | State::Paid(..) | State::Lost(_) => {}
        }
        Ok(None)
    }

    /// A pool for one payee closes when the payee is paid, or when it was given back.
    fn end_with(&mut self, amount: Amount, proof: &Proof, ground: &Ground, out: &mut Vec<Output>) {
        let over = proof.state.end_height.plus(ground.rules.freeze);
        self.state = match proof.state.status {
            PoolStatus::Closed if proof.state.paid_total.is_zero() => State::Lost(amount),
            PoolStatus::Closed => State::Paid(proof.state.paid_total, proof.level),
            PoolStatus::Open if proof.height >= over => State::Lost(amount),
            PoolStatus::Open | PoolStatus::Insolvent(_) => return,
        };
        out.push(Output::Changed);
    }

    /// It is stored: sure from now on. Returns the answer to the giver, and the countersignature.
    pub(super) fn stored(&mut self, ground: &Ground) -> Vec<Output> {
        let State::Storing(kept) = &self.state else { return Vec::new() };
        self.state = State::Sure(kept.clone(), Height(0));
        let mut out: Vec<_> = self.thank().into_iter().chain([Output::Changed]).collect();
        out.extend(self.settle(ground));
        out
    }

    /// Returns the answer to the giver, if we are sure.
    pub(super) fn thank(&self) -> Option<Output> {
        let is_ours = matches!(self.state, State::Sure(..) | State::Paid(..));
        let Giver { address, nonce } = self.giver;
        is_ours.then(|| Output::Tell(address, word::taken(nonce)))
    }

    /// Returns the settlement, when it is time to order it, again if the last was lost.
    pub(super) fn settle(&mut self, ground: &Ground) -> Option<Output> {
        let State::Sure(kept, ordered) = &mut self.state else { return None };
        let is_due = ordered.0 == 0 || ground.tip >= ordered.plus(ground.rules.inclusion_margin);
        let is_late = self.end.is_none_or(|end| ground.tip > end);
        if !is_due || is_late {
            return None;
        }
        *ordered = ground.tip;
        Some(Output::Settle(Box::new(kept.voucher.clone().into())))
    }

    /// Returns whether its row is of no use any more.
    pub(super) const fn row_is_spent(&self) -> bool {
        matches!(self.state, State::Paid(_, Level::Final) | State::Lost(_))
    }

    /// Returns whether the pool is only named so far.
    pub(super) const fn is_offered(&self) -> bool {
        matches!(self.state, State::Offered(..))
    }

    /// Returns whether it is stored, or about to be, and the chain still has something to say about it.
    pub(super) const fn is_held(&self) -> bool {
        !self.may_go()
    }

    /// Returns whether another may have its place.
    pub(super) const fn may_go(&self) -> bool {
        self.row_is_spent() || self.is_offered()
    }

    /// Returns whether the pool that it names has not appeared for as long as a transaction lives.
    pub(super) fn is_stale(&self, tip: Height) -> bool {
        matches!(self.state, State::Offered(_, since) if tip > since.plus(LIFETIME))
    }

    pub(super) fn view(&self, pool: PoolId) -> GiftView {
        let (stage, amount) = match &self.state {
            State::Offered(voucher, _) => (Stage::Offered, voucher.cum),
            State::Restored(kept) | State::Storing(kept) => (Stage::Offered, kept.voucher.body.cum),
            State::Sure(kept, _) => (Stage::Sure, kept.voucher.body.cum),
            State::Paid(amount, Level::Final) => (Stage::Final, *amount),
            State::Paid(amount, _) => (Stage::Settled, *amount),
            State::Lost(amount) => (Stage::Lapsed, *amount),
        };
        let purpose = self.purpose.as_ref().map(|text| String::from(text.as_str()));
        let (purpose, other, end) = (purpose.unwrap_or_default(), self.giver.address, self.end);
        GiftView { pool, is_given: false, other, amount, purpose, stage, end, refusal: None }
    }
}
