//! What the application asks of its fields.

use super::{
    AmendError, CloseError, JoinError, MAX_FIELDS, Membership, Output, PayError, Turn, seat::Seat,
};
use crate::{
    amount::Amount,
    id::{Address, FieldId, Height},
    payment::field::{FieldTerms, Member},
    table::Table,
    time::Moment,
};
use alloc::vec::Vec;

impl Membership {
    /// Invites the members of these terms to a field that this key leads.
    ///
    /// # Errors
    /// [`JoinError`]; nothing is signed then.
    pub fn propose(
        &mut self,
        now: Moment,
        terms: FieldTerms,
        out: &mut Vec<Output>,
    ) -> Result<FieldId, JoinError> {
        terms.check(&self.rules, self.fee).map_err(JoinError::Terms)?;
        let id = terms.id(self.chain).ok_or(JoinError::NotLeader)?;
        let (seats, mut turn) = self.turn(now, out);
        has_room(seats, &id)?;
        let seat = Seat::new(&turn, terms).filter(Seat::leads);
        let mut seat = seat.ok_or(JoinError::NotLeader)?;
        seat.take(&mut turn);
        seats.insert(id, seat);
        Ok(id)
    }

    /// Signs the terms of an invitation, or an amendment that the leader proposed: the member's deposit may be locked from
    /// now on, and of an amended version nothing else is signed until it is decided.
    ///
    /// # Errors
    /// [`JoinError`]; nothing is signed then.
    pub fn accept(
        &mut self,
        now: Moment,
        field: FieldId,
        out: &mut Vec<Output>,
    ) -> Result<(), JoinError> {
        let (seats, mut turn) = self.turn(now, out);
        if let Some(seat) = seats.get_mut(&field) {
            seat.accept_amendment(&mut turn)?;
            seat.rearm(&mut turn);
            return Ok(());
        }
        has_room(&self.seats, &field)?;
        let mut seat = self.invitations.remove(&field).ok_or(JoinError::NotInvited)?;
        seat.take(&mut self.turn(now, out).1);
        self.seats.insert(field, seat);
        Ok(())
    }

    /// Forgets an invitation.
    pub fn decline(&mut self, field: FieldId, out: &mut Vec<Output>) {
        if self.invitations.remove(&field).is_some() {
            out.push(Output::Changed);
        }
    }

    /// Pays a member of a field. Returns the payment's name in the view. It is money once it is committed (A6.9); what
    /// is not signed yet when the process dies is forgotten.
    ///
    /// # Errors
    /// [`PayError`]; nothing is paid then.
    pub fn pay(
        &mut self,
        now: Moment,
        field: FieldId,
        (payee, amount): (Address, Amount),
        out: &mut Vec<Output>,
    ) -> Result<u64, PayError> {
        let (seats, mut turn) = self.turn(now, out);
        let seat = seats.get_mut(&field).ok_or(PayError::NoField)?;
        let payee = seat.place(&payee).ok_or(PayError::NoPayee)?;
        seat.pay(payee, amount, &mut turn)
    }

    /// Closes the running round of a field that this key leads, before its policy would.
    ///
    /// # Errors
    /// [`CloseError`]; nothing changes then.
    pub fn close_round(
        &mut self,
        now: Moment,
        field: FieldId,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseError> {
        let (seats, mut turn) = self.turn(now, out);
        let seat = seats.get_mut(&field).ok_or(CloseError::NoField)?;
        seat.close_round(false, &mut turn)
    }

    /// Proposes the next version of a field that this key leads: its members, with what each has from then on, and the last
    /// block that may begin it. The running round must be empty.
    ///
    /// # Errors
    /// [`AmendError`]; nothing is signed then.
    pub fn amend(
        &mut self,
        now: Moment,
        field: FieldId,
        (members, until): (Vec<Member>, Height),
        out: &mut Vec<Output>,
    ) -> Result<(), AmendError> {
        self.turn_over(now, field, out, |seat, turn| seat.amend(members, until, turn))
    }

    /// Wants a field to go on without this member, which is paid what it has: as the next version, which the others sign
    /// without a question.
    ///
    /// # Errors
    /// [`AmendError`]; nothing is signed then.
    pub fn leave(
        &mut self,
        now: Moment,
        field: FieldId,
        out: &mut Vec<Output>,
    ) -> Result<(), AmendError> {
        self.turn_over(now, field, out, Seat::leave)
    }

    /// Invites somebody to a field that this key leads and that is open, as a member of its next version. The running round is
    /// closed first; all members are asked.
    ///
    /// # Errors
    /// [`AmendError`]; nothing is signed then.
    pub fn admit(
        &mut self,
        now: Moment,
        field: FieldId,
        member: Member,
        out: &mut Vec<Output>,
    ) -> Result<(), AmendError> {
        self.turn_over(now, field, out, |seat, turn| seat.admit(member, turn))
    }

    fn turn_over(
        &mut self,
        now: Moment,
        field: FieldId,
        out: &mut Vec<Output>,
        act: impl FnOnce(&mut Seat, &mut Turn<'_>) -> Result<(), AmendError>,
    ) -> Result<(), AmendError> {
        let (seats, mut turn) = self.turn(now, out);
        let seat = seats.get_mut(&field).ok_or(AmendError::NoField)?;
        act(seat, &mut turn)?;
        seat.rearm(&mut turn);
        Ok(())
    }

    /// Returns what this key would sign by accepting: the terms of an invitation, or of the next version of a field, and what
    /// it has in that field already.
    pub fn asked(&self, field: FieldId) -> Option<(FieldTerms, Amount)> {
        if let Some(invitation) = self.invitations.get(&field) {
            return Some((invitation.terms.clone(), Amount::ZERO));
        }
        let seat = self.seats.get(&field)?;
        Some((seat.next_terms(self.chain)?, seat.balance()))
    }

    /// Wants a field closed: with a final state if all sign one, alone after the policy's patience.
    ///
    /// # Errors
    /// [`CloseError`]; nothing changes then.
    pub fn close(
        &mut self,
        now: Moment,
        field: FieldId,
        out: &mut Vec<Output>,
    ) -> Result<(), CloseError> {
        let (seats, mut turn) = self.turn(now, out);
        seats.get_mut(&field).ok_or(CloseError::NoField)?.close(&mut turn)
    }

    /// Removes every row of a field that is closed, or was never opened and cannot be any more.
    ///
    /// # Errors
    /// [`CloseError::Nothing`]: its money is still locked.
    pub fn forget(&mut self, field: FieldId, out: &mut Vec<Output>) -> Result<(), CloseError> {
        let (seats, mut turn) = self.turn(Moment::ZERO, out);
        let seat = seats.get(&field).ok_or(CloseError::NoField)?;
        seat.forget(&mut turn)?;
        seats.remove(&field);
        self.writes.forget(&field);
        out.push(Output::Changed);
        Ok(())
    }
}

fn has_room(seats: &Table<FieldId, Seat>, field: &FieldId) -> Result<(), JoinError> {
    if seats.contains_key(field) {
        return Err(JoinError::Exists);
    }
    if seats.len() >= MAX_FIELDS { Err(JoinError::TooManyFields) } else { Ok(()) }
}
