//! Accounts, bonds, pools and fields under a head's state root (A7.6).

use super::{
    AccountFound, BondFound, FieldFound, Halt, LookupError, PoolFound, Running, StakersFound,
    found::Shown, header::at_head,
};
use crate::{
    chain::{
        Level,
        light::{Head, Light},
        proof::{MAX_KEYS, MAX_PROOFS, StateProof, StateProofError, StateProofs},
        stake::{Bond, RosterPage, Staker},
        state::{Account, MAX_VALUE, StateKey},
    },
    codec::{self, Bounded},
    id::{Address, FieldId, Height, PoolId},
    payment::{
        field::escrow::{FieldKeys, FieldState},
        reservation::PoolState,
    },
    wallet::book::Query,
};
use alloc::{vec, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Stakers whose bonds one answer proves: each takes two keys, beside the account and its own row.
const MAX_BONDS: usize = (MAX_KEYS - 2) / 2;
/// Stakers whose rows one answer proves.
const MAX_STAKERS: usize = MAX_KEYS;

/// Returns the question for proofs of these keys; `None` for more than one answer proves.
pub(super) fn query(height: Height, keys: &[StateKey]) -> Option<Query> {
    let keys: Bounded<StateKey, MAX_KEYS> = Bounded::try_from(keys.to_vec()).ok()?;
    Some(Query::Prove { height: height.0, keys: codec::encode(&keys) })
}

impl Running {
    /// Takes in an answer. Each proof is verified here, under the root of the head that the question was about.
    pub(super) fn learn_proofs(&mut self, bytes: &[u8]) -> Result<(), LookupError> {
        let Some((_, keys)) = self.proof.take() else { return Ok(()) };
        let level = match self.question {
            super::Question::Account(_, level)
            | super::Question::Pool(_, level)
            | super::Question::Field(_, level)
            | super::Question::Stakers(level) => level,
            super::Question::PoolsOf(_) => Level::Settled,
            super::Question::Block(_)
            | super::Question::Blocks(_)
            | super::Question::Checkpoint(_) => return Ok(()),
        };
        let root = self.base.newest(level).ok_or(LookupError::NotReady)?.header.state_root;
        let proofs: StateProofs = codec::decode(bytes, MAX_PROOFS)?;
        crate::chain::proof::verify_all(&proofs, &root, &keys)?;
        self.facts.proofs.push((keys, proofs.into_vec()));
        Ok(())
    }

    /// Returns the verified proofs of these keys under a head.
    pub(super) fn prove(&self, head: &Head, keys: Vec<StateKey>) -> Result<&[StateProof], Halt> {
        let known = self.facts.proofs.iter().find(|(known, _)| *known == keys);
        known.map(|(_, proofs)| proofs.as_slice()).ok_or(Halt::Prove(head.header.height, keys))
    }

    pub(super) fn head(&self, level: Level) -> Result<Head, Halt> {
        Ok(self.base.newest(level).cloned().ok_or(LookupError::NotReady)?)
    }

    /// Returns the addresses on the first page of the roster, and whether they are all.
    fn roster(&self, head: &Head) -> Result<(Vec<Address>, bool), Halt> {
        if !self.base.stakes {
            return Ok((Vec::new(), true));
        }
        let (first, second) = (0, 1);
        let keys = [first, second].map(|page| StateKey::roster(self.base.state_chain, page));
        let proofs = self.prove(head, keys.to_vec())?;
        let page: RosterPage = value(proofs.first())?.unwrap_or_default();
        let rest: RosterPage = value(proofs.get(1))?.unwrap_or_default();
        Ok((page.into_vec(), rest.is_empty()))
    }

    pub(super) fn account(
        &self,
        light: &Light,
        address: Address,
        level: Level,
    ) -> Result<AccountFound, Halt> {
        let (chain, head) = (self.base.state_chain, self.head(level)?);
        let (mut stakers, is_whole) = self.roster(&head)?;
        // Who has bonded with itself less than it takes is a staker, and on no roster.
        if self.base.stakes && !stakers.contains(&address) {
            stakers.insert(0, address);
        }
        let has_all_bonds = is_whole && stakers.len() <= MAX_BONDS;
        stakers.truncate(MAX_BONDS);
        let key = StateKey::account(chain, &address);
        let mut keys = vec![key];
        if self.base.stakes {
            keys.push(StateKey::staker(chain, &address));
        }
        for staker in &stakers {
            keys.push(StateKey::staker(chain, staker));
            keys.push(StateKey::bond(chain, &address, staker));
        }
        let proofs = self.prove(&head, keys)?;
        let account: Option<Account> = value(proofs.first())?;
        let mut bonds = Vec::new();
        for (staker, rows) in stakers.iter().zip(proofs.get(2..).unwrap_or(&[]).chunks(2)) {
            let row: Option<Staker> = value(rows.first())?;
            let bond: Option<Bond> = value(rows.get(1))?;
            let Some((row, bond)) = row.zip(bond.filter(|bond| !bond.is_empty())) else { continue };
            let (_, _, due) = bond.claimed(&row);
            bonds.push(BondFound { staker: *staker, bond, due });
        }
        Ok(AccountFound {
            proven: at_head(light, &head),
            address,
            exists: account.is_some(),
            account: account.unwrap_or_default(),
            shown: shown(proofs.first(), key)?,
            staker: value(proofs.get(1))?,
            bonds,
            has_all_bonds,
        })
    }

    pub(super) fn pool(
        &self,
        light: &Light,
        pool: PoolId,
        level: Level,
    ) -> Result<PoolFound, Halt> {
        let head = self.head(level)?;
        let key = StateKey::pool(self.base.state_chain, &pool);
        let proofs = self.prove(&head, vec![key])?;
        let state: Option<PoolState> = value(proofs.first())?;
        let shown = shown(proofs.first(), key)?;
        Ok(PoolFound { proven: at_head(light, &head), pool, state, shown })
    }

    pub(super) fn field(
        &self,
        light: &Light,
        field: FieldId,
        level: Level,
    ) -> Result<FieldFound, Halt> {
        let (chain, head) = (self.base.state_chain, self.head(level)?);
        let key = StateKey::field(chain, &field);
        let proofs = self.prove(&head, vec![key, StateKey::field_keys(chain, &field)])?;
        let state: Option<FieldState> = value(proofs.first())?;
        let keys: FieldKeys = value(proofs.get(1))?.unwrap_or_default();
        let shown = shown(proofs.first(), key)?;
        Ok(FieldFound { proven: at_head(light, &head), field, state, keys, shown })
    }

    pub(super) fn stakers(&self, light: &Light, level: Level) -> Result<StakersFound, Halt> {
        if !self.base.stakes {
            return Err(LookupError::NoStake.into());
        }
        let (chain, head) = (self.base.state_chain, self.head(level)?);
        let (mut addresses, is_whole) = self.roster(&head)?;
        let has_all = is_whole && addresses.len() <= MAX_STAKERS;
        addresses.truncate(MAX_STAKERS);
        let keys = addresses.iter().map(|staker| StateKey::staker(chain, staker)).collect();
        let proofs = self.prove(&head, keys)?;
        let mut stakers = Vec::new();
        for (address, proof) in addresses.iter().zip(proofs) {
            if let Some(row) = value(Some(proof))? {
                stakers.push((*address, row));
            }
        }
        Ok(StakersFound { proven: at_head(light, &head), stakers, has_all })
    }
}

/// Decodes a proven value; the chain itself would have to hold nonsense for this to fail.
pub(super) fn value<T: BorshDeserialize + BorshSerialize>(
    proof: Option<&StateProof>,
) -> Result<Option<T>, LookupError> {
    let bytes = proof.and_then(|proof| proof.value.as_deref());
    Ok(bytes.map(|bytes| codec::decode(bytes, MAX_VALUE)).transpose()?)
}

fn shown(proof: Option<&StateProof>, key: StateKey) -> Result<Shown, LookupError> {
    let proof = proof.ok_or(StateProofError::WrongCount { expected: 1, found: 0 })?;
    let (leaf, turns) = proof.turns(&key);
    Ok(Shown { key, leaf, turns })
}
