//! What kind of message some bytes claim to be, for counting. Unverified.

use prometheus_client::encoding::EncodeLabelValue;

/// The kinds of messages between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(in crate::shell) enum Kind {
    /// A block.
    Block,
    /// A validator's vote.
    Vote,
    /// A validator's wish for the next epoch.
    EpochChange,
    /// A certificate of validators by itself.
    Certificate,
    /// A guardian's share.
    Share,
    /// A finality certificate.
    Finality,
    /// A request for a finality certificate.
    AskFinality,
    /// A sum of guardians' shares.
    Tally,
    /// A transaction.
    Transaction,
    /// A request for blocks.
    Ask,
    /// None of them.
    Unknown,
}

impl Kind {
    /// Returns whether such a message is said to one neighbour only: by gossip it would be held against who passed it on.
    pub(in crate::shell) const fn is_private(self) -> bool {
        matches!(self, Self::Tally)
    }

    /// Looks at the numbers of the variants, by which every encoding begins.
    pub(in crate::shell) const fn of(bytes: &[u8]) -> Self {
        match bytes {
            [0, 0, ..] => Self::Block,
            [0, 1, ..] => Self::Vote,
            [0, 2, ..] => Self::EpochChange,
            [0, 3, ..] => Self::Certificate,
            [1, 0, ..] => Self::Share,
            [1, 1, ..] => Self::Finality,
            [1, 2, ..] => Self::AskFinality,
            [1, 3, ..] => Self::Tally,
            [2, ..] => Self::Transaction,
            [3, ..] => Self::Ask,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bft::message::{EpochChange, Message, SignedEpochChange, SignedVote, TxBytes},
        guardian,
        supernode::wire::{Ask, Wire},
    };
    use antiphon_core::{
        chain::certificate::{
            Certificate, Counts, FinalityCertificate, FinalityVote, Signers, Vote,
        },
        codec,
        crypto::{Hash, SecretKey, bls::BlsSignature},
        id::{BlockId, ChainId, Epoch, Height},
    };

    #[test]
    fn every_message_is_counted_as_what_it_is() {
        let (chain, key) = (ChainId(Hash([7; 32])), SecretKey::from_bytes(&[1; 32]));
        let (block, height) = (BlockId::default(), Height(4));
        let vote = Vote { validators_hash: Hash::default(), height, block };
        let vote = SignedVote::new(&key, chain, 0, vote);
        let change = EpochChange {
            validators_hash: Hash::default(),
            epoch: Epoch(1),
            high_cc: Certificate::genesis(),
        };
        let signature = key.sign(chain, &change);
        let change = SignedEpochChange { change, index: 0, signature, last_vote: None };
        let signature = BlsSignature([0; 96]);
        let share = guardian::Share {
            vote: FinalityVote { guardians_hash: Hash::default(), height, block },
            index: 0,
            signature,
        };
        let signers = Signers::bitmap(0, []).unwrap();
        let certificate = FinalityCertificate { height, block, signers, signature };
        let signed = FinalityVote { guardians_hash: Hash::default(), height, block };
        let counts = Counts::new(Vec::new()).unwrap();
        let tally = Box::new(guardian::Tally { round: 1, vote: signed, counts, signature });
        let messages = [
            (Wire::Bft(Message::Vote(vote)), Kind::Vote),
            (Wire::Bft(Message::EpochChange(Box::new(change))), Kind::EpochChange),
            (Wire::Bft(Message::Certificate(Certificate::genesis())), Kind::Certificate),
            (Wire::Guardian(guardian::Message::Share(share)), Kind::Share),
            (Wire::Guardian(guardian::Message::Certificate(certificate)), Kind::Finality),
            (Wire::Guardian(guardian::Message::Ask(height)), Kind::AskFinality),
            (Wire::Guardian(guardian::Message::Tally(tally)), Kind::Tally),
            (Wire::Transaction(TxBytes::default()), Kind::Transaction),
            (Wire::Ask(Ask { block, above: height }), Kind::Ask),
        ];
        for (message, kind) in messages {
            assert_eq!(Kind::of(&codec::encode(&message)), kind);
        }
        assert_eq!(Kind::of(&[]), Kind::Unknown);
        assert_eq!(Kind::of(&[0, 9]), Kind::Unknown);
    }
}
