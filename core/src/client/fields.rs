//! Routes between the payment fields, the chain, and the members wherever they can be reached.
//!
//! A member is reached by a link if there is one, by the tracker if not. What is lost on the way is said again by the machine.

use super::{Client, CommandError, Kept, Notice, Now, Output};
use crate::{
    amount::Amount,
    chain::Level,
    crypto::PublicKey,
    id::{Address, FieldId, PeerId},
    payment::{
        field::{FieldTerms, Member},
        gift,
        member::{self, Membership},
    },
    peer::{
        frames::{Frame, Parcel},
        swarm,
    },
    table::Table,
    wallet::book::FieldShown,
};
use alloc::{boxed::Box, vec::Vec};

/// Blocks in which a field that was proposed can be opened. Chosen here: five minutes of one-second blocks.
const OPENING_BLOCKS: u64 = 300;
/// Members whose keys are remembered by address. Chosen here: those of ten full fields.
const MAX_MET: usize = 1024;

/// What the application wants a field to be. The one who proposes it leads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldOffer {
    /// The others, by key.
    pub others: Vec<PublicKey>,
    /// What each of all locks. The leader locks one smallest unit more, for the highest deposit leads (A6.8).
    pub deposit: Amount,
    /// `T_disp` in blocks; the chain's least if `None`.
    pub dispute: Option<u64>,
}

impl Client {
    pub(super) fn feed_fields(&mut self, now: Now, input: member::Input, out: &mut Vec<Output>) {
        self.with_fields(now, out, |fields, lifted| fields.handle(now.at, input, lifted));
    }

    /// A member, or somebody who pretends to be one, said something.
    pub(super) fn field_heard(
        &mut self,
        now: Now,
        peer: PeerId,
        parcel: Parcel,
        out: &mut Vec<Output>,
    ) {
        if gift::is_word(&parcel) {
            return self.gift_heard(now, peer, parcel.into_vec(), out);
        }
        let from = self.meet(peer);
        self.feed_fields(now, member::Input::Heard(from, parcel.into_vec()), out);
    }

    pub(super) fn field_member_came(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let address = self.meet(peer);
        self.feed_fields(now, member::Input::Came(address), out);
        self.feed_gifts(now, gift::Input::Came(address), out);
    }

    pub(super) fn field_proven(&mut self, now: Now, shown: FieldShown, out: &mut Vec<Output>) {
        let FieldShown { field, state, level, height, .. } = shown;
        // Absent at a height below the one that shows our last act done says nothing.
        let is_undecided = self.purse.as_ref().is_some_and(|purse| purse.book.is_undecided(height));
        if level >= Level::Settled && !(state.is_none() && is_undecided) {
            let proof = Box::new(member::Proof { state, level, height });
            self.feed_fields(now, member::Input::Proven(field, proof), out);
        }
    }

    /// Invites others to a field.
    pub(super) fn propose_field(
        &mut self,
        now: Now,
        offer: FieldOffer,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        self.check_fresh(now)?;
        let settled = self.light.head(Level::Settled).ok_or(CommandError::NotReady)?;
        let spec = self.light.spec().ok_or(CommandError::NotReady)?;
        let me = self.config.key.public();
        let lead = offer.deposit.checked_add(Amount::from_units(1));
        let lead = Member { key: me, deposit: lead.ok_or(CommandError::OutOfRange)? };
        let others = offer.others.into_iter().filter(|key| *key != me);
        let members = others.map(|key| Member { key, deposit: offer.deposit }).chain([lead]);
        let members: Table<_, _> = members.map(|member| (member.address(), member)).collect();
        let members: Vec<_> = members.into_values().collect();
        let terms = FieldTerms {
            nonce: now.clock.0,
            members: members.try_into().map_err(|_| CommandError::OutOfRange)?,
            dispute: offer.dispute.unwrap_or(spec.field.min_dispute),
            response: spec.field.min_response,
            bond: FieldTerms::least_bond(spec.fee).ok_or(CommandError::OutOfRange)?,
            until: settled.header.height.plus(OPENING_BLOCKS),
            aggregate: None,
        };
        let purse = self.purse.as_ref().ok_or(CommandError::NotReady)?;
        purse.book.check_terms(&terms, Amount::ZERO).map_err(CommandError::Book)?;
        self.try_fields(now, out, |fields, lifted| {
            fields.propose(now.at, terms, lifted).map(|_| ()).map_err(CommandError::Join)
        })
    }

