//! What an account asks of the chain: one or more messages, all or none of them.
//!
//! A transaction names a reference block, after which it lives for 64 blocks, and the sender's next sequence, so
//! it is executed once or never. A transaction whose messages cannot all be applied is not included at all, so
//! that a proof of inclusion is a proof of success.
//!
//! Others may sign it, too: then an [`Exchange`] takes from any of them and gives to anybody, and several exchanges of
//! different tokens are a swap that happens wholly or not at all.
//!
//! Source: seed 002 (aelf) reference block, ALZA-5, ALZA-17, PROTOCOL A5.8–A5.12, A9.5.

mod signed;

pub use signed::{SignedTransaction, decode_transaction, transaction_root};

use super::{offence::Evidence, spec::Token};
use crate::{
    amount::Amount,
    codec::{Bounded, Text},
    crypto::{
        AccountKey, PublicKey, Tagged,
        bls::{BlsPublicKey, BlsSignature},
    },
    id::{Address, BlockId, ChainId, DelayId, Height, PoolId, TxId},
    payment::{
        field::FieldAct,
        reservation::{Overdraft, PoolTerms},
        tick::STEPS_OF_A_SIGNATURE,
        voucher::Promise,
    },
};
use alloc::boxed::Box;
use borsh::{BorshDeserialize, BorshSerialize};

/// Most messages in a transaction.
pub const MAX_MESSAGES: usize = 16;
/// Most keys that sign a transaction beside its sender's. Each costs a fee, for each costs a check.
pub const MAX_COSIGNERS: usize = 15;
/// Most accounts on one side of an exchange: all who can sign.
pub const MAX_PARTS: usize = MAX_COSIGNERS + 1;
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
    /// Take from several who all sign, and give to several (ALZA-5).
    Exchange(Box<Exchange>),
    /// Send later, unless it is cancelled before (ALZA-17). The amount is locked at once.
    Delay(Delay),
    /// Take back what is delayed, until the height at which it is due.
    Cancel(DelayId),
    /// Lock a deposit and a collateral (A5.8). The terms' creator is the sender.
    CreatePool(PoolTerms),
    /// Take what is promised, or claim it of an insolvent pool (A5.9 to A5.11). The voucher's target is the sender.
    Settle(Box<Promise>),
    /// Give an ended pool's remainder back to its creator (A5.12). Anyone may send it.
    Release(PoolId),
    /// Open, close or dispute a payment field (A6).
    Field(Box<FieldAct>),
    /// Show that more was promised than a pool's deposit holds; a bounty is the sender's (A5.10).
    Report(Overdraft),
    /// Give a target its share of what an insolvent pool has left (A5.11). Anyone may send it.
    Collect {
        /// The pool.
        pool: PoolId,
        /// Who gets its share.
        target: Address,
    },
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

/// A transfer from any senders to any receivers. What is taken is what is given.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Exchange {
    /// Which token.
    pub token: Token,
    /// Who gives how much: the sender or cosigners, strictly increasing by address.
    pub from: Bounded<Part, MAX_PARTS>,
    /// Who gets how much, strictly increasing by address.
    pub to: Bounded<Part, MAX_PARTS>,
}

/// One account's part in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Part {
    /// Whose.
    pub address: Address,
    /// How much, above zero.
    pub amount: Amount,
}

/// A transfer that waits (ALZA-17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Delay {
    /// Which token.
    pub token: Token,
    /// To whom.
    pub to: Address,
    /// How much, above zero.
    pub amount: Amount,
    /// How many blocks it waits, from one to [`MAX_DELAY`](super::delayed::MAX_DELAY).
    pub blocks: u64,
    /// Who may cancel it beside its sender, so that a stolen key can be undone with another one.
    pub guard: Option<Address>,
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
    pub sender: AccountKey,
    /// One more than the account's.
    pub sequence: u64,
    /// Height of a recent block; the transaction may be included up to [`LIFETIME`] blocks later.
    pub reference_height: Height,
    /// That block's id, so that the transaction lives on one branch only.
    pub reference_block: BlockId,
    /// A hint for parallel execution; means nothing to the result (A9.5).
    pub scope: Text<32>,
    /// At most this is taken, in the operational token: the chain's fee for each who signs.
    pub max_fee: Amount,
    /// Who signs beside the sender: strictly increasing, without the sender.
    pub cosigners: Bounded<AccountKey, MAX_COSIGNERS>,
    /// Applied in order, all or none.
    pub messages: Bounded<Message, MAX_MESSAGES>,
}

