//! The next version of a field: members join, leave, pay in or take out, another leads.
//!
//! ```text
//! leader   amend --Store--> Summon --every consent--> Submit(Amend) --Proven--> Store(version) --> goes on
//! member   Summon --accept--> Store --> Consent ...                --Proven--> Store(version) --> goes on
//! who joins Summon --accept--> Store(version) --> Consent ...      --Proven--> goes on
//! ```
//!
//! An amendment holds the last state of its version, the newest that is sealed. Who has signed it signs no other state and
//! no payment of that version until it is decided: the chain is proven at the next version, or above the last block that
//! may apply it (A6.14).

use super::{
    AmendError, Fault, Freeze, JoinError, Seat, Turn,
    allowance::Cost,
    own::Own,
    record::{AmendmentRecord, Base, Row, SeatRecord, Slot},
    seat::Party,
    wire::{Letter, Summons},
};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{PublicKey, Signature, Tagged},
    id::{Address, ChainId, Height},
    payment::field::{Amendment, FieldAct, FieldTerms, Member},
};
use alloc::{boxed::Box, vec, vec::Vec};

/// What makes the next version of a field.
#[derive(Debug)]
pub(super) struct Amending {
    pub(super) amendment: Amendment,
    /// Who must sign, in order.
    signers: Vec<PublicKey>,
    pub(super) signatures: Vec<Option<Signature>>,
    pub(super) consent: Consent,
}

/// How far our own consent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Consent {
    /// The application has not been asked, or has not answered.
    Asked,
    /// It is being written.
    Writing,
    /// It may be spoken.
    Spoken,
    /// The chain has applied the amendment; the new version is being written.
    Applied,
}

impl Amending {
    /// Makes what is asked of members and of those who are to join.
    pub(super) fn new(amendment: Amendment, before: &[Party]) -> Self {
        let keys: Vec<PublicKey> = before.iter().map(|party| party.key).collect();
        let signers = amendment.signers(&keys);
        let signatures = vec![None; signers.len()];
        Self { amendment, signers, signatures, consent: Consent::Asked }
    }

    /// Makes what was signed before a restart.
    pub(super) fn restored(amendment: Amendment, before: &[Party], turn: &Turn<'_>) -> Self {
        let mut amending = Self::new(amendment, before);
        amending.consent = Consent::Spoken;
        amending.sign(turn);
        amending
    }

    fn sign(&mut self, turn: &Turn<'_>) {
        let place = self.place(&Address::of(&turn.key.public()));
        let signature = turn.sign(self.amendment.digest(turn.chain));
        if let Some(own) = place.and_then(|at| self.signatures.get_mut(at)) {
            *own = Some(signature);
        }
    }

    fn place(&self, address: &Address) -> Option<usize> {
        self.signers.iter().position(|key| Address::of(key) == *address)
    }
}

impl Seat {
    /// Returns whether this member has signed an amendment that is not decided.
    pub(super) fn is_amending(&self) -> bool {
        self.amending.as_ref().is_some_and(|amending| amending.consent > Consent::Asked)
    }

    /// Returns where the present version begins, as long as nothing was sealed in it.
    pub(super) fn base(&self) -> Base {
        let (terms, state, rounds) =
            (self.terms.clone(), self.sealed.state.clone(), self.rounds.clone());
        Base { terms, state, rounds }
    }

    /// The leader proposes the next version.
    pub(super) fn amend(
        &mut self,
        members: Vec<Member>,
        until: Height,
        turn: &mut Turn<'_>,
    ) -> Result<(), AmendError> {
        if let Some(freeze) = self.freeze {
            return Err(AmendError::Frozen(freeze));
        }
        if !self.leads() {
            return Err(AmendError::NotLeader);
        }
        if !self.is_at_boundary() || self.amending.is_some() {
            return Err(AmendError::NotNow);
        }
        let amendment = self.amendment(members, until)?;
        self.amending = Some(Amending::new(amendment, &self.parties));
        self.consent(turn);
        Ok(())
    }

