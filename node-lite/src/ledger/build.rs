//! A proposer's part: a body out of candidates, and its execution kept until the block comes back.

use super::{
    ExecuteError, Executed, Ledger, Spent, TxError,
    batch::{Job, apply_all},
};
use crate::{
    bft::{
        Build,
        message::{MAX_BLOCK_TXS, MAX_BODY, TxBytes, tx_root},
    },
    storage::Storage,
};
use antiphon_core::{
    chain::{
        carried::Carried,
        header::{Header, Next},
        transaction::SignedTransaction,
    },
    crypto::Hash,
    id::{BlockId, TxId},
};
use std::iter::Peekable;

/// What a proposer gets.
#[derive(Debug)]
pub struct Body {
    /// Encoded transactions that all apply, in order.
    pub transactions: Vec<TxBytes>,
    /// What the block carries beside them.
    pub carried: Carried,
    /// The state root after both.
    pub state_root: Hash,
    /// Root over the fields that it closes.
    pub field_root: Hash,
    /// What the block commits for those above it.
    pub next: Next,
    /// Candidates that cannot be applied, with why.
    pub refused: Vec<(TxId, TxError)>,
    /// The execution, for [`Ledger::adopt`].
    pub prepared: Prepared,
}

/// The execution of a body that was built here, so that its block need not be executed again.
#[derive(Debug)]
pub struct Prepared {
    proposer_index: u16,
    carried: Hash,
    tx_root: Hash,
    state_root: Hash,
    executed: Executed,
}

impl<S: Storage> Ledger<S> {
    /// Makes a body from candidates, leaving out what cannot be applied, and carries of what is offered what the chain wants.
    ///
    /// # Errors
    /// [`ExecuteError`] if the parent is unknown, the store fails, or the chain wants something that is not offered.
    pub fn build(
        &self,
        request: &Build,
        offered: Carried,
        candidates: impl IntoIterator<Item = SignedTransaction>,
    ) -> Result<Body, ExecuteError> {
        let mut session = self.session(request)?;
        let (mut transactions, mut refused, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        let mut spent = Spent::new();
        let mut candidates = candidates.into_iter().peekable();
        let mut room = MAX_BODY;
        while candidates.peek().is_some() {
            let places = MAX_BLOCK_TXS.saturating_sub(transactions.len());
            let (encoded, jobs) = self.take(&mut candidates, places, room);
            if jobs.is_empty() {
                break;
            }
            let verdicts = apply_all(&mut session, &jobs, self.workers);
            for ((encoded, job), verdict) in encoded.into_iter().zip(jobs).zip(verdicts) {
                let id = job.tx.body.id(self.chain);
                match verdict {
                    Ok(()) => {
                        room = room.saturating_sub(encoded.len());
                        ids.push(id);
                        spent.extend([job.spends()]);
                        transactions.push(encoded);
                    }
                    Err(TxError::Storage(error)) => return Err(error.into()),
                    Err(error) => refused.push((id, error)),
                }
            }
        }
        let carried = self.wanted(&mut session, request, offered)?;
        let (state_root, executed) = self.finish(session, request, &carried)?;
        let (next, field_root) = (executed.next, executed.field_root);
        let tx_root = tx_root(&transactions);
        let prepared = Prepared {
            proposer_index: request.proposer_index,
            carried: carried.hash(self.chain),
            tx_root,
            state_root,
            executed: Executed { transactions: ids, spent, ..executed },
        };
        Ok(Body { transactions, carried, state_root, field_root, next, refused, prepared })
    }

    /// Takes the next candidates that have room in a block.
    fn take(
        &self,
        candidates: &mut Peekable<impl Iterator<Item = SignedTransaction>>,
        places: usize,
        mut room: usize,
    ) -> (Vec<TxBytes>, Vec<Job>) {
        let (mut encoded, mut jobs) = (Vec::new(), Vec::new());
        while jobs.len() < places
            && let Some(tx) = candidates.next_if(|tx| tx.to_bytes().len() <= room)
        {
            let Ok(bytes) = TxBytes::try_from(tx.to_bytes()) else { continue };
            room = room.saturating_sub(bytes.len());
            jobs.push(Job { is_known: self.verified.has(&bytes), tx });
            encoded.push(bytes);
        }
        (encoded, jobs)
    }

    /// Keeps the execution of a body that became this block. Returns whether it did: the header says all that went into
    /// the execution and all that came out, so only the very same block does.
    pub fn adopt(&mut self, id: BlockId, header: &Header, prepared: Prepared) -> bool {
        let Prepared { proposer_index, carried, tx_root, state_root, executed } = prepared;
        let same = (header.parent, header.height) == (executed.parent, executed.height)
            && (header.proposer_index, header.carried) == (proposer_index, carried)
            && (header.tx_root, header.state_root) == (tx_root, state_root)
            && (header.next(), header.field_root) == (executed.next, executed.field_root)
            && self.view(&header.parent).is_some();
        if same {
            self.blocks.insert(id, executed);
        }
        same
    }
}
