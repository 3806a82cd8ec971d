//! Who signed a checkpoint: one bit for each guardian, or how often each one's signature is in the sum.
//!
//! ```text
//! bitmap   length u32, bytes                              sets that flood single shares (A2.17)
//! counts   members u16, width u8, members × width bits    sets that add up on the way (A2.14)
//! ```
//!
//! The width of counts is that of the greatest one, the lowest bit comes first and spare bits are zero, so that each list
//! has one encoding. All of a first round take one bit each.
//!
//! Source: PROTOCOL A2.14, A2.17; ALLA-6, ALLA-7. Every count is below the group's order, so what is above zero is not
//! zero modulo it: a sum that verifies shows that each honest guardian with a count has signed.

use super::CertificateError;
use crate::{
    chain::set::{GuardianSet, MAX_GUARDIANS},
    codec::Bounded,
    crypto::{
        Hash,
        bls::{BlsError, BlsPublicKey, BlsSignature},
    },
};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize, io};
use core::ops::Deref;

/// `D`: most messages that a guardian merges in one round (A2.14).
pub const MAX_MERGES: u32 = 8;
/// `L`: the last round, whose counts stay below 2³¹ (A2.14).
pub const MAX_ROUND: u8 = 10;

/// Returns `B_r`, the greatest count in a message of round `r` from 1 on: what a guardian says, and up to `D` others'
/// of the round before. One round after the last it still fits 32 bits: that is the greatest count of a certificate.
pub const fn max_count(round: u8) -> u32 {
    (MAX_MERGES + 1).saturating_pow(round.saturating_sub(1) as u32)
}

/// How often each member's signature is in a sum, in the order of the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Bounded<u32, MAX_GUARDIANS>);

impl Deref for Counts {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.0
    }
}

impl Counts {
    /// Returns the counts of a set's members, or `None` for more than a set may have.
    pub fn new(counts: Vec<u32>) -> Option<Self> {
        Bounded::try_from(counts).ok().map(Self)
    }

    /// Returns what two sums are together, or `None` where their lengths differ or a count does not fit.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        if self.len() != other.len() {
            return None;
        }
        let sums = self.iter().zip(other.iter()).map(|(a, b)| a.checked_add(*b));
        Self::new(sums.collect::<Option<_>>()?)
    }

    /// Returns the bits that the greatest count takes; one if all are zero.
    fn width(&self) -> u32 {
        let greatest = self.iter().copied().max().unwrap_or(0);
        u32::BITS.saturating_sub(greatest.leading_zeros()).max(1)
    }
}

impl BorshSerialize for Counts {
    fn serialize<W: io::Write>(&self, writer: &mut W) -> io::Result<()> {
        let width = self.width();
        let members = u16::try_from(self.len()).unwrap_or(u16::MAX);
        (members, u8::try_from(width).unwrap_or(u8::MAX)).serialize(writer)?;
        let (mut waiting, mut bits) = (0_u64, 0_u32);
        for count in self.iter() {
            waiting |= u64::from(*count) << bits;
            bits = bits.saturating_add(width);
            while bits >= 8 {
                writer.write_all(&waiting.to_le_bytes()[..1])?;
                waiting >>= 8;
                bits = bits.saturating_sub(8);
            }
        }
        if bits > 0 { writer.write_all(&waiting.to_le_bytes()[..1]) } else { Ok(()) }
    }
}

impl BorshDeserialize for Counts {
    // A width that is too great and spare bits that are set show when `codec::decode` encodes the value again.
    fn deserialize_reader<R: io::Read>(reader: &mut R) -> io::Result<Self> {
        let (members, width) = <(u16, u8)>::deserialize_reader(reader)?;
        if usize::from(members) > MAX_GUARDIANS {
            return Err(crate::codec::over_limit());
        }
        let width = u32::from(width);
        if !(1..=u32::BITS).contains(&width) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mask = u64::from(u32::MAX >> u32::BITS.saturating_sub(width));
        let (mut waiting, mut bits) = (0_u64, 0_u32);
        let mut counts = Vec::new();
        for _ in 0..members {
            while bits < width {
                waiting |= u64::from(u8::deserialize_reader(reader)?) << bits;
                bits = bits.saturating_add(8);
            }
            counts.push(u32::try_from(waiting & mask).unwrap_or(u32::MAX));
            waiting >>= width;
            bits = bits.saturating_sub(width);
        }
        if waiting > 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Self::new(counts).ok_or_else(crate::codec::over_limit)
    }
}

