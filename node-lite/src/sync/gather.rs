//! Everything that a node needs at one checkpoint, and what of it is here.

use super::{
    branch::Prefix,
    fault::Fault,
    plan::Plan,
    write::{Finish, Piece, Target},
};
use crate::{
    bft::{MAX_RECENT, Peer},
    storage::StorageError,
};
use antiphon_core::{
    chain::{
        header::Header,
        light::File,
        set::{GuardianSet, ValidatorSet},
    },
    codec,
    crypto::Hash,
    id::{ChainId, Height},
};
use std::collections::BTreeMap;

/// Everything about one checkpoint.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) target: Target,
    /// Height of the chain's first block, below which there is none.
    genesis: Height,
    pub(super) plan: Plan,
    /// Headers below the checkpoint, the newest first.
    pub(super) ancestors: Vec<Header>,
    validators: Option<ValidatorSet>,
    guardians: Option<GuardianSet>,
    /// Who split which range.
    pub(super) splitters: BTreeMap<Prefix, Peer>,
}

impl Gathering {
    pub(super) fn new(target: Target, genesis: Height) -> Self {
        let plan = Plan::new(target.root(), target.version());
        Self {
            target,
            genesis,
            plan,
            ancestors: Vec::new(),
            validators: None,
            guardians: None,
            splitters: BTreeMap::new(),
        }
    }

    /// Goes on with the pieces that are on the disk. Branches come before what is below them.
    pub(super) fn resume(
        (target, genesis): (Target, Height),
        mut pieces: Vec<(Prefix, Piece)>,
    ) -> Result<Self, StorageError> {
        let mut gathering = Self::new(target, genesis);
        pieces.sort_by_key(|(at, piece)| (matches!(piece, Piece::Held(_)), at.nibbles().len()));
        for (at, piece) in pieces {
            let fits = match piece {
                Piece::Split(branch) => gathering.plan.split(&at, branch),
                Piece::Held(held) => gathering.plan.hold(&at, held)?.is_some(),
            };
            if !fits {
                return Err(StorageError(String::from("the pieces of the state do not fit")));
            }
        }
        Ok(gathering)
    }

    /// Returns the lowest header that is here.
    pub(super) fn lowest(&self) -> &Header {
        self.ancestors.last().unwrap_or(&self.target.checkpoint.header)
    }

    pub(super) fn lacks_ancestors(&self) -> bool {
        let below = self.target.checkpoint.header.height.0.saturating_sub(self.genesis.0);
        let wanted = below.min(MAX_RECENT.saturating_sub(1) as u64);
        (self.ancestors.len() as u64) < wanted
    }

    /// Returns the sets that are missing.
    pub(super) fn files(&self) -> Vec<File> {
        let header = &self.target.checkpoint.header;
        let guardians = self.guardians.is_none();
        let validators = self.validators.is_none();
        let guardians = guardians.then_some(File::Guardians(header.next_guardians_hash));
        let validators = validators.then_some(File::Validators(header.next_validators_hash));
        guardians.into_iter().chain(validators).collect()
    }

    /// Takes in a set of the checkpoint if it is one.
    pub(super) fn learn(&mut self, chain: ChainId, file: &File, bytes: &[u8]) -> Option<Fault> {
        let max = file.max_bytes();
        let hash = |found: Hash, name: &Hash| found == *name;
        match file {
            File::Guardians(name) => {
                let set = codec::decode::<GuardianSet>(bytes, max).ok();
                self.guardians = set.filter(|set| hash(set.hash(chain), name));
                self.guardians.is_none().then_some(Fault::WrongContent)
            }
            File::Validators(name) => {
                let set = codec::decode::<ValidatorSet>(bytes, max).ok();
                self.validators = set.filter(|set| hash(set.hash(chain), name));
                self.validators.is_none().then_some(Fault::WrongContent)
            }
            File::Spec(_)
            | File::Tip
            | File::News
            | File::Header(_)
            | File::Checkpoint(_)
            | File::Change(_)
            | File::Final(_)
            | File::Span(_)
            | File::Body(_) => None,
        }
    }

    /// Returns what completes the node's disk, once nothing is missing.
    pub(super) fn finish(&self) -> Option<Box<Finish>> {
        if !self.plan.is_whole() || self.lacks_ancestors() {
            return None;
        }
        Some(Box::new(Finish {
            target: self.target.clone(),
            ancestors: self.ancestors.clone(),
            validators: self.validators.clone()?,
            guardians: self.guardians.clone()?,
        }))
    }
}
