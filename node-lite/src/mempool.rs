//! Transactions that wait for a block: bounded, in each sender's order, checked before they take room.
//!
//! Whether one applies is the ledger's to say when a block is built; here only what no later block can change is
//! checked, and what the sender's account says now.
//!
//! ```text
//! fast lane  what must be in a block before some height, and what its sender has waiting before it
//! slow lane  the rest: the first of each sender, then the second of each, and so on
//! ```
//!
//! Source: PROTOCOL A1.24, A0.7. A quarter of the room is kept for the fast lane, so that a flood of transfers can
//! neither shut it out nor come before it.

#[cfg(test)]
mod tests;

use crate::ledger::{Spent, TxError};
use antiphon_core::{
    amount::Amount,
    chain::transaction::{LIFETIME, Message, SignedTransaction},
    id::{Address, ChainId, Height, TxId},
};
use std::collections::{BTreeMap, BTreeSet, btree_map::Range};

/// Most transactions that wait. Chosen here: four full blocks.
pub const MAX_WAITING: usize = 4096;
/// Most bytes of transactions that wait. Chosen here: sixteen full blocks.
pub const MAX_WAITING_BYTES: usize = 16 << 20;
/// Most transactions of one sender that wait. Chosen here: as many as blocks in a transaction's life.
pub const MAX_OF_SENDER: usize = 64;

/// Why a transaction is not taken in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmitError {
    /// It could never be in a block.
    #[error(transparent)]
    Invalid(#[from] TxError),
    /// It waits already, or another of this sequence does.
    #[error("a transaction of this sequence waits already")]
    Known,
    /// The sender, or everybody together, has too many waiting.
    #[error("no room for more transactions")]
    Full,
}

impl AdmitError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(error) => error.code(),
            Self::Known => "mempool/known",
            Self::Full => "mempool/full",
        }
    }
}

/// What the chain says where a transaction is to be taken in.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The chain.
    pub chain: ChainId,
    /// The next block's height.
    pub height: Height,
    /// The fee of a transaction.
    pub fee: Amount,
    /// The sender's sequence on the preferred branch.
    pub sequence: u64,
}

/// One that waits.
#[derive(Debug)]
struct Waiting {
    tx: SignedTransaction,
    id: TxId,
    bytes: usize,
    /// Counts admissions: of two that are equal otherwise, the earlier comes first.
    arrival: u64,
}

/// The waiting transactions.
#[derive(Debug, Default)]
pub struct Mempool {
    /// By sender and sequence.
    senders: BTreeMap<Address, BTreeMap<u64, Waiting>>,
    /// Sender and sequence of each.
    ids: BTreeMap<TxId, (Address, u64)>,
    /// By the last height that may include them.
    by_end: BTreeSet<(Height, Address, u64)>,
    bytes: usize,
    arrivals: u64,
}

impl Mempool {
    /// Takes in a transaction and returns its id.
    ///
    /// # Errors
    /// [`AdmitError`].
    pub fn admit(&mut self, tx: SignedTransaction, now: &Now) -> Result<TxId, AdmitError> {
        let body = &tx.body;
        let (sender, sequence) = (body.sender.address(), body.sequence);
        let queue = self.senders.get(&sender);
        if queue.is_some_and(|queue| queue.contains_key(&sequence)) {
            return Err(AdmitError::Known);
        }
        let bytes = tx.to_bytes().len();
        let of_sender = queue.map_or(0, BTreeMap::len);
        if of_sender >= MAX_OF_SENDER || !self.has_room(bytes, is_urgent(&tx)) {
            return Err(AdmitError::Full);
        }
        check(&tx, now)?;
        // The dearest check comes last.
        tx.verify(now.chain).map_err(|_| TxError::BadSignature)?;
        let id = body.id(now.chain);
        self.by_end.insert((body.last_height(), sender, sequence));
        self.ids.insert(id, (sender, sequence));
        self.bytes = self.bytes.saturating_add(bytes);
        self.arrivals = self.arrivals.saturating_add(1);
        let waiting = Waiting { tx, id, bytes, arrival: self.arrivals };
        self.senders.entry(sender).or_default().insert(sequence, waiting);
        Ok(id)
    }

    /// A1.24: what has no deadline leaves a quarter of the room to what has one.
    fn has_room(&self, bytes: usize, urgent: bool) -> bool {
        let share = |all: usize| if urgent { all } else { all.saturating_sub(all / 4) };
        self.len() < share(MAX_WAITING)
            && self.bytes.saturating_add(bytes) <= share(MAX_WAITING_BYTES)
    }

