//! What one target is promised from one pool: stored, being stored, wanted; and how many ticks were revealed.

use crate::{
    amount::Amount,
    crypto::SecretKey,
    id::{Address, ChainId, PoolId},
    payment::tick::{Ladder, Preimage, Ticks},
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// Ticks that are stored as promised before they are revealed, so that a reveal waits for no write. Chosen here: a quarter of
/// a minute of audio, which is what a page that is closed may give away to a payee.
pub(super) const RESERVE: u32 = 16;

/// One row of the durable table (pool, target) → (sequence, sum, ticks).
///
/// ```text
/// durable ≤ pending ≤ wanted       only `durable` is ever signed
/// revealed ≤ reserve ≤ length      only what is reserved, durably, is ever revealed (T7)
/// ```
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    seq: u64,
    cum: Amount,
    chain: Option<Chain>,
    pending: Option<Write>,
    wanted: Amount,
    /// The chain to which the next voucher commits.
    next: Option<ChainRecord>,
}

/// Price and length of a chain of ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct ChainTerms {
    pub(super) price: Amount,
    pub(super) length: u32,
}

/// What is stored of a chain beside its terms: its values follow from the key (T7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct ChainRecord {
    pub(super) terms: ChainTerms,
    /// Ticks that may have been revealed.
    pub(super) reserve: u32,
}

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) seq: u64,
    pub(super) cum: Amount,
    pub(super) chain: Option<ChainRecord>,
}

/// The chain of the durable voucher.
#[derive(Clone, Debug)]
struct Chain {
    record: ChainRecord,
    revealed: u32,
    ladder: Option<Box<Ladder>>,
}

/// Whose line it is: what a chain's values follow from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner<'a> {
    pub(super) key: &'a SecretKey,
    pub(super) chain: ChainId,
    pub(super) pool: PoolId,
    pub(super) target: Address,
}

/// Why a tick is not revealed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoTick {
    /// The voucher has no ticks, or another is on its way.
    NoChain,
    /// All are revealed.
    Exhausted,
    /// The next is not stored as promised yet.
    NotReserved,
}

impl ChainTerms {
    /// Returns how many ticks are reserved at once, if there is so much money for them.
    pub(super) fn affordable(&self, free: Amount) -> u32 {
        let count = free.units().checked_div(self.price.units()).unwrap_or(0);
        u32::try_from(count).unwrap_or(u32::MAX).min(RESERVE).min(self.length)
    }

    /// Returns what so many ticks are worth; more than any deposit on overflow.
    fn worth(&self, count: u32) -> Amount {
        self.price.checked_mul(count.into()).unwrap_or(Amount::from_units(u128::MAX))
    }
}

fn sum(a: Amount, b: Amount) -> Amount {
    a.checked_add(b).unwrap_or(Amount::from_units(u128::MAX))
}

impl Line {
    /// Makes the line that a stored row describes: all that was reserved counts as revealed (T7).
    pub(super) fn restored(seq: u64, cum: Amount, record: Option<ChainRecord>) -> Self {
        let chain = record.map(|record| Chain { record, revealed: record.reserve, ladder: None });
        let line = Self { seq, cum, chain, pending: None, wanted: cum, next: None };
        Self { wanted: line.revealed(), ..line }
    }

    /// Returns all that the application agreed to pay.
    pub(super) const fn wanted(&self) -> Amount {
        self.wanted
    }

    /// Returns all that may be promised, whatever happens: what was agreed, and every tick that is reserved or about to be
    /// (A10.7).
    pub(super) fn committed(&self) -> Amount {
        self.committed_at(self.wanted)
    }

    /// Returns the same once the application has agreed to pay so much.
    pub(super) fn committed_at(&self, wanted: Amount) -> Amount {
        let pending = self.pending.map_or(Amount::ZERO, |write| write.worth());
        let next = Write { seq: self.seq, cum: wanted, chain: self.next }.worth();
        self.durable().1.max(pending).max(next)
    }

    /// Returns the sequence that is stored, and all that it may have promised.
    pub(super) fn durable(&self) -> (u64, Amount) {
        let chain = self.chain.as_ref().map(|chain| chain.record);
        (self.seq, Write { seq: self.seq, cum: self.cum, chain }.worth())
    }

    /// Returns what the durable voucher and the ticks that were revealed are worth.
    fn revealed(&self) -> Amount {
        let ticks = self.chain.as_ref().map(|chain| chain.record.terms.worth(chain.revealed));
        sum(self.cum, ticks.unwrap_or_default())
    }

    /// Returns what is signed: sequence, sum, ticks.
    pub(super) fn voucher(&self, owner: &Owner<'_>) -> (u64, Amount, Option<Ticks>) {
        let ticks = self.chain.as_ref().map(|chain| {
            let ChainTerms { price, length } = chain.record.terms;
            let anchor = match &chain.ladder {
                Some(ladder) => ladder.anchor(),
                None => owner.ladder(self.seq, length).anchor(),
            };
            Ticks { anchor, price, length }
        });
        (self.seq, self.cum, ticks)
    }

