//! One pool as its payee sees it: what is proven, what is promised, what is being settled.

mod counter;
mod due;

pub(super) use due::{Act, When};

use super::{Fault, PayeePolicy, Proof, RETRY_BLOCKS};
use crate::{
    amount::Amount,
    codec,
    crypto::Hash,
    id::{Address, ChainId, Height, PeerId, PoolId, StreamId},
    payment::{
        reservation::{PaidState, PoolRules, PoolStatus},
        tick::Preimage,
        voucher::{CompactVoucher, MAX_COMPACT_BYTES, MAX_PROMISE_BYTES, Promise},
    },
    row::Damaged,
    table::Table,
};
use alloc::{format, string::String, vec::Vec};
use counter::Counter;

/// What a voucher is checked against.
pub(super) struct Offer {
    pub(super) chain: ChainId,
    pub(super) me: Address,
    pub(super) resource: StreamId,
    pub(super) price: Amount,
    pub(super) height: Height,
    pub(super) rules: PoolRules,
    pub(super) policy: PayeePolicy,
}

/// One pool. `held` is durable, `writing` is on its way to be, `next` waits for the write to end.
#[derive(Clone, Debug, Default)]
pub(super) struct Book {
    proof: Option<Proof>,
    is_final: bool,
    asked: Option<Height>,
    held: Option<Promise>,
    writing: Option<Batch>,
    next: Option<Batch>,
    settling: Option<(Amount, Height)>,
    /// Counts the ticks of the voucher that is held.
    counter: Option<Counter>,
    /// A tick that came while the voucher that it is of was being written.
    early: Option<(PeerId, Preimage)>,
    /// `held` was read from the store and is not verified yet.
    is_restored: bool,
    /// Of the proven pool.
    creator: Option<Address>,
    /// The chain that proved it.
    chain: Option<ChainId>,
    /// Its row was damaged: what was promised is not known, so nothing more is taken.
    is_frozen: bool,
}

/// A voucher to be stored, and what each peer brought of it.
#[derive(Clone, Debug)]
struct Batch {
    promise: Promise,
    credits: Table<PeerId, Amount>,
}

/// Returns the name of a pool's row.
pub(super) fn name(pool: &PoolId) -> String {
    format!("payee/{}", pool.0)
}

/// Reads the name of a row; `None` for anybody else's, and for a second spelling of one.
pub(super) fn parse_name(name: &str) -> Option<PoolId> {
    let pool = Hash::from_hex(name.strip_prefix("payee/")?).map(PoolId);
    pool.filter(|pool| self::name(pool) == name)
}

/// Reads the bytes of a voucher on the wire.
pub(super) fn decode(bytes: &[u8]) -> Result<CompactVoucher, Fault> {
    codec::decode(bytes, MAX_COMPACT_BYTES).map_err(Fault::Malformed)
}

impl Book {
    /// Makes the book of a stored row, frozen if that is damaged; `None` for one that is not ours.
    pub(super) fn restored(
        pool: PoolId,
        me: Address,
        bytes: Result<Vec<u8>, Damaged>,
    ) -> Option<Self> {
        let held = bytes.ok().and_then(|bytes| codec::decode(&bytes, MAX_PROMISE_BYTES).ok());
        let Some(held): Option<Promise> = held else {
            return Some(Self { is_frozen: true, ..Self::default() });
        };
        let body = held.voucher.body;
        let is_ours = body.pool == pool && body.target == me;
        is_ours.then(|| Self { held: Some(held), is_restored: true, ..Self::default() })
    }

    pub(super) const fn proof(&self) -> Option<&Proof> {
        self.proof.as_ref()
    }

    pub(super) const fn is_final(&self) -> bool {
        self.is_final
    }

    pub(super) fn is_insolvent(&self) -> bool {
        let proof = self.proof.as_ref();
        proof.is_some_and(|proof| matches!(proof.state.status, PoolStatus::Insolvent(_)))
    }

