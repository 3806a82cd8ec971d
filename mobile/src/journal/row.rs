//! A call as it is written.

use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    codec,
    id::{Address, ChainId, FieldId},
    row,
};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest row: a transaction of one message, and what was asked.
const MAX_ROW: usize = 4096;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(crate) enum Act {
    Transfer { token: Token, to: Address, amount: Amount },
    Bond(Address, Amount),
    Unbond(Address, Amount),
    Withdraw(Address),
    OpenPool(Amount),
    Give { to: Address, amount: Amount, purpose: String },
    PayMember { field: FieldId, payee: Address, amount: Amount },
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub(crate) enum Stage {
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
pub(crate) struct Entry {
    pub(crate) act: Act,
    pub(crate) stage: Stage,
    /// Why it failed, in a stable code.
    pub(crate) code: Option<String>,
    /// The signed transaction.
    pub(super) transaction: Option<Vec<u8>>,
    /// The name of a payment in a field.
    pub(super) payment: Option<u64>,
    /// Number of its last change; none before the first.
    pub(crate) changed: u64,
    /// The last change that the application has handled.
    pub(super) told: u64,
}

impl Entry {
    pub(super) const fn new(act: Act) -> Self {
        let (code, transaction, payment) = (None, None, None);
        Self { act, stage: Stage::Asked, code, transaction, payment, changed: 0, told: 0 }
    }

    pub(super) fn fail(&mut self, code: &str) {
        self.stage = Stage::Failed;
        self.code = Some(code.to_owned());
    }

    /// Returns whether nothing changes any more.
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Committed | Stage::Final | Stage::Failed)
    }

    pub(super) const fn is_told(&self) -> bool {
        self.told == self.changed
    }

    pub(super) fn to_row(&self, chain: ChainId, name: &str) -> Vec<u8> {
        row::seal(chain, name, codec::encode(self))
    }

    pub(super) fn read(chain: ChainId, name: &str, bytes: Vec<u8>) -> Option<Self> {
        codec::decode(&row::unseal(chain, name, bytes).ok()?, MAX_ROW).ok()
    }
}
