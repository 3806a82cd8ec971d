//! What one supernode sends another: one encoding for every machine's messages. Bounded by [`MAX_MESSAGE`].

use crate::{
    bft::{
        self,
        message::{MAX_MESSAGE, TxBytes},
    },
    guardian,
};
use antiphon_core::{
    codec::{self, DecodeError},
    id::{BlockId, Height},
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most blocks in the answer to one request. Chosen here: a few round trips close any usual gap.
pub const MAX_ANSWER: usize = 32;

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Wire {
    /// Settlement.
    Bft(bft::message::Message),
    /// Finality.
    Guardian(guardian::Message),
    /// A transaction that waits for a block.
    Transaction(TxBytes),
    /// A request for a block and what lies between it and the asker's settled head.
    Ask(Ask),
}

/// A request for blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Ask {
    /// The block that was heard of.
    pub block: BlockId,
    /// The asker's settled height.
    pub above: Height,
}

impl Wire {
    /// Reads a message.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes, MAX_MESSAGE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bft::message::{Block, EpochChange, SignedEpochChange, SignedVote},
        guardian::{Share, Tally},
    };
    use antiphon_core::{
        chain::{
            carried::Carried,
            certificate::{Certificate, Counts, FinalityCertificate, FinalityVote, Signers, Vote},
            header::{Header, SignedHeader},
        },
        codec::Bounded,
        crypto::{Hash, SecretKey, Signature, bls::BlsSecretKey},
        id::{ChainId, Epoch},
        time::UnixMillis,
    };

    const CHAIN: ChainId = ChainId(Hash([7; 32]));

    #[test]
    fn every_message_has_one_encoding_and_no_prefix_of_it_is_one() {
        for message in messages() {
            let bytes = codec::encode(&message);
            assert_eq!(Wire::decode(&bytes), Ok(message));
            for cut in 0..bytes.len() {
                assert_eq!(Wire::decode(&bytes[..cut]), Err(DecodeError::Truncated), "{cut}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(Wire::decode(&longer), Err(DecodeError::Trailing));
        }
    }

    #[test]
    fn what_is_over_its_bound_or_no_message_is_refused() {
        let huge = vec![0; MAX_MESSAGE + 1];
        assert_eq!(Wire::decode(&huge), Err(DecodeError::OverLimit));
        let mut transaction = vec![2];
        transaction.extend(u32::MAX.to_le_bytes());
        assert_eq!(Wire::decode(&transaction), Err(DecodeError::OverLimit));
        assert_eq!(Wire::decode(&[9]), Err(DecodeError::NonCanonical));
    }

    #[test]
    fn the_encoding_is_what_it_always_was() {
        // Made here: pins order and width of every field between nodes.
        let bytes: Vec<u8> = messages().iter().flat_map(codec::encode).collect();
        assert_eq!(Hash::of(&[&bytes]).to_hex(), GOLDEN);
    }

    const GOLDEN: &str = "b4b2ad4d99d405ecd0b5b2c88556f251cb16826f7205af471f8ca7d6e5243cdd";

    fn messages() -> Vec<Wire> {
        let key = SecretKey::from_bytes(&[1; 32]);
        let block = BlockId(Hash([5; 32]));
        let vote = Vote { validators_hash: Hash([3; 32]), height: Height(4), block };
        let vote = SignedVote::new(&key, CHAIN, 2, vote);
        let high_cc = Certificate { block, ..Certificate::genesis() };
        let change = EpochChange { validators_hash: Hash([3; 32]), epoch: Epoch(8), high_cc };
        let signature = key.sign(CHAIN, &change);
        let last_vote = Some(vote.clone());
        let change = SignedEpochChange { change, index: 2, signature, last_vote };
        let guardian = BlsSecretKey::from_seed(&[2; 32]).unwrap();
        let finality = FinalityVote { guardians_hash: Hash([6; 32]), height: Height(10), block };
        let signature = guardian.sign(Hash([9; 32]));
        let share = Share { vote: finality, index: 1, signature };
        let counts = Counts::new(vec![1, 0, 9, 700]).unwrap();
        let tally = Tally { round: 5, vote: share.vote.clone(), counts, signature };
        let signers = Signers::bitmap(11, [1, 10]).unwrap();
        let certificate = FinalityCertificate { height: Height(10), block, signers, signature };
        let tx = TxBytes::try_from(vec![1, 2, 3]).unwrap();
        let body = Bounded::try_from(vec![tx.clone()]).unwrap();
        let signed = SignedHeader { header: header(), signature: Signature([4; 64]) };
        vec![
            Wire::Bft(bft::message::Message::Block(Box::new(Block {
                signed,
                carried: Carried::default(),
                body,
            }))),
            Wire::Bft(bft::message::Message::Vote(vote)),
            Wire::Bft(bft::message::Message::EpochChange(Box::new(change))),
            Wire::Bft(bft::message::Message::Certificate(Certificate::genesis())),
            Wire::Guardian(guardian::Message::Share(share)),
            Wire::Transaction(tx),
            Wire::Ask(Ask { block, above: Height(3) }),
            Wire::Guardian(guardian::Message::Ask(Height(10))),
            Wire::Guardian(guardian::Message::Certificate(certificate)),
            Wire::Guardian(guardian::Message::Tally(Box::new(tally))),
        ]
    }

    fn header() -> Header {
        Header {
            chain_id: CHAIN,
            height: Height(1),
            epoch: Epoch(2),
            parent: BlockId(Hash([3; 32])),
            hcc: Certificate::genesis(),
            tx_root: Hash([1; 32]),
            state_root: Hash([2; 32]),
            field_root: Hash([3; 32]),
            validators_hash: Hash([4; 32]),
            next_validators_hash: Hash([5; 32]),
            guardians_hash: Hash([6; 32]),
            next_guardians_hash: Hash([7; 32]),
            cp_link: BlockId::default(),
            time: UnixMillis(9),
            proposer_index: 3,
            carried: Hash::default(),
            next_order: Hash::default(),
        }
    }
}