    pub(super) const fn is_settling(&self) -> bool {
        self.settling.is_some()
    }

    /// Returns whether nothing is promised, for all that is known.
    pub(super) const fn is_empty(&self) -> bool {
        self.held.is_none() && self.writing.is_none() && !self.is_frozen
    }

    fn held(&self) -> Amount {
        self.held.as_ref().map_or(Amount::ZERO, worth)
    }

    /// Returns the durable promise beyond what the chain is proven to have paid.
    pub(super) fn owed(&self) -> Amount {
        self.held().saturating_sub(self.paid().cum)
    }

    /// Returns what the chain is proven to have paid.
    pub(super) fn paid(&self) -> PaidState {
        self.proof.as_ref().map(|proof| proof.paid).unwrap_or_default()
    }

    /// Returns sequence and sum of the best promise, durable or on its way, or of what is paid if that is more.
    pub(super) fn best(&self) -> PaidState {
        let batches = [self.next.as_ref(), self.writing.as_ref()].into_iter().flatten();
        let promises = batches.map(|batch| &batch.promise).chain(self.held.as_ref());
        promises.fold(self.paid(), |best, promise| {
            let (seq, cum) = (promise.voucher.body.seq.max(best.seq), worth(promise).max(best.cum));
            PaidState { seq, cum, ..best }
        })
    }

    /// Returns what is promised and not paid.
    pub(super) fn exposure(&self) -> Amount {
        self.best().cum.saturating_sub(self.paid().cum)
    }

    /// Checks that the pool could pay `more` beyond what is promised (A5.14 without the voucher).
    pub(super) fn check_more(&self, offer: &Offer, more: Amount) -> Result<(), Fault> {
        let sum = self.best().cum.checked_add(more).ok_or(Fault::Overdrawn)?;
        self.check_sum(offer, sum)
    }

    /// Checks one voucher in full (A5.14), the signature last. Nothing changes.
    pub(super) fn accept(
        &self,
        pool: PoolId,
        compact: &CompactVoucher,
        offer: &Offer,
    ) -> Result<Promise, Fault> {
        let proof = self.proof.as_ref().ok_or(Fault::NoPool)?;
        let best = self.best();
        if compact.seq <= best.seq || compact.seq == u64::MAX {
            return Err(Fault::OldSequence);
        }
        match &compact.ticks {
            // The ticks bring what is paid beyond what was promised before (T1).
            Some(ticks) => {
                ticks.check(compact.cum).map_err(Fault::Tick)?;
                if compact.cum < best.cum || ticks.price < offer.price {
                    return Err(Fault::TooLittle);
                }
            }
            None => {
                let least = best.cum.checked_add(offer.price).ok_or(Fault::TooLittle)?;
                if compact.cum < least || compact.cum == best.cum {
                    return Err(Fault::TooLittle);
                }
            }
        }
        self.check_sum(offer, compact.cum)?;
        let voucher = compact.expand(pool, offer.resource, offer.me);
        let verdict = voucher.verify(offer.chain, &proof.state.creator);
        verdict.map(|()| voucher.into()).map_err(|_| Fault::BadSignature)
    }

    fn check_sum(&self, offer: &Offer, cum: Amount) -> Result<(), Fault> {
        if self.is_frozen {
            return Err(Fault::Damaged);
        }
        let proof = self.proof.as_ref().ok_or(Fault::NoPool)?;
        let state = &proof.state;
        match state.status {
            PoolStatus::Open => {}
            PoolStatus::Closed => return Err(Fault::Closed),
            PoolStatus::Insolvent(_) => return Err(Fault::Insolvent),
        }
        if state.resource != offer.resource {
            return Err(Fault::WrongResource);
        }
        if self.creator == Some(offer.me) {
            return Err(Fault::OwnPool);
        }
        if offer.height.plus(offer.rules.settle_margin()) > state.end_height {
            return Err(Fault::EndTooNear);
        }
        if offer.height > self.stale_after(&offer.rules) {
            return Err(Fault::Stale);
        }
        let exposure = cum.saturating_sub(proof.paid.cum);
        if exposure > state.remaining() {
            return Err(Fault::Overdrawn);
        }
        if exposure > offer.policy.max_exposure {
            return Err(Fault::TooExposed);
        }
        if exposure > offer.policy.final_above && !self.is_final {
            return Err(Fault::NotFinal);
        }
        Ok(())
    }

