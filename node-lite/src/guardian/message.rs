//! What travels between guardians.

use antiphon_core::{
    chain::certificate::{Counts, FinalityCertificate, FinalityVote},
    crypto::bls::BlsSignature,
    id::Height,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// One guardian's signature on a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Share {
    /// What is signed.
    pub vote: FinalityVote,
    /// Position of the guardian in the set.
    pub index: u16,
    /// Over the vote.
    pub signature: BlsSignature,
}

/// What a guardian tells a neighbour in a round: the sum of all shares that it has (A2.14).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tally {
    /// The sender's round, from 1 on.
    pub round: u8,
    /// What is signed.
    pub vote: FinalityVote,
    /// How often each guardian's share is in the sum.
    pub counts: Counts,
    /// The sum.
    pub signature: BlsSignature,
}

/// What travels between guardians.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// A share; to everybody, in a small set (A2.17).
    Share(Share),
    /// A finished certificate.
    Certificate(FinalityCertificate),
    /// A request for the certificate of the change of guardians at this height.
    Ask(Height),
    /// A sum of shares; to one neighbour, in a large set (A2.15).
    Tally(Box<Tally>),
}
