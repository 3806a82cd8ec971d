//! Pays and is paid inside payment fields, for one key: as a member of several, as the leader of some.
//!
//! ```text
//! propose (leader) --Store--> Invite --accept--> Submit(Open) --Proven--> pay ... rounds ... close
//! payment   pending --receipt--> sequenced --every member signs the round--> committed
//! ```
//!
//! A field's part is a *seat*: terms, the newest state that all signed, the running round, and what the chain is proven to
//! say. Seats share nothing, for each field has its own escrow (A6.8).
//!
//! What is signed is stored first: a payment, a place in the order, a state. What was spoken before a crash is spoken again
//! after it, byte for byte, and nothing else ever is (A0.6). Rows that another device wrote, or that are damaged, freeze
//! their field: what is sealed is still shown to the chain, nothing new is signed.
//!
//! | file | what it knows |
//! |---|---|
//! | `command` | what the application asks |
//! | `hear` | who may say what, and what it may cost |
//! | `join` | invitation, acceptance, opening |
//! | `own` | payments of this member and to it, from the wish to the receipt |
//! | `order` | the leader's order, its receipts, when a round is closed |
//! | `check` | a member fetches a round that the leader has closed, and recomputes it |
//! | `agree` | signing a round's state |
//! | `seal` | when a state that all signed is money, and which one counts if the chain annuls it |
//! | `amend` | the next version: members join and leave, another leads |
//! | `turnover` | who is to join, who wants to leave, and what of it needs nobody's word |
//! | `affairs` | what the chain is proven to hold, and what that allows |
//! | `dispute` | what must be done about that until when |
//! | `round` | the ledger: payments in order, balances, the state after them |
//! | `prove` | one payment out of a closed field |
//! | `wire` | what members say to each other |
//! | `journal`, `record`, `restore` | rows: written before anything is spoken, recomputed when read |
//!
//! Source: PROTOCOL A6.8 to A6.10, A6.13 to A6.15, A10.8.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod affairs;
mod agree;
mod allowance;
mod amend;
mod check;
mod command;
mod dispute;
mod fault;
mod hear;
mod join;
mod journal;
mod order;
mod own;
mod policy;
mod prove;
mod record;
mod refusal;
mod restore;
mod retry;
mod round;
mod seal;
mod seat;
mod tell;
#[cfg(test)]
mod tests;
mod turn;
mod turnover;
mod varint;
mod view;
pub mod wire;

pub use fault::Fault;
pub use policy::MemberPolicy;
pub use refusal::{AmendError, CloseError, Freeze, JoinError, PayError, ProveError};
pub use round::MAX_ROUND;
pub use view::{AmendmentView, FieldView, MemberView, PaymentView, Phase, RoundStep, Standing};

use super::{
    StoreToken,
    field::{
        Climb, FieldAct, FieldFile, FieldProof, FieldRules, FieldShown, FieldTerms,
        PaymentEvidence, SealedState, escrow::FieldState,
    },
    payer::DeviceId,
};
use crate::{
    amount::Amount,
    chain::Level,
    crypto::{Hash, PublicKey, SecretKey},
    id::{Address, ChainId, FieldId, Height},
    row,
    table::Table,
    time::Moment,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use allowance::Allowance;
use restore::Rows;
use seat::Seat;
use turn::{Turn, Writes};

/// Fields of one key that are not forgotten. Chosen here.
pub const MAX_FIELDS: usize = 32;
/// Invitations that wait for an answer. Chosen here.
pub const MAX_INVITATIONS: usize = 8;

/// What happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A member said this. The address is a hint: what changes anything is signed.
    Heard(Address, Vec<u8>),
    /// A member can be reached now: what is open is said to it at once.
    Came(Address),
    /// The write is durable.
    Stored(StoreToken),
    /// The chain proved a field, or that it is not there.
    Proven(FieldId, Box<Proof>),
    /// The newest settled height.
    Tip(Height),
    /// Time moved on; nothing else happened.
    Tick,
}

/// A field proven under one header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The field; `None` if it is proven absent.
    pub state: Option<FieldState>,
    /// How far the header is believed; only settled and final count.
    pub level: Level,
    /// The header's height.
    pub height: Height,
}

/// What the parent must do, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a member a message of at most [`wire::MAX_LETTER`] bytes, if it can be reached; what is lost is repeated.
    Send(Address, Vec<u8>),
    /// Write durably under this name, or remove it; then say `Stored`. Writes must become durable in their order.
    Store(StoreToken, String, Option<Vec<u8>>),
    /// Ask the chain for a proof of this field.
    Need(FieldId),
    /// Send a transaction with this act.
    Submit(Box<FieldAct>),
    /// The view has changed.
    Changed,
    /// A member's message was refused.
    Fault(Address, Fault),
    /// Something must be done before a deadline, and is being done: stay online.
    Warn(FieldId, Warning),
}