    /// Queues a voucher that [`Book::accept`] returned.
    pub(super) fn queue(&mut self, peer: PeerId, promise: Promise) {
        let gain = worth(&promise).saturating_sub(self.best().cum);
        let mut credits = self.next.take().map(|batch| batch.credits).unwrap_or_default();
        let credit = credits.entry(peer).or_default();
        *credit = credit.checked_add(gain).unwrap_or(*credit);
        self.next = Some(Batch { promise, credits });
    }

    /// Returns the row to write now, or `None` if nothing is new or a write is under way. Ticks alone are not written before
    /// there are `least` of them.
    pub(super) fn start(&mut self, least: u32) -> Option<Vec<u8>> {
        if self.writing.is_some() {
            return None;
        }
        self.writing = self.next.take().or_else(|| self.unsaved(least));
        self.writing.as_ref().map(|batch| codec::encode(&batch.promise))
    }

    /// The write under way is durable; returns what each peer brought.
    pub(super) fn stored(&mut self) -> Table<PeerId, Amount> {
        let Some(batch) = self.writing.take() else { return Table::new() };
        self.hold(batch.promise);
        batch.credits
    }

    /// Takes a proof that is settled or final. Returns what is paid, if a settlement of ours came through.
    pub(super) fn prove(&mut self, chain: ChainId, proof: Proof) -> Option<PaidState> {
        self.asked = None;
        self.is_final |= proof.level == crate::chain::Level::Final;
        if self.proof.as_ref().is_some_and(|newest| newest.height > proof.height) {
            return None;
        }
        let gained = proof.paid.cum > self.paid().cum;
        if core::mem::take(&mut self.is_restored) {
            // A restored row is believed only now.
            let creator = &proof.state.creator;
            self.held = self.held.take().filter(|held| held.verify(&[chain], creator).is_ok());
        }
        if self.counter.is_none() {
            self.counter = self.held.as_ref().and_then(|held| Counter::new(chain, held));
        }
        self.chain = Some(chain);
        self.creator = Some(Address::of(&proof.state.creator));
        let paid = proof.paid;
        self.proof = Some(proof);
        self.settling = self.settling.filter(|(cum, _)| *cum > paid.cum);
        gained.then_some(paid)
    }

    /// Returns whether a newer proof is wanted: none yet, re-check due (A5.14), or a settlement on its way.
    pub(super) fn needs_proof(&self, height: Height, rules: &PoolRules) -> bool {
        self.proof.as_ref().is_none_or(|proof| {
            height >= proof.height.plus(rules.inclusion_margin)
                || (self.settling.is_some() && height > proof.height)
        })
    }

    /// Returns whether to ask now: not while an answer may still come.
    pub(super) fn ask(&mut self, height: Option<Height>) -> bool {
        let height = height.unwrap_or_default();
        let is_due = self.asked.is_none_or(|asked| height >= asked.plus(RETRY_BLOCKS));
        if is_due {
            self.asked = Some(height);
        }
        is_due
    }

    /// A proof is re-checked after one margin; one more without an answer makes it stale.
    fn stale_after(&self, rules: &PoolRules) -> Height {
        let proven = self.proof.as_ref().map_or(Height(0), |proof| proof.height);
        proven.plus(rules.settle_margin())
    }
}

/// Returns what a promise that was checked is worth.
fn worth(promise: &Promise) -> Amount {
    promise.worth().unwrap_or_default()
}
