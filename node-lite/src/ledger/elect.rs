//! Which sets a block commits: those of its parent, unless it is a checkpoint that elects others.
//!
//! Source: PROTOCOL A1.22, A2.10; ALZA-12. Rewards and silence are settled before the election, so it sees them.

use super::{ExecuteError, Executed, Ledger, Spent, TxError, apply::Session};
use crate::storage::{Storage, StorageError};
use antiphon_core::{
    chain::{
        header::{Header, Next},
        set::{GuardianSet, ValidatorSet},
        stake,
    },
    crypto::merkle,
    id::{BlockId, Height},
};
use std::{collections::BTreeMap, sync::Arc};

/// Sets that a block elects; `None` leaves the set as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elected {
    /// The validators of the next term.
    pub validators: Option<ValidatorSet>,
    /// The guardians of the next checkpoint.
    pub guardians: Option<GuardianSet>,
}

impl<S: Storage> Ledger<S> {
    /// Returns the sets that a known block commits.
    pub(super) fn next_above(&self, id: &BlockId) -> Option<Next> {
        match self.blocks.get(id) {
            Some(executed) => Some(executed.next),
            None => (*id == self.head.0).then_some(self.next),
        }
    }

    /// Returns the validators of what is built on a known block.
    pub(super) fn acting_above(&self, id: &BlockId) -> Option<&ValidatorSet> {
        let mut at = *id;
        while let Some(executed) = self.blocks.get(&at) {
            if let Some(validators) = &executed.elected.validators {
                return Some(validators);
            }
            at = executed.parent;
        }
        (at == self.head.0).then_some(&self.validators)
    }

    /// Returns the guardians that a known block commits for the next checkpoint.
    pub(super) fn guardians_above(
        &self,
        id: &BlockId,
    ) -> Result<Option<GuardianSet>, StorageError> {
        let mut at = *id;
        while let Some(executed) = self.blocks.get(&at) {
            if let Some(guardians) = &executed.elected.guardians {
                return Ok(Some(guardians.clone()));
            }
            at = executed.parent;
        }
        if at == self.head.0 { self.store().guardians(&self.next.guardians) } else { Ok(None) }
    }

    /// Returns what a closing block leaves behind: the state of its parent.
    pub(super) fn unchanged(&self, header: &Header) -> Option<Executed> {
        let version = self.view(&header.parent)?.version();
        Some(Executed {
            parent: header.parent,
            height: header.height,
            version,
            field_root: merkle::root(&[]),
            changes: BTreeMap::new(),
            batch: Arc::default(),
            transactions: Vec::new(),
            spent: Spent::new(),
            guardians: header.guardians_hash,
            next: header.next(),
            elected: Elected::default(),
        })
    }

    /// Carries out what a block does by itself, and returns what it elects and so commits.
    pub(super) fn elect(
        &self,
        session: &mut Session<'_, S>,
        parent: &BlockId,
        height: Height,
    ) -> Result<(Elected, Next), ExecuteError> {
        let unknown = ExecuteError::UnknownParent;
        let mut next = self.next_above(parent).ok_or(unknown.clone())?;
        let Some(rules) = &self.spec.stake else { return Ok((Elected::default(), next)) };
        let acting = self.acting_above(parent).ok_or(unknown.clone())?;
        session.note_proposal().map_err(internal)?;
        if !self.spec.is_checkpoint(height) {
            return Ok((Elected::default(), next));
        }
        let finalising = self.guardians_above(parent)?.ok_or(unknown)?;
        session.judge_term(acting).map_err(internal)?;
        let candidates = session.candidates().map_err(internal)?;
        let (validators, guardians) = stake::elect(rules, height, &candidates);
        let elected = Elected {
            validators: validators.filter(|set| set.members != acting.members),
            guardians: guardians.filter(|set| set.members != finalising.members),
        };
        if let Some(set) = &elected.validators {
            next.validators = set.hash(self.chain);
        }
        if let Some(set) = &elected.guardians {
            next.guardians = set.hash(self.chain);
        }
        Ok((elected, next))
    }
}

/// What a block does by itself fails only where the state is not what it must be.
pub(super) fn internal(error: TxError) -> ExecuteError {
    if let TxError::Storage(error) = error {
        error.into()
    } else {
        StorageError(error.to_string()).into()
    }
}
