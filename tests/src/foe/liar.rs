//! Forges: certificates with one signature many times over, votes and shares in the name of others, aggregates of one,
//! and headers whose state is not what the transactions give. ADVERSARIAL cases 3 and 11.

use super::{Foe, settlement};
use antiphon_core::{
    chain::{
        certificate::{
            Certificate, FinalityCertificate, FinalityVote, IndexedSignature, Signers, Vote,
        },
        header::Header,
    },
    codec::{self, Bounded},
    crypto::{Hash, SecretKey, Tagged, bls::BlsSecretKey},
    id::{BlockId, ChainId, Epoch, Height},
};
use antiphon_node::{
    bft::message::{Block, EpochChange, Message, SignedEpochChange, SignedVote},
    guardian,
    supernode::wire::Wire,
};

/// A validator and guardian to whom a signature is only bytes.
#[derive(Debug)]
pub struct Liar {
    key: SecretKey,
    guardian: BlsSecretKey,
    chain: ChainId,
    index: u16,
    lies: u64,
    seen: Option<Header>,
}

impl Liar {
    /// Lets the holder of both keys, whose validator is at `index`, lie with every message.
    pub const fn new(key: SecretKey, guardian: BlsSecretKey, chain: ChainId, index: u16) -> Self {
        Self { key, guardian, chain, index, lies: 0, seen: None }
    }

    fn lie(&self, header: &Header) -> Wire {
        let block = BlockId(Hash::of(&[b"nothing", &self.lies.to_le_bytes()]));
        let (set, height) = (header.validators_hash, header.height.plus(1 + self.lies % 3));
        let vote = Vote { validators_hash: set, height, block };
        let own = SignedVote::new(&self.key, self.chain, self.index, vote);
        let other = (self.index + 1) % 4;
        match self.lies % 6 {
            0 => Wire::Bft(Message::Vote(SignedVote { index: other, ..own })),
            1 => Wire::Bft(self.wish(set, certificate(&own, &[0, 1, 2]))),
            2 => Wire::Bft(self.wish(set, certificate(&own, &[self.index; 3]))),
            3 => Wire::Bft(Message::Certificate(certificate(&own, &[0, 1, 2, 3]))),
            4 => Wire::Guardian(self.share(header)),
            _ => Wire::Guardian(self.finality(header)),
        }
    }

    fn wish(&self, set: Hash, high_cc: Certificate) -> Message {
        let change = EpochChange { validators_hash: set, epoch: Epoch(self.lies), high_cc };
        let (index, signature) = (self.index, self.key.sign(self.chain, &change));
        let change = SignedEpochChange { change, index, signature, last_vote: None };
        Message::EpochChange(Box::new(change))
    }

    /// The next checkpoint, with a block of its own choice.
    fn checkpoint(&self, header: &Header) -> FinalityVote {
        let height = Height(header.height.0.next_multiple_of(crate::sim::genesis::INTERVAL));
        let block = BlockId(Hash::of(&[b"nowhere"]));
        FinalityVote { guardians_hash: header.guardians_hash, height, block }
    }

    /// A share of a guardian that it is not: all seven places are tried.
    fn share(&self, header: &Header) -> guardian::Message {
        let vote = self.checkpoint(header);
        let signature = self.guardian.sign(vote.digest(self.chain));
        let mut index = (self.lies / 6 % 7) as u16;
        let key = self.guardian.public();
        let mut places = crate::sim::genesis::spec(1, 0).guardians.members.into_vec().into_iter();
        if places.position(|member| member.key == key) == Some(usize::from(index)) {
            index = (index + 1) % 7;
        }
        guardian::Message::Share(guardian::Share { vote, index, signature })
    }

    /// An aggregate of one signature that claims every signer.
    fn finality(&self, header: &Header) -> guardian::Message {
        let vote = self.checkpoint(header);
        let signature = self.guardian.sign(vote.digest(self.chain));
        guardian::Message::Certificate(FinalityCertificate {
            height: vote.height,
            block: vote.block,
            signers: Signers::bitmap(7, 0..7).unwrap(),
            signature,
        })
    }

    /// The own block with another state.
    fn deny(&self, block: &Block) -> Block {
        let mut other = block.clone();
        other.signed.header.state_root = Hash::of(&[b"rich"]);
        let proposal = other.signed.header.proposal(other.id());
        other.signed.signature = self.key.sign(self.chain, &proposal);
        other
    }
}

/// A certificate that holds one vote under several names.
fn certificate(vote: &SignedVote, names: &[u16]) -> Certificate {
    let signatures =
        names.iter().map(|index| IndexedSignature { index: *index, signature: vote.signature });
    Certificate {
        block: vote.vote.block,
        height: vote.vote.height,
        signatures: Bounded::try_from(signatures.collect::<Vec<_>>()).unwrap(),
    }
}

impl Foe for Liar {
    fn says(&mut self, _: usize, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let mut said = vec![bytes];
        if let Some(Message::Block(block)) = settlement(&said[0]) {
            self.seen = Some(block.signed.header.clone());
            if block.signed.header.proposer_index == self.index {
                said = vec![codec::encode(&Wire::Bft(Message::Block(Box::new(self.deny(&block)))))];
            }
        }
        if let Some(header) = &self.seen {
            said.push(codec::encode(&self.lie(header)));
            self.lies += 1;
        }
        said
    }
}
