//! Transactions that wait for a block: bounded, in each sender's order, checked before they take room.
//!
//! Whether one applies is the ledger's to say when a block is built; here only what no later block can change is
//! checked, and what the sender's account says now.

#[cfg(test)]
mod tests;

use crate::ledger::TxError;
use antiphon_core::{
    amount::Amount,
    chain::transaction::SignedTransaction,
    id::{Address, ChainId, Height, TxId},
};
use std::collections::{BTreeMap, BTreeSet};

/// Most transactions that wait. Chosen here: four full blocks.
pub const MAX_WAITING: usize = 4096;
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

/// The waiting transactions.
#[derive(Debug, Default)]
pub struct Mempool {
    waiting: BTreeMap<(Address, u64), SignedTransaction>,
    ids: BTreeSet<TxId>,
}

impl Mempool {
    /// Takes in a transaction and returns its id.
    ///
    /// # Errors
    /// [`AdmitError`].
    pub fn admit(&mut self, tx: SignedTransaction, now: &Now) -> Result<TxId, AdmitError> {
        let body = &tx.body;
        let id = body.id(now.chain);
        let sender = Address::of(&body.sender);
        let slot = (sender, body.sequence);
        if self.waiting.contains_key(&slot) {
            return Err(AdmitError::Known);
        }
        let of_sender = self.waiting.range((sender, 0)..=(sender, u64::MAX)).count();
        if self.waiting.len() >= MAX_WAITING || of_sender >= MAX_OF_SENDER {
            return Err(AdmitError::Full);
        }
        if body.messages.is_empty() {
            return Err(TxError::Empty.into());
        }
        if body.max_fee < now.fee {
            return Err(TxError::FeeTooLow { fee: now.fee, max: body.max_fee }.into());
        }
        let reference = body.reference_height;
        // A reference just above our own head may be another node's; one that has expired is no use to anybody.
        if !body.lives_at(now.height) && reference < now.height {
            return Err(TxError::Expired { reference, height: now.height }.into());
        }
        let expected = now.sequence.saturating_add(1);
        let furthest = now.sequence.saturating_add(MAX_OF_SENDER as u64);
        if body.sequence < expected || body.sequence > furthest {
            return Err(TxError::WrongSequence { expected, found: body.sequence }.into());
        }
        // The dearest check comes last.
        tx.verify(now.chain, &body.sender).map_err(|_| TxError::BadSignature)?;
        self.waiting.insert(slot, tx);
        self.ids.insert(id);
        Ok(id)
    }

    /// Returns whether a transaction waits.
    pub fn has(&self, id: &TxId) -> bool {
        self.ids.contains(id)
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Returns whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns all waiting transactions, each sender's in order of sequence.
    pub fn candidates(&self) -> impl Iterator<Item = SignedTransaction> + '_ {
        self.waiting.values().cloned()
    }

    /// Returns the highest sequence of a sender that waits.
    pub fn last_sequence(&self, sender: &Address) -> Option<u64> {
        let range = self.waiting.range((*sender, 0)..=(*sender, u64::MAX));
        range.last().map(|((_, sequence), _)| *sequence)
    }

    /// Forgets what a block at `height` has made useless: expired transactions, and sequences that are spent.
    pub fn settle(
        &mut self,
        chain: ChainId,
        height: Height,
        mut sequence_of: impl FnMut(&Address) -> Option<u64>,
    ) {
        let mut known: BTreeMap<Address, Option<u64>> = BTreeMap::new();
        let ids = &mut self.ids;
        self.waiting.retain(|(sender, sequence), tx| {
            let spent = known.entry(*sender).or_insert_with(|| sequence_of(sender));
            let over = spent.is_some_and(|spent| *sequence <= spent)
                || (tx.body.reference_height <= height && !tx.body.lives_at(height.plus(1)));
            if over {
                ids.remove(&tx.body.id(chain));
            }
            !over
        });
    }
}
