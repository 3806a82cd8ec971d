//! What an account does in payment fields.

use super::actor::{Actor, Owner, Pending};
use crate::sim::till::Till;
use antiphon_core::{
    amount::Amount,
    chain::{Level, transaction::Message},
    id::{Address, FieldId, Height},
    payment::{
        field::{FieldAct, FieldTerms, Member},
        member::{self, FieldView, Phase, Proof, RoundStep},
    },
};

impl Actor {
    /// Invites the others to a field that it leads.
    pub(super) fn propose(&mut self, terms: FieldTerms) -> Option<FieldId> {
        let mut out = Vec::new();
        let field = self.fields.propose(self.now, terms, &mut out).ok();
        self.take_member(out);
        field
    }

    /// Signs whatever it is invited to.
    pub(super) fn accept(&mut self) {
        let invited = self.fields.view().into_iter().filter(|view| view.phase == Phase::Invited);
        for view in invited.collect::<Vec<_>>() {
            let mut out = Vec::new();
            let _ = self.fields.accept(self.now, view.id, &mut out);
            self.take_member(out);
        }
    }

    /// Pays a member of the field.
    pub(super) fn pay_member(&mut self, field: FieldId, to: Address, units: u128) {
        let mut out = Vec::new();
        let _ = self.fields.pay(self.now, field, (to, Amount::from_units(units)), &mut out);
        self.take_member(out);
    }

    /// Closes the running round of a field that it leads, or wants the field closed.
    pub(super) fn close(&mut self, field: FieldId, is_round: bool) {
        let mut out = Vec::new();
        let _ = if is_round {
            self.fields.close_round(self.now, field, &mut out)
        } else {
            self.fields.close(self.now, field, &mut out)
        };
        self.take_member(out);
    }

    /// Goes to the chain with the deposits, whatever has been signed since.
    pub(super) fn close_stale(&mut self, field: FieldId) {
        let act = FieldAct::SoloClose { field, state: None };
        self.orders.push_back(Message::Field(Box::new(act)));
    }

    /// Asks the chain for a round that it has signed, whether or not anybody keeps it back.
    pub(super) fn ask(&mut self, field: FieldId) {
        let is_signed = |view: &FieldView| view.step == RoundStep::Signed;
        let Some(view) = self.field(field).filter(is_signed) else { return };
        let act = FieldAct::Challenge { field, round: view.round + 1 };
        self.orders.push_back(Message::Field(Box::new(act)));
    }

    /// Takes the order that the chain would: what has a deadline comes first (A1.24).
    pub(super) fn take_order(&mut self) -> Option<Message> {
        let first = self.orders.iter().position(has_deadline).unwrap_or(0);
        self.orders.remove(first)
    }

    /// Takes every order that has a deadline, of however many fields, and one other: all that one block would.
    pub(super) fn take_due(&mut self) -> Vec<Message> {
        let (mut due, others): (Vec<_>, Vec<_>) = self.orders.drain(..).partition(has_deadline);
        self.orders = others.into();
        due.extend(self.orders.pop_front());
        due
    }

    pub(super) fn hear_parcel(&mut self, from: Address, bytes: Vec<u8>) {
        self.feed_member(member::Input::Heard(from, bytes));
    }

    pub(super) fn field(&self, field: FieldId) -> Option<FieldView> {
        self.fields.view().into_iter().find(|view| view.id == field)
    }

    /// Hears how high the chain is, before anything is proven.
    pub(super) fn hear_tip(&mut self, height: Height) {
        self.feed_member(member::Input::Tip(height));
    }

    /// Sees what the newest settled block proves of its fields.
    pub(super) fn see_fields(&mut self, till: &Till, height: Height) {
        self.hear_tip(height);
        for view in self.fields.view() {
            let state = till.field(view.id);
            let proof = Proof { state, level: Level::Final, height };
            self.feed_member(member::Input::Proven(view.id, Box::new(proof)));
        }
    }

    pub(super) fn feed_member(&mut self, input: member::Input) {
        let mut out = Vec::new();
        self.fields.handle(self.now, input, &mut out);
        self.take_member(out);
    }

    fn take_member(&mut self, out: Vec<member::Output>) {
        for output in out {
            match output {
                member::Output::Send(to, bytes) => self.parcels.push((to, bytes)),
                member::Output::Store(token, name, row) => {
                    self.writes.push_back(Pending { owner: Owner::Member(token), name, row });
                }
                member::Output::Submit(act) => {
                    let order = Message::Field(act);
                    if !self.orders.contains(&order) {
                        self.orders.push_back(order);
                    }
                }
                member::Output::Need(_)
                | member::Output::Changed
                | member::Output::Fault(..)
                | member::Output::Warn(..) => {}
            }
        }
    }
}

fn has_deadline(order: &Message) -> bool {
    matches!(order, Message::Field(act) if act.has_deadline())
}

/// Returns the terms of a field of these accounts, led by the first.
pub(super) fn terms(actors: &[&Actor], nonce: u64, bond: Amount, until: Height) -> FieldTerms {
    let member = |(at, actor): (usize, &&Actor)| {
        let deposit = if at == 0 { DEPOSIT + 1 } else { DEPOSIT };
        Member { key: actor.key.public(), deposit: Amount::from_units(deposit) }
    };
    let mut members: Vec<_> = actors.iter().enumerate().map(member).collect();
    members.sort_by_key(Member::address);
    FieldTerms {
        nonce,
        members: members.try_into().unwrap(),
        dispute: DISPUTE,
        response: DISPUTE,
        bond,
        until,
        aggregate: None,
    }
}

/// What each member locks.
const DEPOSIT: u128 = 500;
/// Blocks of a dispute.
pub(super) const DISPUTE: u64 = 8;