    /// Makes what would begin a version with these members after the newest sealed state.
    pub(super) fn amendment(
        &self,
        members: Vec<Member>,
        until: Height,
    ) -> Result<Amendment, AmendError> {
        let members = Bounded::try_from(members).map_err(|_| AmendError::TooManyMembers)?;
        let (last, aggregate) = (self.sealed.state.clone(), None);
        let amendment = Amendment { last, members, until, aggregate };
        amendment.check(self.terms.bond).map_err(AmendError::Terms)?;
        Ok(amendment)
    }

    /// Returns whether the newest sealed state is the last one of this version: none of the running round is signed here,
    /// or nothing of it counts any more.
    pub(super) fn is_at_boundary(&self) -> bool {
        let is_between = self.voting.is_none() && self.gather.is_none();
        let is_empty = self.receipts.is_empty() && self.round.items().is_empty();
        let is_alive = self.is_current() && !self.is_closed() && !self.sealed.state.is_final;
        is_alive && (self.is_halted() || (is_between && is_empty))
    }

    /// Returns whether the chain has annulled the running round, so that nothing more is sealed in this version.
    pub(super) fn is_halted(&self) -> bool {
        let running = self.running().round;
        self.is_current() && self.affairs.annulled().is_some_and(|from| running >= from)
    }

    /// Returns whether the chain has applied the amendment that was signed here.
    pub(super) fn is_applied(&self) -> bool {
        self.amending.as_ref().is_some_and(|amending| amending.consent == Consent::Applied)
    }

    /// Signs the amendment that the leader asked for.
    pub(super) fn accept_amendment(&mut self, turn: &mut Turn<'_>) -> Result<(), JoinError> {
        let last = self.amending.as_ref().filter(|amending| amending.consent == Consent::Asked);
        let last = last.map(|amending| &amending.amendment.last).ok_or(JoinError::Exists)?;
        if !self.is_at_boundary() || *last != self.sealed.state || self.freeze.is_some() {
            return Err(JoinError::NotNow);
        }
        self.consent(turn);
        Ok(())
    }

    /// Stores the amendment; from now on nothing else of this version is signed.
    fn consent(&mut self, turn: &mut Turn<'_>) {
        let Some(amending) = self.amending.as_mut() else { return };
        amending.consent = Consent::Writing;
        let (device, amendment) = (turn.device, amending.amendment.clone());
        turn.store(self.id, Row::Amendment, &AmendmentRecord { device, amendment });
        self.due = None;
        turn.changed();
    }

    /// The amendment is durable: it is signed.
    pub(super) fn amendment_stored(&mut self, turn: &mut Turn<'_>) {
        let Some(amending) = self.amending.as_mut() else { return };
        if amending.consent != Consent::Writing {
            return;
        }
        amending.consent = Consent::Spoken;
        amending.sign(turn);
        self.amend_again(turn);
        self.pursue(turn);
    }

    /// Says again what the amendment waits for: the leader to all, a member to the leader.
    pub(super) fn amend_again(&self, turn: &mut Turn<'_>) {
        let Some(amending) = self.amending.as_ref() else { return };
        let own = amending.place(&Address::of(&turn.key.public()));
        let own = own.and_then(|at| amending.signatures.get(at).copied().flatten());
        let Some(signature) = own.filter(|_| amending.consent == Consent::Spoken) else { return };
        if !self.leads() {
            self.tell(turn, self.leader, Letter::Consent(signature));
            return;
        }
        let unsigned = amending.signers.iter().zip(&amending.signatures);
        for (key, _) in unsigned.filter(|(_, signature)| signature.is_none()) {
            let (amendment, terms) = (amending.amendment.clone(), self.terms.clone());
            let summons = Summons { amendment, terms, rounds: self.rounds.clone(), signature };
            turn.send(Address::of(key), self.id, Letter::Summon(Box::new(summons)));
        }
    }