    /// Returns whether anything was ever stored.
    pub(super) const fn has_voucher(&self) -> bool {
        self.seq > 0
    }

    /// Returns whether no sequence is left for a write after the one that may be under way.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.seq >= u64::MAX - 2
    }

    /// Raises what the application agreed to pay.
    pub(super) fn want(&mut self, wanted: Amount) {
        self.wanted = self.wanted.max(wanted);
    }

    /// Lets the next voucher commit to a chain.
    pub(super) const fn want_chain(&mut self, chain: ChainRecord) {
        self.next = Some(chain);
    }

    /// Returns what to store now, or `None` if nothing is new or a write is under way.
    pub(super) fn start(&mut self) -> Option<Write> {
        let is_new = self.next.is_some() || self.wanted > self.revealed();
        if self.pending.is_some() || !is_new {
            return None;
        }
        let seq = self.seq.checked_add(1)?;
        let write = Write { seq, cum: self.wanted, chain: self.next.take() };
        self.pending = Some(write);
        Some(write)
    }

    /// The write under way is durable. Returns whether there is another voucher to give than before.
    pub(super) fn stored(&mut self, owner: &Owner<'_>) -> bool {
        let Some(Write { seq, cum, chain }) = self.pending.take() else { return false };
        if let (true, Some(chain), Some(record)) = (seq == self.seq, &mut self.chain, chain) {
            chain.record = record;
            return false;
        }
        let begin = |record: ChainRecord| {
            let ladder = Some(Box::new(owner.ladder(seq, record.terms.length)));
            Chain { record, revealed: 0, ladder }
        };
        (self.seq, self.cum, self.chain) = (seq, cum, chain.map(begin));
        true
    }

    /// Reveals the next tick. It was stored as promised before.
    pub(super) fn reveal(&mut self, owner: &Owner<'_>) -> Result<Preimage, NoTick> {
        let is_replaced = self.pending.is_some_and(|write| write.seq != self.seq);
        if is_replaced || self.next.is_some() || self.wanted > self.revealed() {
            return Err(NoTick::NoChain);
        }
        let seq = self.seq;
        let chain = self.chain.as_mut().ok_or(NoTick::NoChain)?;
        let ChainRecord { terms, reserve } = chain.record;
        if chain.revealed >= terms.length {
            return Err(NoTick::Exhausted);
        }
        if chain.revealed >= reserve {
            return Err(NoTick::NotReserved);
        }
        let next = chain.revealed.saturating_add(1);
        let ladder = chain.ladder.get_or_insert_with(|| Box::new(owner.ladder(seq, terms.length)));
        let preimage = ladder.preimage(next).ok_or(NoTick::Exhausted)?;
        chain.revealed = next;
        self.wanted = self.revealed();
        Ok(preimage)
    }

    /// Returns the newest tick that was revealed in this life, for a peer that came back. What may have been revealed before is
    /// not given away unasked.
    pub(super) fn latest_tick(&self) -> Option<Preimage> {
        let chain = self.chain.as_ref()?;
        chain.ladder.as_deref().cloned()?.preimage(chain.revealed)
    }

    /// Returns what a tick of the durable voucher pays, if it has any.
    pub(super) fn tick_price(&self) -> Option<Amount> {
        self.chain.as_ref().map(|chain| chain.record.terms.price)
    }

    /// Returns whether few reserved ticks are left, more could be, and no write is under way.
    pub(super) fn is_low(&self) -> bool {
        self.chain.as_ref().filter(|_| self.pending.is_none()).is_some_and(|chain| {
            let ChainRecord { terms, reserve } = chain.record;
            reserve.saturating_sub(chain.revealed) <= RESERVE / 2 && reserve < terms.length
        })
    }

    /// Returns whether a write is under way.
    pub(super) const fn is_writing(&self) -> bool {
        self.pending.is_some()
    }

    /// Returns the write that reserves more ticks, as many as this much more money allows; `None` if that is none.
    pub(super) fn reserve(&mut self, free: Amount) -> Option<Write> {
        let ChainRecord { terms, reserve } = self.chain.as_ref()?.record;
        let more = terms.affordable(free);
        let reserve = reserve.saturating_add(more).min(terms.length);
        let chain = Some(ChainRecord { terms, reserve });
        let write = Write { seq: self.seq, cum: self.cum, chain };
        self.pending = (more > 0).then_some(write);
        self.pending
    }
}

impl Write {
    /// Returns what may have been promised once it is durable.
    fn worth(&self) -> Amount {
        let ticks = self.chain.map(|chain| chain.terms.worth(chain.reserve));
        sum(self.cum, ticks.unwrap_or_default())
    }
}

impl Owner<'_> {
    fn ladder(&self, seq: u64, length: u32) -> Ladder {
        Ladder::new(self.key, self.chain, (&self.pool, &self.target, seq), length)
    }
}
