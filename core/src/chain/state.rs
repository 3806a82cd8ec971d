//! Keys and values of the authenticated state tree.
//!
//! ```text
//! key   = H(tag of the kind, chain, canonical bytes of the name)      32 bytes, uniformly spread
//! value = canonical bytes of the object
//! ```
//!
//! The kinds have different tags, so a proof of one can never pass for another.

use super::spec::{TOKENS, Token};
use crate::{
    amount::Amount,
    codec,
    crypto::{Hash, PublicKey, bls::BlsPublicKey, hash_tagged},
    id::{Address, ChainId, DelayId, FieldId, Height, PoolId},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest value in the state tree, in bytes.
pub const MAX_VALUE: usize = 4096;

/// A key of the state tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct StateKey(pub Hash);

impl StateKey {
    /// Returns where an [`Account`] lives.
    pub fn account(chain: ChainId, address: &Address) -> Self {
        Self(hash_tagged("state/v1/account", chain, &codec::encode(address)))
    }

    /// Returns where a pool's state lives.
    pub fn pool(chain: ChainId, pool: &PoolId) -> Self {
        Self(hash_tagged("state/v1/pool", chain, &codec::encode(pool)))
    }

    /// Returns where the settled sequence and sum of one payee of a pool live.
    pub fn paid(chain: ChainId, pool: &PoolId, target: &Address) -> Self {
        Self(hash_tagged("state/v1/paid", chain, &codec::encode(&(pool, target))))
    }

    /// Returns where a [`FieldState`](crate::payment::field::escrow::FieldState) lives.
    pub fn field(chain: ChainId, field: &FieldId) -> Self {
        Self(hash_tagged("state/v1/field", chain, &codec::encode(field)))
    }

    /// Returns where the [`FieldKeys`](crate::payment::field::escrow::FieldKeys) of a field live.
    pub fn field_keys(chain: ChainId, field: &FieldId) -> Self {
        Self(hash_tagged("state/v1/field-keys", chain, &codec::encode(field)))
    }

    /// Returns where a [`Staker`](super::stake::Staker) lives.
    pub fn staker(chain: ChainId, staker: &Address) -> Self {
        Self(hash_tagged("state/v1/staker", chain, &codec::encode(staker)))
    }

    /// Returns where a [`Bond`](super::stake::Bond) lives.
    pub fn bond(chain: ChainId, owner: &Address, staker: &Address) -> Self {
        Self(hash_tagged("state/v1/bond", chain, &codec::encode(&(owner, staker))))
    }

    /// Returns where a page of the roster of stakers lives.
    pub fn roster(chain: ChainId, page: u32) -> Self {
        Self(hash_tagged("state/v1/roster", chain, &codec::encode(&page)))
    }

    /// Returns where the staker that registered a validator's key is named, for ever.
    pub fn validator_key(chain: ChainId, key: &PublicKey) -> Self {
        Self(hash_tagged("state/v1/validator-key", chain, &key.0))
    }

    /// Returns where the staker that registered a guardian's key is named, for ever (A2.11).
    pub fn guardian_key(chain: ChainId, key: &BlsPublicKey) -> Self {
        Self(hash_tagged("state/v1/guardian-key", chain, &key.0))
    }

    /// Returns where a [`Delayed`](super::delayed::Delayed) transfer lives.
    pub fn delayed(chain: ChainId, delay: &DelayId) -> Self {
        Self(hash_tagged("state/v1/delayed", chain, &codec::encode(delay)))
    }

    /// Returns where the transfers that are due at a height are named.
    pub fn due(chain: ChainId, height: Height) -> Self {
        Self(hash_tagged("state/v1/due", chain, &codec::encode(&height)))
    }

    /// Returns where the chain's mix of reveals lives, a hash (A3.2).
    pub fn beacon(chain: ChainId) -> Self {
        Self(hash_tagged("state/v1/beacon", chain, &[]))
    }

    /// Returns where the [`Draw`](super::lottery::Draw) lives.
    pub fn draw(chain: ChainId) -> Self {
        Self(hash_tagged("state/v1/draw", chain, &[]))
    }

    /// Returns where the [`Upgrade`](super::upgrade::Upgrade) lives.
    pub fn upgrade(chain: ChainId) -> Self {
        Self(hash_tagged("state/v1/upgrade", chain, &[]))
    }

    /// Returns where the [`Supply`] lives.
    pub fn supply(chain: ChainId) -> Self {
        Self(hash_tagged("state/v1/supply", chain, &[]))
    }
}

/// What an address owns. An address that the tree does not hold owns nothing and has sequence 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Account {
    /// Sequence of the last transaction that was executed; the next must carry one more.
    pub sequence: u64,
    /// Balances in the order of `Token::ALL`.
    pub balances: [Amount; TOKENS],
}

impl Account {
    /// Returns the balance of a token.
    pub const fn balance(&self, token: Token) -> Amount {
        let [staking, operational] = self.balances;
        match token {
            Token::Staking => staking,
            Token::Operational => operational,
        }
    }
}

/// What was made and destroyed, per token. With every balance and lock it sums to genesis (A10.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Supply {
    /// Minted after genesis.
    pub minted: [Amount; TOKENS],
    /// Burned for ever.
    pub burned: [Amount; TOKENS],
}