    /// The leader asks for a signature of the next version.
    pub(super) fn summoned(
        &mut self,
        from: u8,
        summons: Summons,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        if from != self.leader || self.leads() {
            return Err(Fault::NotLeader);
        }
        let Summons { amendment, signature, .. } = summons;
        if let Some(amending) = &self.amending
            && (amending.amendment == amendment || self.is_amending())
        {
            self.amend_again(turn);
            return Ok(Cost::Idle);
        }
        if amendment.last != self.sealed.state || !self.is_at_boundary() || self.freeze.is_some() {
            return Ok(Cost::Idle);
        }
        amendment.check(self.terms.bond).map_err(Fault::Terms)?;
        let leader = self.party(from).ok_or(Fault::NoSuchMember)?;
        let digest = amendment.digest(turn.chain);
        leader.key.verify(&digest.0, &signature).map_err(|_| Fault::BadSignature)?;
        let agrees = self.agrees(&amendment, turn);
        self.amending = Some(Amending::new(amendment, &self.parties));
        if agrees {
            self.consent(turn);
        }
        turn.changed();
        Ok(Cost::Free)
    }

    /// Somebody signed the amendment: a member, or who wants to become one.
    pub(super) fn consented(
        &mut self,
        from: &Address,
        signature: Signature,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        let leads = self.leads();
        let Some(amending) = self.amending.as_mut().filter(|_| leads) else {
            return Ok(Cost::Idle);
        };
        let place = amending.place(from).ok_or(Fault::NotMember)?;
        if amending.signatures.get(place) == Some(&Some(signature)) {
            return Ok(Cost::Idle);
        }
        let digest = amending.amendment.digest(turn.chain);
        let key = amending.signers.get(place).ok_or(Fault::NoSuchMember)?;
        key.verify(&digest.0, &signature).map_err(|_| Fault::BadSignature)?;
        if let Some(known) = amending.signatures.get_mut(place) {
            *known = Some(signature);
        }
        self.retry.answered();
        turn.changed();
        self.pursue(turn);
        Ok(Cost::Free)
    }

    /// Returns whether this address is asked to sign the amendment without being a member yet.
    pub(super) fn summons(&self, address: &Address) -> bool {
        self.amending.as_ref().is_some_and(|amending| amending.place(address).is_some())
    }

    /// Returns the act that begins the next version, once all have signed it and while a block may apply it.
    pub(super) fn amend_act(&self, tip: Height) -> Option<FieldAct> {
        let amending = self.amending.as_ref().filter(|amending| tip < amending.amendment.until)?;
        let signatures: Option<Vec<Signature>> = amending.signatures.iter().copied().collect();
        let signatures = Bounded::try_from(signatures?).ok()?;
        Some(FieldAct::Amend { amendment: amending.amendment.clone(), signatures })
    }

    /// Looks whether the amendment is decided.
    pub(super) fn decide(&mut self, turn: &mut Turn<'_>) {
        let has_left = self.has_left();
        let Some(amending) = self.amending.as_mut() else {
            if has_left {
                // All have signed a next version, we too, and these rows do not know of it.
                self.freeze.get_or_insert(Freeze::RolledBack);
            }
            return;
        };
        let Some((version, height)) = self.affairs.version() else { return };
        let Amendment { last, until, .. } = &amending.amendment;
        let is_overtaken = amending.consent == Consent::Asked && *last != self.sealed.state;
        if version > last.version {
            if amending.consent < Consent::Applied {
                amending.consent = Consent::Applied;
                self.store_version(turn);
            }
        } else if height > *until || is_overtaken {
            // No block can apply it any more, or it was overtaken before it was signed here.
            let was_stored = amending.consent > Consent::Asked;
            self.amending = None;
            self.give_up();
            if was_stored {
                turn.remove(self.id, Row::Amendment);
            }
            turn.changed();
        }
    }

    /// The chain has begun the next version: stores where it begins. Who has left stores nothing, and stays as it is.
    fn store_version(&mut self, turn: &mut Turn<'_>) {
        if let Some(base) = self.next_base(turn).filter(|base| base.names(&turn.key.public())) {
            turn.store(self.id, Row::Seat, &SeatRecord { device: turn.device, base });
        }
        turn.changed();
    }

