//! Who is to join and who wants to leave: what the leader makes the next version of, and what needs nobody's word.
//!
//! ```text
//! member leaves --Leave--> leader --the round ends--> amend --Summon--> who stays as it is, and who leaves: Consent
//! leader admits ----------------------^                      '--Summon--> all others: the application is asked
//! ```
//!
//! A member that keeps exactly what it has, beside no one new, and does not come to lead loses nothing by the departure
//! of another: its machine signs that unasked, or everybody who leaves would need a word of everybody who stays. What binds for
//! longer than this member would ask others to be bound is asked about, too.
//!
//! Wishes are not stored: what was not signed when a process dies is wished again by whoever wants it.
//!
//! Source: PROTOCOL A6.14.

use super::{AmendError, Fault, Seat, Turn, allowance::Cost, wire::Want};
use crate::{
    amount::Amount,
    crypto::{Signature, Tagged},
    payment::field::{Amendment, Member, TermsError},
    table::Table,
};
use alloc::vec::Vec;

/// What is wished for the next version. Only a leader's has more than its own departure.
#[derive(Clone, Debug, Default)]
pub(super) struct Turnover {
    joining: Vec<Member>,
    /// Places.
    leaving: Vec<u8>,
}

impl Turnover {
    const fn is_empty(&self) -> bool {
        self.joining.is_empty() && self.leaving.is_empty()
    }
}

impl Seat {
    /// Returns whether this member waits for the leader to let it go.
    pub(super) fn wants_out(&self) -> bool {
        let wishes = self.turnover.leaving.contains(&self.me);
        wishes && self.amending.is_none() && !self.leads() && self.is_open()
    }

    /// Wants to leave with what this member has; the others go on.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>) -> Result<(), AmendError> {
        self.wish_for(None, turn)?;
        if self.wants_out() {
            self.wish(Want::Leave, turn);
        }
        Ok(())
    }

    /// Wants somebody in; only the leader can.
    pub(super) fn admit(&mut self, member: Member, turn: &mut Turn<'_>) -> Result<(), AmendError> {
        if !self.leads() {
            return Err(AmendError::NotLeader);
        }
        self.wish_for(Some(member), turn)
    }

    fn wish_for(&mut self, member: Option<Member>, turn: &mut Turn<'_>) -> Result<(), AmendError> {
        if let Some(freeze) = self.freeze {
            return Err(AmendError::Frozen(freeze));
        }
        if !self.is_current() || self.is_closed() || self.wants_final || self.amending.is_some() {
            return Err(AmendError::NotNow);
        }
        if member.is_some_and(|member| self.place(&member.address()).is_some()) {
            return Err(AmendError::Terms(TermsError::Unsorted));
        }
        let before = self.turnover.clone();
        match member {
            Some(member) => self.turnover.joining.push(member),
            None if self.turnover.leaving.contains(&self.me) => {}
            None => self.turnover.leaving.push(self.me),
        }
        if let Err(error) = self.amendment(self.next_members(), turn.until()) {
            self.turnover = before;
            return Err(error);
        }
        self.amend_if_wished(turn);
        turn.changed();
        Ok(())
    }

    /// A member wants to leave.
    pub(super) fn wants_to_leave(
        &mut self,
        from: u8,
        signature: &Signature,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if !self.leads() {
            return Err(Fault::NotToUs);
        }
        if self.amending.is_some() || self.turnover.leaving.contains(&from) || !self.is_open() {
            return Ok(Cost::Idle);
        }
        let digest = self.wish_body(Want::Leave).digest(turn.chain);
        let party = self.party(from).ok_or(Fault::NoSuchMember)?;
        party.key.verify(&digest.0, signature).map_err(|_| Fault::BadSignature)?;
        // Who asks for what cannot be pays for the check.
        let done = self.turnover.leaving.len();
        self.turnover.leaving.push(from);
        if self.amendment(self.next_members(), turn.until()).is_err() {
            self.turnover.leaving.truncate(done);
            return Ok(Cost::Vain);
        }
        self.amend_if_wished(turn);
        turn.changed();
        Ok(Cost::Free)
    }

    /// The leader proposes what is wished for at the next boundary of a round, which it brings about.
    pub(super) fn amend_if_wished(&mut self, turn: &mut Turn<'_>) {
        let is_free = self.leads() && self.amending.is_none() && !self.wants_final;
        if !is_free || self.turnover.is_empty() {
            return;
        }
        if !self.is_at_boundary() {
            // Refused while it is being closed already.
            let _refused = self.close_round(false, turn);
            return;
        }
        if self.amend(self.next_members(), turn.until(), turn).is_err() {
            self.turnover = Turnover::default();
        }
    }

    /// Returns who stays, with what it has, and who joins.
    fn next_members(&self) -> Vec<Member> {
        let joining = self.turnover.joining.iter();
        let mut members: Table<_, _> = joining.map(|member| (member.address(), *member)).collect();
        for (place, (party, has)) in (0_u8..).zip(self.parties.iter().zip(self.balances())) {
            if !self.turnover.leaving.contains(&place) {
                members.insert(party.address, Member { key: party.key, deposit: *has });
            }
        }
        members.into_values().collect()
    }

    fn balances(&self) -> &[Amount] {
        &self.sealed.state.balances
    }

    /// Returns whether an amendment is what this member wished for, or leaves it as it is: beside others who leave, nothing
    /// changes. Nobody need be asked then.
    pub(super) fn agrees(&self, amendment: &Amendment, turn: &Turn<'_>) -> bool {
        if self.wants_final || amendment.until > turn.until().plus(turn.policy.inclusion_margin) {
            return false;
        }
        let mut before = self.parties.iter().map(|party| &party.key).zip(self.balances());
        let as_before =
            |member: &Member| before.any(|(key, has)| *key == member.key && *has == member.deposit);
        let own = turn.key.public();
        let members = &amendment.members;
        if !members.iter().any(|member| member.key == own) {
            return self.turnover.leaving.contains(&self.me);
        }
        let leader = amendment.leader().and_then(|place| members.get(usize::from(place)));
        let is_departure = members.len() < self.parties.len() && !self.is_halted();
        // Both lists are in the order of addresses.
        is_departure
            && members.iter().all(as_before)
            && leader.is_some_and(|leader| leader.key != own)
    }

    /// An amendment is over: what it was to bring about is not tried again unasked.
    pub(super) fn give_up(&mut self) {
        self.turnover = Turnover::default();
    }

    /// A version has begun: who still wants to leave goes on asking for it.
    pub(super) fn still_wants(&mut self, before: &Self) {
        if before.turnover.leaving.contains(&before.me) {
            self.turnover.leaving.push(self.me);
        }
    }
}
