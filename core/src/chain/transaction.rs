//! What an account asks of the chain: one or more messages, all or none of them.
//!
//! A transaction names a reference block, after which it lives for 64 blocks, and the sender's next sequence, so
//! it is executed once or never. A transaction whose messages cannot all be applied is not included at all, so
//! that a proof of inclusion is a proof of success.
//!
//! Source: seed 002 (aelf) reference block, PROTOCOL A5.8–A5.12, A9.5.

use super::{offence::Evidence, spec::Token};
use crate::{
    amount::Amount,
    codec::{self, Bounded, DecodeError, Text},
    crypto::{
        Hash, PublicKey, Signed, Tagged,
        bls::{BlsPublicKey, BlsSignature},
        merkle,
    },
    id::{Address, BlockId, ChainId, Height, PoolId, TxId},
    payment::{reservation::PoolTerms, voucher::Voucher},
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most messages in a transaction.
pub const MAX_MESSAGES: usize = 16;
/// Longest transaction, in bytes: two headers with the certificates of the largest committee, as evidence.
pub const MAX_TRANSACTION: usize = 24 * 1024;
/// Blocks after the reference block in which a transaction may be included. Source: seed 002.
pub const LIFETIME: u64 = 64;

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Message {
    /// Send tokens.
    Transfer {
        /// Which token.
        token: Token,
        /// To whom.
        to: Address,
        /// How much, above zero.
        amount: Amount,
    },
    /// Lock a deposit and a collateral (A5.8). The terms' creator is the sender.
    CreatePool(PoolTerms),
    /// Take what a voucher promises (A5.9). The voucher's target is the sender.
    Settle(Signed<Voucher>),
    /// Give an ended pool's remainder back to its creator (A5.12). Anyone may send it.
    Release(PoolId),
    /// Become a staker with a bond of one's own (ALLA-1, A2.11).
    Register(Box<Registration>),
    /// Bond with a staker: with oneself, or as a delegation (ALZA-12).
    Bond {
        /// With whom.
        staker: Address,
        /// How much, above zero, of the staking token.
        amount: Amount,
    },
    /// Let a part of a bond leave; it can be withdrawn after the unbonding time (A4.4).
    Unbond {
        /// With whom it is bonded.
        staker: Address,
        /// How much, above zero.
        amount: Amount,
    },
    /// Take what has left, and rewards (ALZA-15).
    Withdraw {
        /// With whom it was bonded.
        staker: Address,
    },
    /// Say that one's validator is back after it was silent for too long (ALZA-11).
    Rejoin,
    /// Show an offence; a part of the penalty is the sender's (A4).
    Accuse {
        /// Whose.
        staker: Address,
        /// What shows it.
        evidence: Evidence,
    },
}

/// The keys of a new staker.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Registration {
    /// Signs checkpoints.
    pub guardian: BlsPublicKey,
    /// The owner's proof that it holds the guardian key, for this chain.
    pub possession: BlsSignature,
    /// Signs votes and proposals, if it wants to settle.
    pub validator: Option<PublicKey>,
    /// The first bond, at least the least of a guardian.
    pub bond: Amount,
}

/// What the sender signs.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Transaction {
    /// Who pays the fee and acts.
    pub sender: PublicKey,
    /// One more than the account's.
    pub sequence: u64,
    /// Height of a recent block; the transaction may be included up to [`LIFETIME`] blocks later.
    pub reference_height: Height,
    /// That block's id, so that the transaction lives on one branch only.
    pub reference_block: BlockId,
    /// A hint for parallel execution; means nothing to the result (A9.5).
    pub scope: Text<32>,
    /// At most this is taken, in the operational token.
    pub max_fee: Amount,
    /// Applied in order, all or none.
    pub messages: Bounded<Message, MAX_MESSAGES>,
}

impl Tagged for Transaction {
    const TAG: &'static str = "chain/v1/transaction";
}

/// A transaction with its sender's signature.
pub type SignedTransaction = Signed<Transaction>;

impl Transaction {
    /// Returns the transaction's id, which does not depend on the signature.
    pub fn id(&self, chain: ChainId) -> TxId {
        TxId(self.digest(chain))
    }

    /// Returns whether a block at `height` may include it.
    pub const fn lives_at(&self, height: Height) -> bool {
        self.reference_height.0 < height.0 && height.0 <= self.last_height().0
    }

    /// Returns the last height at which a block may include it.
    pub const fn last_height(&self) -> Height {
        Height(self.reference_height.0.saturating_add(LIFETIME))
    }
}

/// Decodes a transaction within its bound.
///
/// # Errors
/// [`DecodeError`].
pub fn decode_transaction(bytes: &[u8]) -> Result<SignedTransaction, DecodeError> {
    codec::decode(bytes, MAX_TRANSACTION)
}

/// Returns a header's `tx_root` over the canonical bytes of a block's transactions.
pub fn transaction_root<'a>(transactions: impl IntoIterator<Item = &'a SignedTransaction>) -> Hash {
    let leaves = transactions.into_iter().map(|tx| merkle::leaf_hash(&tx.to_bytes()));
    merkle::root(&leaves.collect::<alloc::vec::Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretKey;

    #[test]
    fn a_transaction_lives_from_after_its_reference_for_64_blocks() {
        let tx = transaction();
        let alive: alloc::vec::Vec<_> =
            (0..200).filter(|height| tx.lives_at(Height(*height))).collect();
        assert_eq!((alive.first(), alive.last()), (Some(&11), Some(&74)));
    }

    #[test]
    fn the_id_is_free_of_the_signature_and_bound_to_the_chain() {
        let (key, other) = (SecretKey::from_bytes(&[1; 32]), ChainId(Hash([5; 32])));
        let signed = Signed::new(&key, other, transaction());
        assert_eq!(signed.verify(other, &key.public()), Ok(()));
        assert!(signed.verify(ChainId::default(), &key.public()).is_err());
        assert_ne!(signed.body.id(other), signed.body.id(ChainId::default()));
        let decoded = decode_transaction(&signed.to_bytes()).unwrap();
        assert_eq!(decoded, signed);
    }

    fn transaction() -> Transaction {
        let transfer = Message::Transfer {
            token: Token::Operational,
            to: Address([3; 20]),
            amount: Amount::from_units(5),
        };
        Transaction {
            sender: SecretKey::from_bytes(&[1; 32]).public(),
            sequence: 1,
            reference_height: Height(10),
            reference_block: BlockId::default(),
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(1),
            messages: Bounded::try_from(alloc::vec![transfer]).unwrap(),
        }
    }
}