impl Message {
    /// Returns how many hashes it takes to check the ticks that it brings (T8).
    fn steps(&self) -> u32 {
        match self {
            Self::Settle(promise) => promise.steps(),
            Self::Report(overdraft) => overdraft.steps(),
            Self::Transfer { .. }
            | Self::Exchange(_)
            | Self::Delay(_)
            | Self::Cancel(_)
            | Self::CreatePool(_)
            | Self::Field(_)
            | Self::Release(_)
            | Self::Collect { .. }
            | Self::Register(_)
            | Self::Bond { .. }
            | Self::Unbond { .. }
            | Self::Withdraw { .. }
            | Self::Rejoin
            | Self::Accuse { .. } => 0,
        }
    }
}

impl Tagged for Transaction {
    const TAG: &'static str = "chain/v1/transaction";
}

impl Transaction {
    /// Returns the transaction's id, which does not depend on the signature.
    pub fn id(&self, chain: ChainId) -> TxId {
        TxId(self.digest(chain))
    }

    /// Returns the id of what the message at this place delays.
    pub fn delay_id(&self, chain: ChainId, place: u8) -> DelayId {
        DelayId::new(chain, &self.sender.address(), self.sequence, place)
    }

    /// Returns what the chain takes: its fee for each who signs the transaction, several times for a Falcon key, or something of
    /// a field that it brings, for each signature is checked by all, and for as many steps of ticks as cost the same (T8). `None` on overflow.
    pub fn fee(&self, each: Amount) -> Option<Amount> {
        let acts = self.messages.iter().filter_map(|message| {
            if let Message::Field(act) = message { Some(act.signatures()) } else { None }
        });
        let brought = u64::try_from(acts.fold(0, usize::saturating_add)).ok()?;
        let signers = core::iter::once(&self.sender).chain(self.cosigners.iter());
        let signers = signers.map(AccountKey::checks).fold(brought, u64::saturating_add);
        let steps = self.messages.iter().map(|message| u64::from(message.steps())).sum::<u64>();
        let checks = signers.checked_add(steps.checked_div(STEPS_OF_A_SIGNATURE.into())?)?;
        each.checked_mul(checks)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::{Hash, SecretKey, Signed},
        id::StreamId,
        payment::{
            tick::{Preimage, Tick},
            voucher::Voucher,
        },
    };

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
        let signed = SignedTransaction::new(&key, other, transaction());
        assert_eq!(signed.verify(other), Ok(()));
        assert!(signed.verify(ChainId::default()).is_err());
        assert_ne!(signed.body.id(other), signed.body.id(ChainId::default()));
        let decoded = decode_transaction(&signed.to_bytes()).unwrap();
        assert_eq!(decoded, signed);
    }

    #[test]
    fn a_falcon_signer_costs_what_four_others_do() {
        let each = Amount::from_units(10);
        let fee = |tx: Transaction| tx.fee(each).map(Amount::units);
        let falcon = AccountKey::Falcon(Hash([1; 32]));
        let cosigners = alloc::vec![falcon; 2].try_into().unwrap();
        assert_eq!(fee(transaction()), Some(10));
        assert_eq!(fee(Transaction { sender: falcon, ..transaction() }), Some(40));
        assert_eq!(fee(Transaction { cosigners, ..transaction() }), Some(90));
    }

    // T8.
    #[test]
    fn steps_of_ticks_cost_what_signatures_cost() {
        let each = Amount::from_units(10);
        let fee = |counts: &[u32]| {
            let settle = |count: &u32| {
                let tick = Some(Tick { count: *count, preimage: Preimage([0; 32]) });
                let body = Voucher {
                    pool: PoolId::default(),
                    resource: StreamId::default(),
                    target: Address([3; 20]),
                    seq: 1,
                    cum: each,
                    ticks: None,
                };
                let voucher =
                    Signed::new(&SecretKey::from_bytes(&[1; 32]), ChainId::default(), body);
                Message::Settle(Box::new(Promise { voucher, tick }))
            };
            let messages: alloc::vec::Vec<_> = counts.iter().map(settle).collect();
            let messages = messages.try_into().unwrap();
            Transaction { messages, ..transaction() }.fee(each).map(Amount::units)
        };
        assert_eq!(fee(&[1023]), Some(10));
        assert_eq!(fee(&[1024]), Some(20));
        assert_eq!(fee(&[1023, 1023, 2]), Some(30), "of all messages together");
        assert_eq!(fee(&[4096]), Some(50));
        assert_eq!(fee(&[u32::MAX; 16]), Some(10 * (1 + 16 * u128::from(u32::MAX) / 1024)));
    }

    fn transaction() -> Transaction {
        let transfer = Message::Transfer {
            token: Token::Operational,
            to: Address([3; 20]),
            amount: Amount::from_units(5),
        };
        Transaction {
            sender: SecretKey::from_bytes(&[1; 32]).public().into(),
            sequence: 1,
            reference_height: Height(10),
            reference_block: BlockId::default(),
            scope: Text::try_from("").unwrap(),
            max_fee: Amount::from_units(1),
            cosigners: Bounded::new(),
            messages: Bounded::try_from(alloc::vec![transfer]).unwrap(),
        }
    }
}
