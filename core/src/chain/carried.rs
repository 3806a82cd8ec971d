//! What a block carries beside its transactions. Its header names it by one hash, so that light clients need not read it.
//!
//! Source: PROTOCOL A3.1, A3.2; AELF-30.

use super::certificate::FinalityCertificate;
use crate::{
    crypto::{Hash, Tagged, bls::BlsSignature},
    id::ChainId,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// What the proposer adds; empty on a chain whose rules ask for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Carried {
    /// The proposer's part in the chain's randomness (A3.2).
    pub reveal: Option<BlsSignature>,
    /// The certificate of the newest checkpoint below, if no block before carried one (A3.1).
    pub finality: Option<FinalityCertificate>,
    /// The newest rules that the proposer's software knows (AELF-30).
    pub rules: u32,
}

impl Tagged for Carried {
    const TAG: &'static str = "chain/v1/carried";
}

impl Carried {
    /// Returns what headers commit.
    pub fn hash(&self, chain: ChainId) -> Hash {
        self.digest(chain)
    }
}
