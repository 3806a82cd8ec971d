//! Calls that move money, as an application sees them.

use crate::{
    client::Token,
    text::{Address, Amount},
};
use antiphon_core::client::journal::{Act, Coming, Entry, Origin, Stage};

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
    /// No call: what a pool had promised came.
    PoolPaid,
    /// No call: a gift, of `payer` or `to` somebody, once the payee is sure of it.
    Gift,
    /// No call: what a field paid when it was closed, or left.
    FieldPaid,
    /// No call: tokens that somebody else sent.
    Received,
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
    /// The application's key for it; of what came without a call, a longer one that names it.
    pub key: String,
    /// What it is for.
    pub kind: CallKind,
    /// Who pays, of what comes from somebody else.
    pub payer: Option<Address>,
    /// Whom it pays, or with whom it bonds.
    pub to: Option<Address>,
    /// How much.
    pub amount: Option<Amount>,
    /// Of which token.
    pub token: Token,
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
        let (to, amount) = (to.map(Into::into), amount.map(Into::into));
        let (key, stage, code) = (key.to_owned(), call.stage.into(), call.code.clone());
        Self { key, kind, payer: None, to, amount, token: call.act.token().into(), stage, code }
    }
}

impl From<&Coming> for CallView {
    fn from(one: &Coming) -> Self {
        let other = one.other.map(Into::into);
        let (kind, payer, to) = match one.origin {
            Origin::Pool => (CallKind::PoolPaid, None, None),
            Origin::Gift => (CallKind::Gift, other, None),
            Origin::Given => (CallKind::Gift, None, other),
            Origin::Field => (CallKind::FieldPaid, None, None),
            Origin::Sent => (CallKind::Received, other, None),
        };
        let (token, stage, code) = (one.token.into(), one.stage.into(), one.code().map(Into::into));
        Self {
            key: one.key(),
            kind,
            payer,
            to,
            amount: Some(one.amount.into()),
            token,
            stage,
            code,
        }
    }
}

impl From<Stage> for CallStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Asked => Self::Asked,
            Stage::Pending => Self::Pending,
            Stage::Included => Self::Included,
            Stage::Committed => Self::Committed,
            Stage::Settled => Self::Settled,
            Stage::Final => Self::Final,
            Stage::Failed => Self::Failed,
        }
    }
}