/// A deadline of the chain that must not pass (A6.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is threatened.
    pub threat: Threat,
    /// Last block that can avert it.
    pub deadline: Height,
    /// Whether it is so near that a transaction may not be included in time.
    pub is_near: bool,
}

/// What another member tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threat {
    /// The field is being closed with a state below the newest.
    Close,
    /// The chain is told that a round which is sealed was withheld.
    Challenge,
}

/// All fields of one key.
#[derive(Debug)]
pub struct Membership {
    chain: ChainId,
    key: SecretKey,
    address: Address,
    device: DeviceId,
    rules: FieldRules,
    fee: Amount,
    policy: MemberPolicy,
    seats: Table<FieldId, Seat>,
    invitations: Table<FieldId, Seat>,
    /// Fields whose rows do not say who their members are.
    lost: Vec<FieldId>,
    allowances: Table<Address, Allowance>,
    strangers: Allowance,
    writes: Writes,
    tip: Height,
}

/// What the chain demands of terms, and whose money it is.
#[derive(Clone, Debug)]
pub struct MemberConfig {
    /// The chain.
    pub chain: ChainId,
    /// The member's account.
    pub key: SecretKey,
    /// This installation: rows of another one freeze their field.
    pub device: DeviceId,
    /// The chain's parameters of fields.
    pub rules: FieldRules,
    /// The chain's fee for each signature.
    pub fee: Amount,
    /// What the member risks, and how long it waits.
    pub policy: MemberPolicy,
}

impl Membership {
    /// Makes the fields of a key from everything that was stored under names that [`Membership::owns`].
    pub fn new(config: MemberConfig, stored: impl IntoIterator<Item = row::Row>) -> Self {
        let MemberConfig { chain, key, device, rules, fee, policy } = config;
        let mut rows: Table<FieldId, Rows> = Table::new();
        for (name, bytes) in stored {
            if let Some((field, row)) = record::parse_name(&name) {
                rows.entry(field).or_default().insert(row, bytes);
            }
        }
        let mut membership = Self {
            chain,
            address: Address::of(&key.public()),
            key,
            device,
            rules,
            fee,
            policy,
            seats: Table::new(),
            invitations: Table::new(),
            lost: Vec::new(),
            allowances: Table::new(),
            strangers: Allowance::new(Moment::ZERO),
            writes: Writes::default(),
            tip: Height::default(),
        };
        let mut out = Vec::new();
        for (field, rows) in rows {
            let mut turn = membership.turn(Moment::ZERO, &mut out).1;
            match Seat::restored(&turn, rows).filter(|seat| seat.id == field) {
                Some(mut seat) => {
                    seat.rearm(&mut turn);
                    membership.seats.insert(field, seat);
                }
                None => membership.lost.push(field),
            }
        }
        membership
    }

    /// Returns whether a stored name is a member's.
    pub fn owns(name: &str) -> bool {
        record::parse_name(name).is_some()
    }