    fn next_base(&self, turn: &Turn<'_>) -> Option<Base> {
        self.base().amended(turn.chain, &self.amending.as_ref()?.amendment)
    }

    /// Returns the terms of the version that this member is asked to sign.
    pub(super) fn next_terms(&self, chain: ChainId) -> Option<FieldTerms> {
        let asked = self.amending.as_ref().filter(|_| !self.is_amending())?;
        Some(self.base().amended(chain, &asked.amendment)?.terms)
    }

    /// Returns whether the chain goes on without this member.
    pub(super) fn has_left(&self) -> bool {
        let version = self.affairs.version().map(|(version, _)| version);
        version.is_some_and(|version| version > self.sealed.state.version)
    }

    /// Where a version begins is durable: its members go on, and who joins says that it has signed.
    pub(super) fn version_stored(&mut self, turn: &mut Turn<'_>) {
        if self.is_applied() {
            if let Some(next) = self.next_base(turn).and_then(|base| Self::of(turn, base)) {
                self.begin_version(next, turn);
            }
        } else if let Some(leader) = self.summoner.take() {
            self.join_again(leader, turn);
        }
        self.tip_moved(turn);
    }

    /// Goes on with other members. Rows of the version before say nothing any more, but for its rounds.
    fn begin_version(&mut self, next: Self, turn: &mut Turn<'_>) {
        let before = core::mem::replace(self, next);
        self.still_wants(&before);
        // What was signed for an annulled round was shown as void, and is not made again unasked.
        let is_void = |own: &Own| before.was_annulled && own.signature.is_some();
        for own in before.own.into_iter().filter(|own| !is_void(own)) {
            let address = before.parties.get(usize::from(own.payee)).map(|party| party.address);
            let Some(payee) = address.and_then(|address| self.place(&address)) else { continue };
            let spent = Amount::checked_sum(self.own.iter().map(|own| own.amount));
            let spent = spent.and_then(|spent| spent.checked_add(own.amount));
            // What goes on is what its payee can still get, and the new deposit covers.
            if payee != self.me && spent.is_some_and(|spent| spent <= self.balance()) {
                let (signature, is_durable, index) = (None, false, None);
                self.own.push(Own { payee, signature, is_durable, index, ..own });
            }
        }
        (self.history, self.first, self.next_own) = (before.history, before.first, before.next_own);
        // What was annulled is not under this version.
        let rounds = self.start.round.saturating_add(1).saturating_sub(self.first);
        self.history.truncate(usize::try_from(rounds).unwrap_or(usize::MAX));
        (self.affairs, self.journal, self.is_stored) = (before.affairs, before.journal, true);
        self.wants_final = before.wants_final;
        self.affairs.sealed();
        self.journal.retire();
        turn.remove(self.id, Row::Amendment);
        for slot in Slot::ALL {
            turn.remove(self.id, Row::Sealed(slot));
        }
        self.sign_wanted(turn);
        self.close_if_due(turn);
        turn.changed();
    }

    /// Returns whether this key has signed this amendment to join, and waits for the chain.
    pub(super) fn awaits(&self, amendment: &Amendment, turn: &Turn<'_>) -> bool {
        let state = &self.sealed.state;
        let is_ahead = state.version > 0 && !self.is_current() && !self.has_left();
        is_ahead && self.is_stored && state.prev == amendment.digest(turn.chain)
    }

    /// Tells the leader of the version before that this key has signed the amendment by which it joins: its digest is
    /// what the first state of the new version names.
    pub(super) fn join_again(&self, leader: Address, turn: &mut Turn<'_>) {
        let signature = turn.sign(self.sealed.state.prev);
        turn.send(leader, self.id, Letter::Consent(signature));
    }
}

impl Base {
    fn names(&self, key: &PublicKey) -> bool {
        self.terms.members.iter().any(|member| member.key == *key)
    }
}
