//! What goes wrong around a node, with the evidence in the value and one line for people.

use crate::{bft, guardian, ledger::ExecuteError};
use antiphon_core::id::BlockId;

/// What went wrong.
#[derive(Clone, Debug)]
pub enum Fault {
    /// In settlement.
    Bft(bft::Fault),
    /// In finality.
    Guardian(guardian::Fault),
    /// A block that does not execute.
    Block(BlockId, ExecuteError),
    /// Bytes that are no message.
    Malformed(bft::Peer),
    /// This node cannot go on: its disk or its own arithmetic failed.
    Stopped(ExecuteError),
}

impl core::fmt::Display for Fault {
    /// Says what happened in one line; the evidence is in the value.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bft(bft::Fault::TwoProposals(pair)) => {
                let [first, second] = pair.as_ref();
                let (one, two) = (first.header.id().0, second.header.id().0);
                write!(f, "two proposals of one slot: {one} and {two}")
            }
            Self::Bft(bft::Fault::TwoVotes(pair)) => {
                let [first, second] = pair.as_ref();
                let (one, two) = (first.vote.block.0, second.vote.block.0);
                write!(f, "validator {} voted for {one} and {two}", first.index)
            }
            Self::Bft(bft::Fault::BadMessage(peer)) => write!(f, "bad message of node {peer}"),
            Self::Bft(bft::Fault::Halted(one, two)) => {
                write!(f, "settlement halted: {} against {}", one.0, two.0)
            }
            Self::Guardian(guardian::Fault::TwoShares(pair)) => {
                let [first, second] = pair.as_ref();
                let (one, two) = (first.vote.block.0, second.vote.block.0);
                write!(f, "guardian {} signed {one} and {two}", first.index)
            }
            Self::Guardian(guardian::Fault::BadMessage(peer)) => {
                write!(f, "bad guardian message of node {peer}")
            }
            Self::Guardian(guardian::Fault::Forged(peer)) => {
                write!(f, "neighbour {peer} forged a sum of guardians' shares")
            }
            Self::Guardian(guardian::Fault::Halted(certificate, settled)) => {
                write!(f, "finality halted: {} against {}", certificate.block.0, settled.0)
            }
            Self::Block(id, error) => write!(f, "block {} does not execute: {error}", id.0),
            Self::Malformed(peer) => write!(f, "malformed bytes of node {peer}"),
            Self::Stopped(error) => write!(f, "stopped: {error}"),
        }
    }
}
