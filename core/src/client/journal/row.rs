//! A call as it is written.

use crate::{
    amount::Amount,
    chain::{
        spec::Token,
        transaction::{SignedTransaction, decode_transaction},
    },
    client::Command,
    codec,
    id::{Address, ChainId, FieldId},
    row,
};
use alloc::{borrow::ToOwned, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest row: a transaction of one message, and what was asked.
const MAX_ROW: usize = 4096;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Act {
    /// Tokens sent.
    Transfer {
        /// Which.
        token: Token,
        /// To whom.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// Staking tokens bonded with a staker.
    Bond(Address, Amount),
    /// A part of a bond that leaves.
    Unbond(Address, Amount),
    /// What has left a bond, and rewards, taken.
    Withdraw(Address),
    /// A pool opened with a deposit.
    OpenPool(Amount),
    /// An amount reserved for one payee alone.
    Give {
        /// For whom.
        to: Address,
        /// How much.
        amount: Amount,
        /// What for.
        purpose: String,
    },
    /// A member of a field paid.
    PayMember {
        /// Which field.
        field: FieldId,
        /// Whom.
        payee: Address,
        /// How much.
        amount: Amount,
    },
}

impl Act {
    /// Returns what a command asks for, if it moves money.
    pub fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Transfer { token, to, amount } => {
                Self::Transfer { token: *token, to: *to, amount: *amount }
            }
            Command::Bond(staker, amount) => Self::Bond(*staker, *amount),
            Command::Unbond(staker, amount) => Self::Unbond(*staker, *amount),
            Command::Withdraw(staker) => Self::Withdraw(*staker),
            Command::OpenPool(deposit) => Self::OpenPool(*deposit),
            Command::Give { to, amount, purpose } => {
                Self::Give { to: *to, amount: *amount, purpose: purpose.as_str().to_owned() }
            }
            Command::PayMember { field, payee, amount } => {
                Self::PayMember { field: *field, payee: *payee, amount: *amount }
            }
            Command::Settle
            | Command::Release
            | Command::AskFaucet
            | Command::ProposeField(_)
            | Command::AcceptField(_)
            | Command::DeclineField(_)
            | Command::AdmitMember { .. }
            | Command::LeaveField(_)
            | Command::CloseField(_)
            | Command::ForgetField(_)
            | Command::Enter(_)
            | Command::Exit
            | Command::SetUpload(_)
            | Command::Follow
            | Command::Stop => return None,
        })
    }

    /// Returns which token it moves; what is withdrawn is of both.
    pub const fn token(&self) -> Token {
        match self {
            Self::Transfer { token, .. } => *token,
            Self::Bond(..) | Self::Unbond(..) | Self::Withdraw(_) => Token::Staking,
            Self::OpenPool(_) | Self::Give { .. } | Self::PayMember { .. } => Token::Operational,
        }
    }

    /// Returns the command that does it; none for a purpose that is too long.
    pub fn command(&self) -> Option<Command> {
        Some(match self {
            Self::Transfer { token, to, amount } => {
                Command::Transfer { token: *token, to: *to, amount: *amount }
            }
            Self::Bond(staker, amount) => Command::Bond(*staker, *amount),
            Self::Unbond(staker, amount) => Command::Unbond(*staker, *amount),
            Self::Withdraw(staker) => Command::Withdraw(*staker),
            Self::OpenPool(deposit) => Command::OpenPool(*deposit),
            Self::Give { to, amount, purpose } => Command::Give {
                to: *to,
                amount: *amount,
                purpose: purpose.as_str().try_into().ok()?,
            },
            Self::PayMember { field, payee, amount } => {
                Command::PayMember { field: *field, payee: *payee, amount: *amount }
            }
        })
    }
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Stage {
    /// It waits for its turn.
    Asked,
    /// It is signed and on its way.
    Pending,
    /// A block has it.
    Included,
    /// In a state of a field that all have signed.
    Committed,
    /// A settled block has it.
    Settled,
    /// A final one has it.
    Final,
    /// It will not happen.
    Failed,
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Entry {
    /// What was asked for.
    pub act: Act,
    /// How far it is.
    pub stage: Stage,
    /// Why it failed, in a stable code.
    pub code: Option<String>,
    /// The signed transaction.
    pub(super) transaction: Option<Vec<u8>>,
    /// The name of a payment in a field.
    pub(super) payment: Option<u64>,
    /// Number of its last change; none before the first.
    pub changed: u64,
    /// The last change that the application has handled.
    pub(super) told: u64,
    /// Whether it was read: the application that asked for it has ended since.
    #[borsh(skip)]
    pub(super) is_read: bool,
}

impl Entry {
    pub(super) const fn new(act: Act) -> Self {
        let (code, transaction, payment) = (None, None, None);
        let (stage, changed, told, is_read) = (Stage::Asked, 0, 0, false);
        Self { act, stage, code, transaction, payment, changed, told, is_read }
    }

    pub(super) fn fail(&mut self, code: &str) {
        self.stage = Stage::Failed;
        self.code = Some(code.to_owned());
    }

    /// Returns its transaction, once there is one.
    pub(super) fn sent(&self) -> Option<SignedTransaction> {
        decode_transaction(self.transaction.as_ref()?).ok()
    }

    /// Returns whether nothing changes any more.
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Committed | Stage::Final | Stage::Failed)
    }

    pub(super) const fn is_told(&self) -> bool {
        self.told == self.changed
    }

    pub(super) fn to_row(&self, chain: ChainId, name: &str) -> Vec<u8> {
        row::seal(chain, name, codec::encode(self))
    }

    pub(super) fn read(chain: ChainId, name: &str, bytes: Vec<u8>) -> Option<Self> {
        let read: Self = codec::decode(&row::unseal(chain, name, bytes).ok()?, MAX_ROW).ok()?;
        Some(Self { is_read: true, ..read })
    }
}
