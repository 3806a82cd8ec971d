//! Proposes two blocks in each of its epochs, shows one to each half of the nodes, and votes for both.
//! ADVERSARIAL case 6; offences A4-O1 and A4-O2.

use super::Foe;
use antiphon_core::{
    chain::certificate::Vote,
    codec,
    crypto::SecretKey,
    id::{BlockId, ChainId},
};
use antiphon_node::{
    bft::message::{Block, Message, SignedVote},
    supernode::wire::Wire,
};
use std::collections::BTreeMap;

/// A validator with two faces.
#[derive(Debug)]
pub struct Equivocator {
    key: SecretKey,
    chain: ChainId,
    /// Its place in the set.
    index: u16,
    /// The twin of each block that it proposed.
    twins: BTreeMap<BlockId, BlockId>,
}

impl Equivocator {
    /// Lets the holder of `key` say one thing to even nodes and another to odd ones.
    pub const fn new(key: SecretKey, chain: ChainId, index: u16) -> Self {
        Self { key, chain, index, twins: BTreeMap::new() }
    }

    fn twin(&mut self, block: &Block) -> Block {
        let mut twin = block.clone();
        twin.signed.header.time = twin.signed.header.time.plus(1);
        let proposal = twin.signed.header.proposal(twin.id());
        twin.signed.signature = self.key.sign(self.chain, &proposal);
        self.twins.insert(block.id(), twin.id());
        twin
    }
}

impl Foe for Equivocator {
    fn says(&mut self, to: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if to.is_multiple_of(2) {
            return vec![bytes];
        }
        let Ok(Wire::Bft(message)) = Wire::decode(&bytes) else { return vec![bytes] };
        let said = match message {
            Message::Block(block) if block.signed.header.proposer_index == self.index => {
                Message::Block(Box::new(self.twin(&block)))
            }
            Message::Vote(vote) => {
                let Some(twin) = self.twins.get(&vote.vote.block) else { return vec![bytes] };
                let other = Vote { block: *twin, ..vote.vote };
                let signature = self.key.sign(self.chain, &other);
                Message::Vote(SignedVote { vote: other, index: vote.index, signature })
            }
            Message::EpochChange(_) | Message::Block(_) | Message::Certificate(_) => {
                return vec![bytes];
            }
        };
        vec![codec::encode(&Wire::Bft(said))]
    }
}
