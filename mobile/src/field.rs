//! Payment fields, gifts and the room, as an application sees them (`wasm/js/src/field.ts`, `gift.ts`).

use crate::{
    snapshot::Level,
    text::{Address, Amount},
};
use antiphon_core::{amount, client as core};

/// Payments of a field that are shown, the newest: as many as a page shows.
const MAX_SHOWN: usize = 64;

/// Somebody with whom a field can be shared.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Around {
    /// Its key in hexadecimal.
    pub peer: String,
    /// Its account.
    pub address: Address,
    /// Whether there is a data channel; otherwise the tracker relays.
    pub is_linked: bool,
}

/// Where a field is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FieldPhase {
    /// Another invites to it.
    Invited,
    /// Signed here; the chain has not shown it yet.
    Joining,
    /// Members pay each other.
    Open,
    /// A round was annulled.
    Halted,
    /// The chain is about to enforce a state.
    Closing,
    /// Everybody was paid.
    Closed,
    /// Others go on with it, and this client was paid.
    Left,
}

/// What the running round is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RoundStep {
    /// Payments are made.
    Running,
    /// It is closed, and being checked here.
    Checking,
    /// It breaks the leader's own word.
    Refused,
    /// Signed here.
    Signed,
}

/// How far a payment has come. Only what is committed is money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum PaymentStanding {
    /// Made here.
    Pending,
    /// The leader has given it a place.
    Sequenced,
    /// In a state that all have signed.
    Committed,
    /// In a round that the chain will never enforce.
    Void,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FieldMember {
    /// Who.
    pub address: Address,
    /// What it locks.
    pub deposit: Amount,
    /// What it has in the newest state that all have signed.
    pub balance: Amount,
    /// Whether it has signed the terms, or the running round, as far as is known here.
    pub has_signed: bool,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FieldPayment {
    /// Who pays.
    pub payer: Address,
    /// Who is paid.
    pub payee: Address,
    /// How much.
    pub amount: Amount,
    /// How far it has come.
    pub standing: PaymentStanding,
    /// Its round.
    pub round: u32,
    /// Its place in the round, once the leader has given it one.
    pub index: Option<u32>,
}

/// A payment field.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FieldView {
    /// Its id in hexadecimal.
    pub field: String,
    /// Where it is in its life.
    pub phase: FieldPhase,
    /// Whether this client leads it.
    pub is_leader: bool,
    /// Who orders payments.
    pub leader: Address,
    /// The members, in the order of places.
    pub members: Vec<FieldMember>,
    /// Version of the members.
    pub version: u32,
    /// The newest round that all have signed.
    pub round: u32,
    /// Committed payments of all members.
    pub committed: u64,
    /// What the running round is at.
    pub step: RoundStep,
    /// The newest payments of this client and to it, oldest first.
    pub payments: Vec<FieldPayment>,
    /// Last block in which something can be done about a close or a challenge.
    pub deadline: Option<u64>,
    /// Whether its leader has proposed a next version, which `accept_field` signs.
    pub has_amendment: bool,
    /// Why nothing is signed here any more, in one stable code.
    pub freeze: Option<String>,
    /// How far the newest head that showed it is believed; none until one did.
    pub proven: Option<Level>,
    /// The newest round that the watch-tower says it has.
    pub watched: Option<u32>,
}

/// What is reserved for one payee alone.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GiftView {
    /// Id in hexadecimal of the pool that holds it.
    pub pool: String,
    /// Whether this client gives it; otherwise it receives it.
    pub is_given: bool,
    /// The other one.
    pub other: Address,
    /// What is given.
    pub amount: Amount,
    /// What for, as the giver says; empty until the chain has shown it.
    pub purpose: String,
    /// How far it is.
    pub stage: GiftStage,
    /// Last block in which it can be taken; none until the chain has shown it.
    pub end: Option<u64>,
    /// Why it was not reserved, in one stable code.
    pub refusal: Option<String>,
}

/// How far a gift is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum GiftStage {
    /// Given, and not proven reserved yet.
    Asked,
    /// Received, and not proven reserved yet.
    Offered,
    /// Given and proven reserved.
    Reserved,
    /// The payee holds a promise that can only be paid.
    Sure,
    /// Paid, by a settled block.
    Settled,
    /// Paid, by a final one.
    Final,
    /// It was not taken in time.
    Lapsed,
    /// It came back to the giver.
    Returned,
    /// It was never reserved: nothing was locked.
    Void,
}