    /// Signs the terms of an invitation, or the next version of a field, if the proven balance covers what they lock.
    pub(super) fn accept_field(
        &mut self,
        now: Now,
        field: FieldId,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        self.check_fresh(now)?;
        let purse = self.purse.as_ref().ok_or(CommandError::NotReady)?;
        if let Some((terms, held)) = purse.fields.asked(field) {
            purse.book.check_terms(&terms, held).map_err(CommandError::Book)?;
        }
        self.try_fields(now, out, |fields, lifted| {
            fields.accept(now.at, field, lifted).map_err(CommandError::Join)
        })
    }

    /// Asks all members of a field, and somebody who is none, to let it in.
    pub(super) fn admit_member(
        &mut self,
        now: Now,
        field: FieldId,
        member: Member,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        self.check_fresh(now)?;
        let purse = self.purse.as_ref().ok_or(CommandError::NotReady)?;
        if let Some(terms) = purse.fields.terms(field) {
            // All of them and who joins: payments would wait for what cannot be sent.
            let count = terms.members.len().saturating_add(1);
            purse.book.check_signatures(count).map_err(CommandError::Book)?;
        }
        self.try_fields(now, out, |fields, lifted| {
            fields.admit(now.at, field, member, lifted).map_err(CommandError::Amend)
        })
    }

    /// Removes what is kept of a field that is over.
    pub(super) fn forget_field(
        &mut self,
        now: Now,
        field: FieldId,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        self.try_fields(now, out, |fields, lifted| {
            fields.forget(field, lifted).map_err(CommandError::Close)
        })?;
        self.with_book(now, out, |book, _| {
            book.unwatch_field(&field);
            Ok(())
        })
    }

    /// Does with the fields what the application asks.
    pub(super) fn try_fields(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Membership, &mut Vec<member::Output>) -> Result<(), CommandError>,
    ) -> Result<(), CommandError> {
        let mut done = Err(CommandError::NotReady);
        self.with_fields(now, out, |fields, lifted| done = act(fields, lifted));
        done
    }

    fn with_fields(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Membership, &mut Vec<member::Output>),
    ) {
        let Some(purse) = &mut self.purse else { return };
        let mut lifted = Vec::new();
        act(&mut purse.fields, &mut lifted);
        for output in lifted {
            self.lift_fields(now, output, out);
        }
    }

    fn lift_fields(&mut self, now: Now, output: member::Output, out: &mut Vec<Output>) {
        match output {
            member::Output::Send(to, bytes) => self.send_member(now, to, bytes, out),
            member::Output::Store(token, name, row) => {
                self.store(Kept::Field(token), name, row, out);
            }
            member::Output::Need(field) => {
                let _ = self.with_book(now, out, |book, lifted| {
                    book.watch_field(field, lifted);
                    Ok(())
                });
            }
            member::Output::Submit(act) => {
                let done = self.with_book(now, out, |book, lifted| book.act(now.at, act, lifted));
                if let Err(error) = done {
                    self.trouble(error.code(), out);
                }
            }
            member::Output::Changed => {
                self.changed = true;
                self.tell_tower(now, out);
            }
            member::Output::Fault(_, fault) => self.trouble(fault.code(), out),
            member::Output::Warn(field, warning) => {
                out.push(Output::Notify(Notice::Warning(field, warning)));
                self.changed = true;
            }
        }
    }

    pub(super) fn send_member(
        &mut self,
        now: Now,
        to: Address,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        let (Some(peer), Ok(parcel)) = (self.member(to), Parcel::try_from(bytes)) else { return };
        if self.peers.contains_key(&peer) {
            self.send(now, peer, Frame::Field(parcel), out);
            return;
        }
        let mut lifted = Vec::new();
        if let Some(swarm) = &self.swarm {
            swarm.relay(now.at, peer, parcel, &mut lifted);
        }
        for output in lifted {
            if let swarm::Output::TrackerSend(bytes) = output {
                out.push(Output::TrackerSend(bytes));
            }
        }
    }

    /// Returns the key of an address: of somebody met or around, or of a member of a field.
    fn member(&mut self, address: Address) -> Option<PeerId> {
        if let Some(peer) = self.met.get(&address) {
            return Some(*peer);
        }
        let is_it = |peer: &PeerId| Address::of(&peer.0) == address;
        if let Some(peer) = self.swarm.as_ref().and_then(|swarm| swarm.around().find(is_it)) {
            return Some(peer);
        }
        let peer = PeerId(self.purse.as_ref()?.fields.key_of(&address)?);
        self.meet(peer);
        Some(peer)
    }

    pub(super) fn meet(&mut self, peer: PeerId) -> Address {
        let address = Address::of(&peer.0);
        if self.met.len() >= MAX_MET && !self.met.contains_key(&address) {
            self.met.pop_first();
        }
        self.met.insert(address, peer);
        address
    }
}
