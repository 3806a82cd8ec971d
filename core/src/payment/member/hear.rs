//! Who may say what to this key: members of its fields, and those who invite it. Everybody costs a bounded number of checks.

use super::{
    Fault, MAX_INVITATIONS, Membership, Output,
    allowance::{Allowance, Cost},
    record::Base,
    seat::Seat,
    wire::{Envelope, Invitation, Letter, Summons},
};
use crate::{
    crypto::{Hash, Signature, Tagged},
    id::{Address, FieldId, Height},
    payment::field::{FieldTerms, Member},
    time::Moment,
};
use alloc::vec::Vec;

impl Membership {
    /// Somebody said something.
    pub(super) fn heard(
        &mut self,
        now: Moment,
        from: Address,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let is_known = self.seats.values().any(|seat| seat.place(&from).is_some());
        let strangers = &mut self.strangers;
        let allowance = if is_known {
            self.allowances.entry(from).or_insert_with(|| Allowance::new(now))
        } else {
            strangers
        };
        if !allowance.allows(now) {
            out.push(Output::Fault(from, Fault::TooMuch));
            return;
        }
        let heard = self.try_heard(now, from, bytes, out);
        let cost = heard.unwrap_or(Cost::Vain);
        let allowance = self.allowances.get_mut(&from).filter(|_| is_known);
        allowance.unwrap_or(&mut self.strangers).take(cost);
        if let Err(fault) = heard {
            out.push(Output::Fault(from, fault));
        }
    }

    fn try_heard(
        &mut self,
        now: Moment,
        from: Address,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) -> Result<Cost, Fault> {
        let Envelope { field, letter } = Envelope::from_bytes(bytes).map_err(Fault::Malformed)?;
        let (seats, mut turn) = self.turn(now, out);
        let Some(seat) = seats.get_mut(&field) else {
            return match letter {
                Letter::Invite(invitation) => self.invited(from, *invitation, out),
                Letter::Summon(summons) => self.summoned(from, *summons, out),
                Letter::Accept(_)
                | Letter::Pay(_)
                | Letter::Receipts(_)
                | Letter::Credits(_)
                | Letter::Propose(_)
                | Letter::Ask(_)
                | Letter::Part(_)
                | Letter::Vote(_)
                | Letter::Sealed(_)
                | Letter::Close(_)
                | Letter::Leave(_)
                | Letter::Consent(_) => Err(Fault::NoSuchField),
            };
        };
        // Who is to join is no member yet, and may be asked by one who will be none.
        if let Letter::Consent(signature) = letter
            && seat.summons(&from)
        {
            let cost = seat.consented(&from, signature, &mut turn);
            seat.rearm(&mut turn);
            return cost;
        }
        if let Letter::Summon(summons) = &letter
            && seat.awaits(&summons.amendment, &turn)
        {
            seat.join_again(from, &mut turn);
            return Ok(Cost::Idle);
        }
        let place = seat.place(&from).filter(|place| *place != seat.me).ok_or(Fault::NotMember)?;
        let cost = seat.heard(place, letter, &mut turn);
        seat.rearm(&mut turn);
        cost
    }

    /// The leader of a field that is new here asks this key to join it.
    fn summoned(
        &mut self,
        from: Address,
        summons: Summons,
        out: &mut Vec<Output>,
    ) -> Result<Cost, Fault> {
        let Summons { amendment, terms, rounds, signature } = summons;
        let (id, version) = (amendment.last.field, amendment.version());
        let digest = amendment.digest(self.chain);
        if self.invitations.get(&id).is_some_and(|known| known.sealed.state.prev == digest) {
            return Ok(Cost::Idle);
        }
        self.check_room(&id, amendment.until)?;
        self.check_inviter(from, &terms, digest, &signature)?;
        self.check_named(&amendment.members)?;
        terms.check(&self.rules, self.fee).map_err(Fault::Terms)?;
        amendment.check(terms.bond).map_err(Fault::Terms)?;
        if version.is_none() || !rounds.is_under(&amendment.last) {
            return Err(Fault::WrongState);
        }
        let before = Base { terms, state: amendment.last.clone(), rounds };
        let base = before.amended(self.chain, &amendment).ok_or(Fault::WrongState)?;
        let seat = Seat::of(&self.turn(Moment::ZERO, out).1, base).ok_or(Fault::NotInvited)?;
        Ok(self.hold(id, Seat { summoner: Some(from), ..seat }, out))
    }

    /// Somebody invites to a field that is new here.
    fn invited(
        &mut self,
        from: Address,
        invitation: Invitation,
        out: &mut Vec<Output>,
    ) -> Result<Cost, Fault> {
        let Invitation { terms, signature } = invitation;
        let id = terms.id(self.chain).ok_or(Fault::NotLeader)?;
        if self.invitations.get(&id).is_some_and(|known| known.terms == terms) {
            return Ok(Cost::Idle);
        }
        self.check_room(&id, terms.until)?;
        self.check_inviter(from, &terms, terms.digest(self.chain), &signature)?;
        self.check_named(&terms.members)?;
        terms.check(&self.rules, self.fee).map_err(Fault::Terms)?;
        let seat = Seat::new(&self.turn(Moment::ZERO, out).1, terms).ok_or(Fault::NotInvited)?;
        if seat.leads() {
            return Err(Fault::NotLeader);
        }
        Ok(self.hold(id, seat, out))
    }

    /// Checks that there is room for an invitation, and time to answer it.
    fn check_room(&self, id: &FieldId, until: Height) -> Result<(), Fault> {
        if until <= self.tip {
            return Err(Fault::Expired);
        }
        let is_known = self.invitations.contains_key(id);
        if !is_known && self.invitations.len() >= MAX_INVITATIONS {
            return Err(Fault::TooManyInvitations);
        }
        Ok(())
    }

    /// Checks that who invites leads the field, and has signed what it invites to: one check, before whatever costs more.
    fn check_inviter(
        &self,
        from: Address,
        terms: &FieldTerms,
        digest: Hash,
        signature: &Signature,
    ) -> Result<(), Fault> {
        let leader = terms.leader().and_then(|place| terms.members.get(usize::from(place)));
        let leader = leader.filter(|leader| leader.address() == from).ok_or(Fault::NotLeader)?;
        leader.key.verify(&digest.0, signature).map_err(|_| Fault::BadSignature)
    }

    /// Checks that these members are to include this key.
    fn check_named(&self, members: &[Member]) -> Result<(), Fault> {
        let key = self.key.public();
        if members.iter().any(|member| member.key == key) { Ok(()) } else { Err(Fault::NotInvited) }
    }

    /// Keeps an invitation until it is answered. Costs a point a member.
    fn hold(&mut self, id: FieldId, seat: Seat, out: &mut Vec<Output>) -> Cost {
        let cost = Cost::Members(u8::try_from(seat.parties.len()).unwrap_or(u8::MAX));
        self.invitations.insert(id, seat);
        out.push(Output::Changed);
        cost
    }

    /// Forgets invitations that no block can carry out any more.
    pub(super) fn drop_expired(&mut self, out: &mut Vec<Output>) {
        let tip = self.tip;
        let is_over = |(_, seat): &(&FieldId, &Seat)| seat.terms.until <= tip;
        while let Some(id) = self.invitations.iter().find(is_over).map(|(id, _)| *id) {
            self.invitations.remove(&id);
            out.push(Output::Changed);
        }
    }
}
