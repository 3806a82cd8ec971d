//! Calls that move money, as an application sees them.

use crate::text::{Address, Amount};
use antiphon_core::client::journal::{Act, Entry, Stage};

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CallKind {
    /// Tokens sent.
    Transfer,
    /// Staking tokens bonded.
    Bond,
    /// A part of a bond that leaves.
    Unbond,
    /// What has left a bond, and rewards, taken.
    Withdraw,
    /// A pool opened.
    OpenPool,
    /// An amount reserved for one payee alone.
    Give,
    /// A member of a field paid.
    PayMember,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CallStage {
    /// It waits for its turn.
    Asked,
    /// It is signed and on its way.
    Pending,
    /// A block has it; that block may still be given up.
    Included,
    /// A payment in a field: in a state that all have signed.
    Committed,
    /// A settled block has it.
    Settled,
    /// A final checkpoint has it.
    Final,
    /// It will not happen; `code` says why.
    Failed,
}

/// A call that moves money.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CallView {
    /// The application's key for it.
    pub key: String,
    /// What it is for.
    pub kind: CallKind,
    /// Whom it pays, or with whom it bonds.
    pub to: Option<Address>,
    /// How much.
    pub amount: Option<Amount>,
    /// How far it is.
    pub stage: CallStage,
    /// Why it failed, in a stable code.
    pub code: Option<String>,
}

/// A change of a call, which stays in the queue until it is handled.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct MoneyEvent {
    /// Its number, for `event_handled`.
    pub id: u64,
    /// The call as it is now.
    pub call: CallView,
}

impl CallView {
    pub(crate) fn new(key: &str, call: &Entry) -> Self {
        let (kind, to, amount) = match &call.act {
            Act::Transfer { to, amount, .. } => (CallKind::Transfer, Some(*to), Some(*amount)),
            Act::Bond(staker, amount) => (CallKind::Bond, Some(*staker), Some(*amount)),
            Act::Unbond(staker, amount) => (CallKind::Unbond, Some(*staker), Some(*amount)),
            Act::Withdraw(staker) => (CallKind::Withdraw, Some(*staker), None),
            Act::OpenPool(deposit) => (CallKind::OpenPool, None, Some(*deposit)),
            Act::Give { to, amount, .. } => (CallKind::Give, Some(*to), Some(*amount)),
            Act::PayMember { payee, amount, .. } => {
                (CallKind::PayMember, Some(*payee), Some(*amount))
            }
        };
        let stage = match call.stage {
            Stage::Asked => CallStage::Asked,
            Stage::Pending => CallStage::Pending,
            Stage::Included => CallStage::Included,
            Stage::Committed => CallStage::Committed,
            Stage::Settled => CallStage::Settled,
            Stage::Final => CallStage::Final,
            Stage::Failed => CallStage::Failed,
        };
        let (to, amount) = (to.map(Into::into), amount.map(Into::into));
        Self { key: key.to_owned(), kind, to, amount, stage, code: call.code.clone() }
    }
}