    /// Returns whether a transaction waits.
    pub fn has(&self, id: &TxId) -> bool {
        self.ids.contains_key(id)
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Returns how many bytes wait.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns whether none waits.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the waiting transactions in the order in which a block should take them, each sender's in order of
    /// sequence (A1.24). What blocks below it have spent waits here until they are settled, and is left out.
    pub fn candidates(&self, spent: &Spent) -> impl Iterator<Item = SignedTransaction> + use<'_> {
        let ranked = self.senders.iter().flat_map(|(sender, queue)| {
            let first = spent.get(sender).map_or(0, |last| last.saturating_add(1));
            ranked(queue.range(first..))
        });
        let mut ranked: Vec<(Rank, &SignedTransaction)> = ranked.collect();
        ranked.sort_unstable_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, tx)| tx.clone())
    }

    /// Returns the highest sequence of a sender that waits.
    pub fn last_sequence(&self, sender: &Address) -> Option<u64> {
        self.senders.get(sender)?.last_key_value().map(|(sequence, _)| *sequence)
    }

    /// Forgets what a settled block at `height` has made useless: expired transactions, and of each sender in it
    /// everything up to the sequence that it spent. Costs what it forgets.
    pub fn settle(&mut self, height: Height, spent: impl IntoIterator<Item = (Address, u64)>) {
        for (sender, last) in spent {
            let Some(queue) = self.senders.get(&sender) else { continue };
            let over: Vec<u64> = queue.range(..=last).map(|(sequence, _)| *sequence).collect();
            over.into_iter().for_each(|sequence| self.forget(sender, sequence));
        }
        while let Some((end, sender, sequence)) = self.by_end.first().copied()
            && end <= height
        {
            self.forget(sender, sequence);
        }
    }

    /// Forgets what a proposer could not include, unless it only came too early: whoever sends what can never be paid for
    /// does not keep the room of those who can.
    pub fn refuse(&mut self, id: &TxId, error: &TxError) {
        let waits = matches!(
            error,
            TxError::WrongSequence { .. } | TxError::Expired { .. } | TxError::Storage(_)
        );
        if let Some((sender, sequence)) = self.ids.get(id).copied().filter(|_| !waits) {
            self.forget(sender, sequence);
        }
    }

    fn forget(&mut self, sender: Address, sequence: u64) {
        let Some(queue) = self.senders.get_mut(&sender) else { return };
        let Some(gone) = queue.remove(&sequence) else { return };
        if queue.is_empty() {
            self.senders.remove(&sender);
        }
        self.by_end.remove(&(gone.tx.body.last_height(), sender, sequence));
        self.ids.remove(&gone.id);
        self.bytes = self.bytes.saturating_sub(gone.bytes);
    }
}

/// Where a transaction stands: lane, place among its sender's, arrival, sequence.
type Rank = (u8, usize, u64, u64);

/// Ranks one sender's transactions. Those before an urgent one share its place: without them it cannot be applied.
/// The fewer they are the sooner they come, so that a long queue with something urgent at its end delays nobody.
fn ranked(queue: Range<'_, u64, Waiting>) -> Vec<(Rank, &SignedTransaction)> {
    let mut next_urgent = None;
    let queue: Vec<_> = queue.collect();
    let mut ranked = Vec::with_capacity(queue.len());
    for (place, (sequence, waiting)) in queue.into_iter().enumerate().rev() {
        if is_urgent(&waiting.tx) {
            next_urgent = Some((place, waiting.arrival));
        }
        let rank = match next_urgent {
            Some((place, arrival)) => (0, place, arrival, *sequence),
            None => (1, place, waiting.arrival, *sequence),
        };
        ranked.push((rank, &waiting.tx));
    }
    ranked
}

/// Returns whether a transaction loses its sense if censored until some height (A1.24). A message without a deadline
/// must be placed here, too: the match has no other arm.
fn is_urgent(tx: &SignedTransaction) -> bool {
    tx.body.messages.iter().any(|message| match message {
        Message::Settle(_)
        | Message::Release(_)
        | Message::Report(_)
        | Message::Collect { .. }
        | Message::Accuse { .. }
        | Message::Cancel(_) => true,
        Message::Field(act) => act.has_deadline(),
        Message::Transfer { .. }
        | Message::Exchange(_)
        | Message::Delay(_)
        | Message::CreatePool(_)
        | Message::Register(_)
        | Message::Bond { .. }
        | Message::Unbond { .. }
        | Message::Withdraw { .. }
        | Message::Rejoin => false,
    })
}

/// What no later block can change, and what the account says now.
fn check(tx: &SignedTransaction, now: &Now) -> Result<(), TxError> {
    let body = &tx.body;
    if body.messages.is_empty() {
        return Err(TxError::Empty);
    }
    let fee = body.fee(now.fee).ok_or(TxError::BadAmount)?;
    if body.max_fee < fee {
        return Err(TxError::FeeTooLow { fee, max: body.max_fee });
    }
    let reference = body.reference_height;
    // A reference just above our own head may be another node's; one far above would wait for ever.
    let soon = reference >= now.height && reference.0 < now.height.0.saturating_add(LIFETIME);
    if !body.lives_at(now.height) && !soon {
        return Err(TxError::Expired { reference, height: now.height });
    }
    let expected = now.sequence.saturating_add(1);
    let furthest = now.sequence.saturating_add(MAX_OF_SENDER as u64);
    if body.sequence < expected || body.sequence > furthest {
        return Err(TxError::WrongSequence { expected, found: body.sequence });
    }
    Ok(())
}