    /// Returns the member's address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Applies one input. Never fails; what a member did wrong is [`Output::Fault`].
    pub fn handle(&mut self, now: Moment, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Heard(from, bytes) => self.heard(now, from, &bytes, out),
            Input::Came(address) => {
                let (seats, mut turn) = self.turn(now, out);
                for seat in seats.values_mut() {
                    if let Some(place) = seat.place(&address) {
                        seat.came(place, &mut turn);
                    }
                }
            }
            Input::Stored(token) => {
                if let Some((field, row)) = self.writes.done(token) {
                    let (seats, mut turn) = self.turn(now, out);
                    if let Some(seat) = seats.get_mut(&field) {
                        seat.stored(row, &mut turn);
                    }
                }
            }
            Input::Proven(field, proof) => {
                if proof.level >= Level::Settled {
                    // What proves a field is as new as a tip.
                    self.tip = self.tip.max(proof.height);
                }
                let (seats, mut turn) = self.turn(now, out);
                if let Some(seat) = seats.get_mut(&field) {
                    seat.proven(*proof, &mut turn);
                }
            }
            Input::Tip(height) => {
                self.tip = self.tip.max(height);
                self.drop_expired(out);
                let (seats, mut turn) = self.turn(now, out);
                for seat in seats.values_mut() {
                    seat.tip_moved(&mut turn);
                }
            }
            Input::Tick => {
                let (seats, mut turn) = self.turn(now, out);
                for seat in seats.values_mut() {
                    seat.tick(&mut turn);
                }
            }
        }
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        self.seats.values().filter_map(Seat::deadline).min()
    }

    /// Returns every field as an application may show it, invitations too.
    pub fn view(&self) -> Vec<FieldView> {
        let seats = self.seats.values().map(|seat| seat.view(seat.phase()));
        let invitations = self.invitations.values().map(|seat| seat.view(Phase::Invited));
        seats.chain(invitations).collect()
    }

    /// Returns the terms of a field, or of an invitation.
    pub fn terms(&self, field: FieldId) -> Option<&FieldTerms> {
        let seat = self.seats.get(&field).or_else(|| self.invitations.get(&field))?;
        Some(&seat.terms)
    }

    /// Returns the key of a member of any field, by its address.
    pub fn key_of(&self, address: &Address) -> Option<PublicKey> {
        let seats = self.seats.values().chain(self.invitations.values());
        let mut parties = seats.flat_map(|seat| &seat.parties);
        parties.find(|party| party.address == *address).map(|party| party.key)
    }

    /// Proves one payment of a closed field to anybody who believes the header of the block that closed it: the one at
    /// this place of this round. `in_block` is what a node tells of that block's closed fields.
    pub fn prove(
        &self,
        field: FieldId,
        (round, index): (u32, u32),
        in_block: Climb,
    ) -> Option<FieldProof> {
        self.seats.get(&field)?.prove(round, index, in_block)
    }

    /// Returns the height of the block that closed a field, once that is proven.
    ///
    /// # Errors
    /// [`ProveError::NoField`], [`ProveError::NotClosed`].
    pub fn closed_at(&self, field: FieldId) -> Result<Height, ProveError> {
        let seat = self.seats.get(&field).ok_or(ProveError::NoField)?;
        seat.closed_at().ok_or(ProveError::NotClosed)
    }

    /// Proves one payment of a closed field to anybody: the one at this place of this round. `header` is
    /// height and field root of the block that closed it, `closed` what a node tells of the fields that it closed: the canonical
    /// bytes of a list of [`ClosedField`](super::field::escrow::ClosedField).
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn payment_evidence(
        &self,
        field: FieldId,
        at: (u32, u32),
        header: (Height, Hash),
        closed: &[u8],
    ) -> Result<PaymentEvidence, ProveError> {
        let seat = self.seats.get(&field).ok_or(ProveError::NoField)?;
        seat.payment_evidence(at, header, closed)
    }

    /// Returns the version and the round of the newest state that all have signed of each field that is not over. The chain
    /// knows a version's first.
    pub fn newest(&self) -> Vec<(FieldId, (u32, u32))> {
        let mut newest = Vec::new();
        for (id, seat) in self.seats.iter() {
            if seat.sealed.signatures.is_some() && !seat.is_closed() {
                newest.push((*id, seat.sealed.state.rank()));
            }
        }
        newest
    }

    /// As [`Self::payment_evidence`], as a file, with what it shows.
    ///
    /// # Errors
    /// [`ProveError`].
    pub fn payment_file(
        &self,
        field: FieldId,
        at: (u32, u32),
        header: (Height, Hash),
        closed: &[u8],
    ) -> Result<(FieldShown, Vec<u8>), ProveError> {
        let evidence = self.payment_evidence(field, at, header, closed)?;
        let shown = evidence.verify(self.chain).map_err(ProveError::File)?;
        Ok((shown, evidence.to_file(self.chain)))
    }

    /// Returns the newest state of a field that all have signed, for a watch-tower. `None` for a version's first state, which
    /// the chain knows.
    pub fn sealed(&self, field: FieldId) -> Option<SealedState> {
        self.seats.get(&field)?.sealed_state()
    }

    /// Returns what can be shown of a field to anybody, as files: the newest state that all signed, and two words of its
    /// leader that exclude each other, if it said such since the start.
    pub fn files(&self, field: FieldId) -> Vec<FieldFile> {
        self.seats.get(&field).map(|seat| seat.files(self.chain)).unwrap_or_default()
    }

    /// Returns the newest state that all have signed as a file of evidence, the first of [`Self::files`].
    pub fn sealed_file(&self, field: FieldId) -> Option<Vec<u8>> {
        self.seats.get(&field)?.sealed_file(self.chain)
    }

    /// Returns the fields whose rows are so damaged that nothing can be done for them here.
    pub fn lost(&self) -> &[FieldId] {
        &self.lost
    }

    fn turn<'a>(
        &'a mut self,
        now: Moment,
        out: &'a mut Vec<Output>,
    ) -> (&'a mut Table<FieldId, Seat>, Turn<'a>) {
        let turn = Turn {
            chain: self.chain,
            key: &self.key,
            device: self.device,
            policy: &self.policy,
            now,
            tip: self.tip,
            writes: &mut self.writes,
            out,
        };
        (&mut self.seats, turn)
    }
}
