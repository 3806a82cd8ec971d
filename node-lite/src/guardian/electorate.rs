//! The sets that open checkpoints are signed by: each checkpoint names its own, elected at the one before (A2.10).

use antiphon_core::{
    chain::set::{Guardian, GuardianSet, quorum},
    crypto::{Hash, bls::BlsPublicKey},
    id::ChainId,
};
use std::{collections::BTreeMap, sync::Arc};

/// One set, and this node's place in it.
#[derive(Debug)]
pub(super) struct Electorate {
    pub(super) set: Arc<GuardianSet>,
    pub(super) quorum: u64,
    pub(super) index: Option<u16>,
}

impl Electorate {
    pub(super) fn member(&self, index: u16) -> Option<&Guardian> {
        self.set.members.get(usize::from(index))
    }
}

/// The sets by hash.
#[derive(Debug, Default)]
pub(super) struct Electorates(BTreeMap<Hash, Electorate>);

impl Electorates {
    /// Takes in a set. `None` for one that no chain may have.
    pub(super) fn add(
        &mut self,
        chain: ChainId,
        set: Arc<GuardianSet>,
        me: Option<BlsPublicKey>,
    ) -> Option<Hash> {
        let (total, hash) = (set.total()?, set.hash(chain));
        let place = me.and_then(|me| set.members.iter().position(|member| member.key == me));
        let index = place.and_then(|place| u16::try_from(place).ok());
        self.0.insert(hash, Electorate { quorum: quorum(total), index, set });
        Some(hash)
    }

    pub(super) fn get(&self, hash: &Hash) -> Option<&Electorate> {
        self.0.get(hash)
    }

    /// Forgets sets that no open checkpoint names.
    pub(super) fn retain(&mut self, is_open: impl Fn(&Hash) -> bool) {
        self.0.retain(|hash, _| is_open(hash));
    }
}