impl From<&core::Around> for Around {
    fn from(view: &core::Around) -> Self {
        let (peer, is_linked) = (view.peer.0.to_string(), view.is_linked);
        Self { peer, address: view.address.into(), is_linked }
    }
}

impl From<&core::FieldShow> for FieldView {
    fn from(show: &core::FieldShow) -> Self {
        let view = &show.view;
        let deposits = show.deposits.iter().copied().chain(std::iter::repeat(amount::Amount::ZERO));
        let hidden = view.payments.len().saturating_sub(MAX_SHOWN);
        Self {
            field: view.id.0.to_hex(),
            phase: phase(view.phase),
            is_leader: show.is_leader,
            leader: view.leader.into(),
            members: view.members.iter().zip(deposits).map(member).collect(),
            version: view.version,
            round: view.round,
            committed: view.committed,
            step: step(view.step),
            payments: view.payments.iter().skip(hidden).map(payment).collect(),
            deadline: view.deadline.map(|height| height.0),
            has_amendment: view.amendment.is_some(),
            freeze: view.freeze.map(|freeze| freeze.code().to_owned()),
            proven: show.proven.map(|proven| proven.level.into()),
            watched: show.watched,
        }
    }
}

impl From<&core::GiftView> for GiftView {
    fn from(view: &core::GiftView) -> Self {
        Self {
            pool: view.pool.0.to_hex(),
            is_given: view.is_given,
            other: view.other.into(),
            amount: view.amount.into(),
            purpose: view.purpose.as_str().to_owned(),
            stage: view.stage.into(),
            end: view.end.map(|height| height.0),
            refusal: view.refusal.map(str::to_owned),
        }
    }
}

impl From<core::GiftStage> for GiftStage {
    fn from(stage: core::GiftStage) -> Self {
        match stage {
            core::GiftStage::Asked => Self::Asked,
            core::GiftStage::Offered => Self::Offered,
            core::GiftStage::Reserved => Self::Reserved,
            core::GiftStage::Sure => Self::Sure,
            core::GiftStage::Settled => Self::Settled,
            core::GiftStage::Final => Self::Final,
            core::GiftStage::Lapsed => Self::Lapsed,
            core::GiftStage::Returned => Self::Returned,
            core::GiftStage::Void => Self::Void,
        }
    }
}

fn member((view, deposit): (&core::MemberView, amount::Amount)) -> FieldMember {
    FieldMember {
        address: view.address.into(),
        deposit: deposit.into(),
        balance: view.balance.into(),
        has_signed: view.has_signed,
    }
}

fn payment(view: &core::PaymentView) -> FieldPayment {
    let standing = match view.standing {
        core::PaymentStanding::Pending => PaymentStanding::Pending,
        core::PaymentStanding::Sequenced => PaymentStanding::Sequenced,
        core::PaymentStanding::Committed => PaymentStanding::Committed,
        core::PaymentStanding::Void => PaymentStanding::Void,
    };
    FieldPayment {
        payer: view.payer.into(),
        payee: view.payee.into(),
        amount: view.amount.into(),
        standing,
        round: view.round,
        index: view.index,
    }
}

const fn phase(phase: core::Phase) -> FieldPhase {
    match phase {
        core::Phase::Invited => FieldPhase::Invited,
        core::Phase::Joining => FieldPhase::Joining,
        core::Phase::Open => FieldPhase::Open,
        core::Phase::Halted => FieldPhase::Halted,
        core::Phase::Closing => FieldPhase::Closing,
        core::Phase::Closed => FieldPhase::Closed,
        core::Phase::Left => FieldPhase::Left,
    }
}

const fn step(step: core::RoundStep) -> RoundStep {
    match step {
        core::RoundStep::Running => RoundStep::Running,
        core::RoundStep::Checking => RoundStep::Checking,
        core::RoundStep::Refused => RoundStep::Refused,
        core::RoundStep::Signed => RoundStep::Signed,
    }
}
