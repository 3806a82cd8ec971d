//! How a field begins: the leader invites, every member checks and signs, the leader opens.
//!
//! Nothing is signed before the terms are stored: a member that forgot its terms would not know what it may lose.
//!
//! Source: PROTOCOL A6.8.

use super::{
    Fault, Seat, Turn,
    allowance::Cost,
    record::{Row, SeatRecord},
    wire::{Invitation, Letter},
};
use crate::crypto::{Signature, Tagged};
use alloc::boxed::Box;

impl Seat {
    /// Stores the terms, which this member is going to sign.
    pub(super) fn take(&mut self, turn: &mut Turn<'_>) {
        let record = SeatRecord { device: turn.device, base: self.base() };
        turn.store(self.id, Row::Seat, &record);
        turn.changed();
    }

    /// The terms are durable: the leader invites, a member accepts. Of a later version, whoever joins consents to it.
    pub(super) fn seat_stored(&mut self, turn: &mut Turn<'_>) {
        self.is_stored = true;
        if self.sealed.state.version > 0 || self.is_applied() {
            self.version_stored(turn);
            return;
        }
        self.sign_terms(turn);
        if self.leads() {
            self.invite(turn);
        } else {
            self.accept_again(turn);
        }
        self.tip_moved(turn);
    }

    /// Enters this member's signature of the terms.
    pub(super) fn sign_terms(&mut self, turn: &Turn<'_>) {
        let signature = self.terms.sign(turn.chain, turn.key);
        if let Some(own) = self.accepted.get_mut(usize::from(self.me)) {
            *own = Some(signature);
        }
    }

    /// Invites all who have not accepted yet.
    pub(super) fn invite(&self, turn: &mut Turn<'_>) {
        let Some(Some(signature)) = self.accepted.get(usize::from(self.me)).copied() else {
            return;
        };
        for (place, _) in (0_u8..).zip(&self.accepted).filter(|(_, accepted)| accepted.is_none()) {
            let invitation = Invitation { terms: self.terms.clone(), signature };
            self.tell(turn, place, Letter::Invite(Box::new(invitation)));
        }
    }

    /// Tells the leader that this member has signed.
    pub(super) fn accept_again(&self, turn: &mut Turn<'_>) {
        if let Some(Some(signature)) = self.accepted.get(usize::from(self.me)).copied() {
            self.tell(turn, self.leader, Letter::Accept(signature));
        }
    }

    /// The leader invites to a field that is known here.
    pub(super) fn invited(
        &mut self,
        from: u8,
        invitation: &Invitation,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if from != self.leader {
            return Err(Fault::NotLeader);
        }
        if invitation.terms != self.terms {
            return Err(Fault::OtherTerms);
        }
        if self.is_stored {
            self.accept_again(turn);
        }
        Ok(Cost::Idle)
    }

    /// A member has signed the terms.
    pub(super) fn accepted(
        &mut self,
        from: u8,
        signature: Signature,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if !self.leads() {
            return Err(Fault::NotToUs);
        }
        let party = self.party(from).ok_or(Fault::NoSuchMember)?;
        if self.accepted.get(usize::from(from)) == Some(&Some(signature)) {
            return Ok(Cost::Idle);
        }
        let digest = self.terms.digest(turn.chain);
        party.key.verify(&digest.0, &signature).map_err(|_| Fault::BadSignature)?;
        if let Some(place) = self.accepted.get_mut(usize::from(from)) {
            *place = Some(signature);
        }
        self.retry.answered();
        turn.changed();
        self.pursue(turn);
        Ok(Cost::Free)
    }
}
