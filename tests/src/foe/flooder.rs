//! Says far too much: wishes for the last epoch, votes of nobody, proposals for epochs long past and far ahead, and names
//! of blocks that nobody has. ADVERSARIAL case 9.

use super::{Foe, settlement};
use antiphon_core::{
    chain::{certificate::Vote, header::SignedHeader},
    codec,
    crypto::{Hash, SecretKey},
    id::{BlockId, ChainId, Epoch, Height},
};
use antiphon_node::{
    bft::message::{Block, EpochChange, Message, SignedEpochChange, SignedVote},
    supernode::wire::Wire,
};

/// A validator that never stops talking.
#[derive(Debug)]
pub struct Flooder {
    key: SecretKey,
    chain: ChainId,
    /// Its place in the set.
    index: u16,
    /// How many validators there are.
    members: u16,
    /// Extra messages for each that its node sends.
    burst: u64,
    spoken: u64,
    template: Option<Block>,
}

impl Flooder {
    /// Lets the holder of `key`, at `index` of `members`, add `burst` messages to each that its node sends.
    pub const fn new(
        key: SecretKey,
        chain: ChainId,
        (index, members): (u16, u16),
        burst: u64,
    ) -> Self {
        Self { key, chain, index, members, burst, spoken: 0, template: None }
    }

    /// Returns how many messages were added.
    pub const fn spoken(&self) -> u64 {
        self.spoken
    }

    fn junk(&self, number: u64, base: &Block) -> Message {
        let header = &base.signed.header;
        let id = BlockId(Hash::of(&[&number.to_le_bytes()]));
        let (set, height) = (header.validators_hash, header.height);
        match number % 6 {
            0 => {
                let (epoch, high_cc) = (Epoch((1 << 63) + number), header.hcc.clone());
                self.change(EpochChange { validators_hash: set, epoch, high_cc })
            }
            // Signed by itself in the name of somebody else, and of nobody.
            1 => self.vote(set, height, id, (self.index + 1) % self.members),
            2 => self.vote(set, height, id, self.members + (number % 60_000) as u16),
            // Its own turns, one after another: of the past, and far ahead.
            3 => self.block(base, number / 6, height.plus(number)),
            4 => self.block(base, 1_000_000 + number, height.plus(1)),
            // A later term, it says, began at a block that nobody has.
            _ => {
                let mut high_cc = header.hcc.clone();
                (high_cc.block, high_cc.height) = (id, height.plus(1_000));
                let validators_hash = Hash::of(&[b"another term"]);
                self.change(EpochChange { validators_hash, epoch: Epoch(1), high_cc })
            }
        }
    }

    fn change(&self, change: EpochChange) -> Message {
        let signature = self.key.sign(self.chain, &change);
        let (index, last_vote) = (self.index, None);
        Message::EpochChange(Box::new(SignedEpochChange { change, index, signature, last_vote }))
    }

    fn vote(&self, set: Hash, height: Height, block: BlockId, index: u16) -> Message {
        let vote = Vote { validators_hash: set, height, block };
        Message::Vote(SignedVote::new(&self.key, self.chain, index, vote))
    }

    fn block(&self, base: &Block, turn: u64, height: Height) -> Message {
        let mut header = base.signed.header.clone();
        header.epoch = Epoch(turn * u64::from(self.members) + u64::from(self.index));
        (header.height, header.proposer_index) = (height, self.index);
        let signature = self.key.sign(self.chain, &header.proposal(header.id()));
        let signed = SignedHeader { header, signature };
        Message::Block(Box::new(Block {
            signed,
            carried: base.carried.clone(),
            body: base.body.clone(),
        }))
    }
}

impl Foe for Flooder {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        if let Some(Message::Block(block)) = settlement(&bytes) {
            self.template = Some(*block);
        }
        let mut said = vec![bytes];
        let Some(base) = &self.template else { return said };
        let junk = (self.spoken..self.spoken + self.burst).map(|number| self.junk(number, base));
        said.extend(junk.map(|message| codec::encode(&Wire::Bft(message))));
        self.spoken += self.burst;
        said
    }
}