/// Who signed, in the order of the set.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Signers {
    /// Bit `i % 8` of byte `i / 8` is set if member `i` signed; spare bits are zero (A2.17).
    Bitmap(Bounded<u8, { MAX_GUARDIANS / 8 }>),
    /// How often each member's signature is in the sum (A2.14).
    Counts(Counts),
}

impl Signers {
    /// Returns the bitmap form for `members`, of whom those at `signed` signed; `None` for more than a set may have.
    pub fn bitmap(members: usize, signed: impl IntoIterator<Item = usize>) -> Option<Self> {
        let mut bytes = alloc::vec![0_u8; members.div_ceil(8)];
        for at in signed {
            *bytes.get_mut(at / 8)? |= 1 << (at % 8);
        }
        Some(Self::Bitmap(Bounded::try_from(bytes).ok()?))
    }

    /// Returns how often the signature of the member at a place is in the sum.
    pub fn count_of(&self, at: usize) -> u32 {
        match self {
            Self::Bitmap(bytes) => {
                bytes.get(at / 8).map_or(0, |byte| u32::from(byte >> (at % 8) & 1))
            }
            Self::Counts(counts) => counts.get(at).copied().unwrap_or(0),
        }
    }

    /// Returns whether the member at a place signed.
    pub fn has(&self, at: usize) -> bool {
        self.count_of(at) > 0
    }

    /// Returns how many signed.
    pub fn number(&self) -> u32 {
        match self {
            Self::Bitmap(bytes) => bytes.iter().map(|byte| byte.count_ones()).sum(),
            Self::Counts(counts) => {
                let signed = counts.iter().filter(|count| **count > 0).count();
                u32::try_from(signed).unwrap_or(u32::MAX)
            }
        }
    }

    /// Checks that the list is one of this many members, without counts that no gossip gives.
    ///
    /// # Errors
    /// [`CertificateError::UnknownSigner`], [`CertificateError::OverCount`].
    pub fn check(&self, members: usize) -> Result<(), CertificateError> {
        let fits = match self {
            Self::Bitmap(bytes) => {
                let spare = members..bytes.len().saturating_mul(8);
                bytes.len() == members.div_ceil(8) && !spare.into_iter().any(|at| self.has(at))
            }
            Self::Counts(counts) => counts.len() == members,
        };
        let greatest = max_count(MAX_ROUND + 1);
        match self {
            _ if !fits => Err(CertificateError::UnknownSigner),
            Self::Counts(counts) if counts.iter().any(|count| *count > greatest) => {
                Err(CertificateError::OverCount)
            }
            Self::Bitmap(_) | Self::Counts(_) => Ok(()),
        }
    }

    /// Checks the form and the sum of signatures over one digest, whatever the signers weigh.
    ///
    /// Two pairings for any number of guardians, and an addition for each signer or each that is missing, whichever are
    /// fewer; for counts a multiplication of as many bits as the greatest count has.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn verify(
        &self,
        digest: Hash,
        set: &GuardianSet,
        signature: &BlsSignature,
    ) -> Result<(), CertificateError> {
        self.check(set.members.len())?;
        let verdict = self.key(set).and_then(|key| key.verify(digest, signature));
        verdict.map_err(|error| match error {
            BlsError::NotOnCurve => CertificateError::BadSet,
            BlsError::BadPoint | BlsError::BadSignature | BlsError::NoSigners => {
                CertificateError::BadSignature
            }
        })
    }

    /// Returns the key under which the sum verifies.
    fn key(&self, set: &GuardianSet) -> Result<BlsPublicKey, BlsError> {
        let keys = set.members.iter().map(|member| &member.key);
        let counted = keys.enumerate().map(|(at, key)| (key, self.count_of(at)));
        match self {
            Self::Bitmap(_) => {
                let signed = usize::try_from(self.number()).unwrap_or(usize::MAX);
                let missing = set.members.len().saturating_sub(signed);
                if signed > 0 && missing < signed {
                    let missing = counted.filter(|(_, count)| *count == 0);
                    set.aggregate.without(missing.map(|(key, _)| key))
                } else {
                    BlsPublicKey::weighted(counted)
                }
            }
            Self::Counts(_) => BlsPublicKey::weighted(counted),
        }
    }
}
