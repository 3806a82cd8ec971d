//! Why a transaction cannot be in a block.

use crate::storage::StorageError;
use antiphon_core::{
    amount::Amount,
    chain::{delayed::DelayError, offence::EvidenceError, stake::BondError},
    codec::DecodeError,
    crypto::bls::BlsError,
    id::Height,
    payment::{
        field::escrow::FieldError,
        reservation::{CollectError, OpenError, ReleaseError, ReportError, SettleError},
    },
};

/// Why a transaction cannot be in this block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TxError {
    /// The bytes are no transaction.
    #[error("malformed: {0}")]
    Malformed(DecodeError),
    /// The sender did not sign it for this chain.
    #[error("not signed by its sender for this chain")]
    BadSignature,
    /// The reference block is not an ancestor, or too old, or not below this block.
    #[error("the reference block at {reference} is not a recent ancestor of height {height}")]
    Expired {
        /// Its height.
        reference: Height,
        /// The block that would include it.
        height: Height,
    },
    /// It carries nothing.
    #[error("a transaction carries at least one message")]
    Empty,
    /// Another transaction comes first, or came.
    #[error("sequence {found}, expected {expected}")]
    WrongSequence {
        /// The account's next.
        expected: u64,
        /// The transaction's.
        found: u64,
    },
    /// The sender does not allow what the chain takes for all who sign.
    #[error("the fee is {fee}, at most {max} is allowed")]
    FeeTooLow {
        /// The chain's.
        fee: Amount,
        /// The sender's limit.
        max: Amount,
    },
    /// The balance does not cover what is spent.
    #[error("balance {balance} does not cover {needed}")]
    TooPoor {
        /// What is there.
        balance: Amount,
        /// What is spent.
        needed: Amount,
    },
    /// A sum does not fit an amount.
    #[error("an amount is zero or out of range")]
    BadAmount,
    /// The terms of a pool name another creator.
    #[error("a pool is opened by its creator")]
    NotCreator,
    /// A pool of this creator had this nonce before.
    #[error("this pool was opened before")]
    PoolExists,
    /// No such pool.
    #[error("no such pool")]
    NoPool,
    /// The terms break the rules.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The voucher is not payable.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// The pool is not to be released.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// A field of this leader had this nonce before.
    #[error("this field was opened before")]
    FieldExists,
    /// No such field.
    #[error("no such field")]
    NoField,
    /// The field does not allow it.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The evidence shows no overdraft.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// There is no share to collect.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The chain has no staking.
    #[error("this chain has no staking")]
    NoStaking,
    /// The sender has registered, or one of its keys was registered before by anybody.
    #[error("the sender or one of its keys is registered already")]
    Registered,
    /// The proof of possession does not hold.
    #[error("the guardian key is not proven to be the sender's: {0}")]
    Possession(BlsError),
    /// The first bond is below the least.
    #[error("the bond {bond} is below the least, {least}")]
    BondTooSmall {
        /// What was offered.
        bond: Amount,
        /// What is asked.
        least: Amount,
    },
    /// No place is left on the roster.
    #[error("there are as many stakers as the chain can have")]
    RosterFull,
    /// Nobody of this address has registered, or it is tombstoned.
    #[error("no such staker, or it was punished")]
    NoStaker,
    /// The bond cannot be changed so.
    #[error(transparent)]
    Bond(#[from] BondError),
    /// The evidence shows nothing.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The offence was punished, or is too old.
    #[error("the offence was punished before, or is too old")]
    EvidenceSpent,
    /// An exchange takes from nobody, gives to nobody, names somebody twice, or is out of order.
    #[error("the parts of an exchange are empty or not in order")]
    BadParts,
    /// An exchange takes from somebody who does not sign.
    #[error("an exchange takes from somebody who does not sign")]
    NotSigned,
    /// An exchange gives more or less than it takes.
    #[error("an exchange takes {taken} and gives {given}")]
    Unequal {
        /// The sum of what it takes.
        taken: Amount,
        /// The sum of what it gives.
        given: Amount,
    },
    /// The transfer is not delayed, or not cancelled.
    #[error(transparent)]
    Delay(#[from] DelayError),
    /// The store failed; says nothing about the transaction.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl TxError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::BadSignature => "tx/bad-signature",
            Self::Expired { .. } => "tx/expired",
            Self::Empty => "tx/empty",
            Self::WrongSequence { .. } => "tx/wrong-sequence",
            Self::FeeTooLow { .. } => "tx/fee-too-low",
            Self::TooPoor { .. } => "tx/too-poor",
            Self::BadAmount => "tx/bad-amount",
            Self::NotCreator => "tx/not-creator",
            Self::PoolExists => "tx/pool-exists",
            Self::NoPool => "tx/no-pool",
            Self::Open(error) => error.code(),
            Self::Settle(error) => error.code(),
            Self::Release(error) => error.code(),
            Self::FieldExists => "tx/field-exists",
            Self::NoField => "tx/no-field",
            Self::Field(error) => error.code(),
            Self::Report(error) => error.code(),
            Self::Collect(error) => error.code(),
            Self::NoStaking => "stake/none",
            Self::Registered => "stake/registered",
            Self::Possession(error) => error.code(),
            Self::BondTooSmall { .. } => "stake/bond-too-small",
            Self::RosterFull => "stake/roster-full",
            Self::NoStaker => "stake/no-staker",
            Self::Bond(error) => error.code(),
            Self::Evidence(error) => error.code(),
            Self::EvidenceSpent => "offence/spent",
            Self::BadParts => "exchange/bad-parts",
            Self::NotSigned => "exchange/not-signed",
            Self::Unequal { .. } => "exchange/unequal",
            Self::Delay(error) => error.code(),
            Self::Storage(error) => error.code(),
        }
    }
}
