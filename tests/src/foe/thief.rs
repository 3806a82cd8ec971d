//! Holds every validator's key of a term that has ended, and forks it: another checkpoint with a certificate, and blocks
//! on it. ADVERSARIAL case 10.

use super::{Foe, settlement};
use antiphon_core::{
    chain::{
        carried::Carried,
        certificate::{Certificate, IndexedSignature, Vote},
        header::{Header, SignedHeader},
    },
    codec::{self, Bounded},
    crypto::{Hash, SecretKey},
    id::{ChainId, Epoch},
};
use antiphon_node::{
    bft::message::{Block, Message, SignedVote},
    supernode::wire::Wire,
};

/// Who has bought the keys of ex-validators.
#[derive(Debug)]
pub struct KeyThief {
    /// In the order of their set.
    keys: Vec<SecretKey>,
    chain: ChainId,
    /// The set that they were.
    set: Hash,
    /// The last block of the ended term that was seen, and the first of the next.
    last: Option<Block>,
    next: Option<Block>,
    turn: usize,
}

impl KeyThief {
    /// Takes the keys of the set with this hash, in its order.
    pub const fn new(keys: Vec<SecretKey>, chain: ChainId, set: Hash) -> Self {
        Self { keys, chain, set, last: None, next: None, turn: 0 }
    }

    fn sign(&self, mut header: Header) -> Block {
        let members = self.keys.len() as u64;
        header.time = header.time.plus(1);
        header.proposer_index = (header.epoch.0 % members) as u16;
        let key = &self.keys[usize::from(header.proposer_index)];
        let signature = key.sign(self.chain, &header.proposal(header.id()));
        Block {
            signed: SignedHeader { header, signature },
            carried: Carried::default(),
            body: Bounded::new(),
        }
    }

    fn votes(&self, block: &Block, set: Hash) -> Vec<SignedVote> {
        let vote = Vote { validators_hash: set, height: block.height(), block: block.id() };
        let all = (0_u16..).zip(&self.keys);
        all.map(|(index, key)| SignedVote::new(key, self.chain, index, vote.clone())).collect()
    }

    fn certificate(&self, block: &Block) -> Certificate {
        let votes = self.votes(block, self.set).into_iter();
        let signatures =
            votes.map(|vote| IndexedSignature { index: vote.index, signature: vote.signature });
        let signatures = Bounded::try_from(signatures.collect::<Vec<_>>()).unwrap();
        Certificate { block: block.id(), height: block.height(), signatures }
    }

    /// The end of the term once more, otherwise: a block beside the last one, two on it, all with certificates.
    fn fork(&self, last: &Block) -> Vec<Message> {
        let first = self.sign(last.signed.header.clone());
        let mut messages = vec![Message::Block(Box::new(first.clone()))];
        let mut below = first;
        for _ in 0..2 {
            let parent = &below.signed.header;
            let (height, epoch) = (parent.height.plus(1), Epoch(parent.epoch.0 + 1));
            let hcc = self.certificate(&below);
            let header = Header { height, epoch, parent: below.id(), hcc, ..parent.clone() };
            let block = self.sign(header);
            messages.push(Message::Block(Box::new(block.clone())));
            messages.extend(self.votes(&block, self.set).into_iter().map(Message::Vote));
            messages.push(Message::Certificate(self.certificate(&block)));
            below = block;
        }
        messages
    }

    /// A block of the next term, signed and voted for by those who are not in it any more.
    fn usurp(&self, next: &Block) -> Vec<Message> {
        let block = self.sign(next.signed.header.clone());
        let set = block.signed.header.validators_hash;
        let votes = self.votes(&block, set).into_iter().map(Message::Vote);
        [Message::Block(Box::new(block))].into_iter().chain(votes).collect()
    }

    fn see(&mut self, bytes: &[u8]) {
        let Some(Message::Block(block)) = settlement(bytes) else { return };
        let of_term = block.signed.header.validators_hash == self.set;
        if !of_term {
            self.next = Some(*block);
        } else if self.next.is_none() {
            self.last = Some(*block);
        }
    }
}

impl Foe for KeyThief {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        self.see(&bytes);
        let mut said = vec![bytes];
        // The term must be over: before, these are the keys that decide.
        if let (Some(last), Some(next)) = (&self.last, &self.next) {
            self.turn += 1;
            let forged =
                if self.turn.is_multiple_of(2) { self.fork(last) } else { self.usurp(next) };
            said.extend(forged.into_iter().map(|message| codec::encode(&Wire::Bft(message))));
        }
        said
    }

    fn hears(&mut self, _: usize, bytes: &[u8]) -> bool {
        self.see(bytes);
        true
    }
}
