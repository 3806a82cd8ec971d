//! Offences that a node has seen, with what shows them to the chain: whoever wants sends it as an accusation (A4.2).
//!
//! One of each kind for each offender, as the chain punishes no more; so who signs twice all day fills no disk.

use antiphon_core::{
    chain::{
        offence::{Evidence, MAX_EVIDENCE},
        set::MAX_GUARDIANS,
    },
    codec::{self, Bounded},
    crypto::{Hash, PublicKey, bls::BlsPublicKey},
    id::Address,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most offences that are kept. Chosen here: far more than a chain survives.
pub const MAX_OFFENCES: usize = 256;
/// Longest offence as stored, in bytes: evidence, and the keys of the largest set.
pub const MAX_SEEN: usize = MAX_EVIDENCE + MAX_GUARDIANS * 97 + 16;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Offender {
    /// A validator.
    Validator(PublicKey),
    /// A guardian.
    Guardian(BlsPublicKey),
}

/// An offence that was seen.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Seen {
    /// What shows it.
    pub evidence: Evidence,
    /// Whom it shows as guilty: one, or everybody in two sums.
    pub offenders: Bounded<Offender, MAX_GUARDIANS>,
}

/// An offence with the staker behind each offender, where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The offence.
    pub seen: Seen,
    /// In the order of its offenders.
    pub stakers: Vec<Option<Address>>,
}

impl Seen {
    /// Returns its name: the kind of offence, and who did it.
    pub fn id(&self) -> Hash {
        let kind = self.evidence.claim().offence as u8;
        Hash::of(&[&[kind], &codec::encode(&self.offenders)])
    }
}
