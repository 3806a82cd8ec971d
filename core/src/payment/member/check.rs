//! A member fetches the payments of a round that the leader has closed, and recomputes everything before it signs.
//!
//! ```text
//! Propose --> Ask, Part, Ask, Part ... --> order, signatures, sequences, balances, root, own receipts --> vote
//! ```
//!
//! Source: PROTOCOL A6.10.

use super::{
    Fault, Seat, Turn,
    agree::ANSWER,
    allowance::Cost,
    record::ReceiptRecord,
    round::Round,
    seat::Gather,
    wire::{Ask, Letter, Part, Proposal, RoundId},
};
use crate::{
    crypto::{Signature, Signed, Tagged},
    payment::field::{FieldEvidence, RoundState},
};
use alloc::boxed::Box;

impl Seat {
    /// The leader proposes the state of a round.
    pub(super) fn proposed(
        &mut self,
        from: u8,
        proposal: Proposal,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        let Proposal { state, signature } = proposal;
        if from != self.leader || self.leads() {
            return Err(Fault::NotLeader);
        }
        let (id, running) = (RoundId::of(&state), self.running());
        if id < running {
            // The leader has not heard that it is sealed.
            return Ok(self.tell_sealed(from, turn));
        }
        if self.freeze.is_some() || !self.is_open() || self.is_amending() {
            return Ok(Cost::Idle);
        }
        if id > running {
            // The round before is sealed, and we have not heard of it.
            self.tell_vote(Some(from), turn);
            return Ok(Cost::Idle);
        }
        if let Some((known, word)) = self.known_proposal() {
            if known == state {
                self.tell_vote(Some(from), turn);
                return Ok(Cost::Idle);
            }
            self.check_state(from, &state, &signature, turn)?;
            self.keep_states((known, word), (state, signature));
            return Err(Fault::TwoStates);
        }
        self.check_state(from, &state, &signature, turn)?;
        self.check_proposal(&state, turn)?;
        let (round, asked, is_refused) = (Round::after(&self.sealed.state), 0, false);
        self.gather = Some(Gather { state, signature, round, asked, is_refused });
        self.retry.answered();
        self.gather_more(turn)?;
        Ok(Cost::Free)
    }

    /// Returns the state of the running round that is known here, and the leader's signature of it, if that is.
    fn known_proposal(&self) -> Option<(RoundState, Option<Signature>)> {
        let leader = usize::from(self.leader);
        let voted = self
            .voting
            .as_ref()
            .map(|voting| (voting.state.clone(), voting.votes.get(leader).copied().flatten()));
        let gathered = self.gather.as_ref();
        voted.or_else(|| gathered.map(|gather| (gather.state.clone(), Some(gather.signature))))
    }

    /// Keeps two states of one round that the leader signed, for anybody to see.
    fn keep_states(
        &mut self,
        (one, word): (RoundState, Option<Signature>),
        (body, signature): (RoundState, Signature),
    ) {
        let key = self.party(self.leader).map(|party| party.key);
        if let Some((key, word)) = key.zip(word) {
            let pair =
                Box::new([Signed { body: one, signature: word }, Signed { body, signature }]);
            self.evidence = Some(FieldEvidence::States { key, pair });
        }
    }

    /// Checks what can be seen before the payments are here.
    pub(super) fn check_proposal(&self, state: &RoundState, turn: &Turn<'_>) -> Result<(), Fault> {
        let before = &self.sealed.state;
        let payments = state.payments.checked_sub(before.payments);
        let is_plausible = state.field == self.id
            && state.prev == before.digest(turn.chain)
            && state.balances.len() == before.balances.len()
            // A10.8: what the chain has locked is what the members have, after each round.
            && state.sum().is_some_and(|sum| Some(sum) == before.sum())
            && payments.is_some_and(|count| usize::try_from(count).is_ok_and(|n| n <= super::MAX_ROUND));
        if is_plausible && !before.is_final { Ok(()) } else { Err(Fault::WrongState) }
    }

    /// Asks for the payments that are missing, or checks and signs when all are here.
    fn gather_more(&mut self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let before = self.sealed.state.payments;
        let Some(gather) = self.gather.as_mut().filter(|gather| !gather.is_refused) else {
            return Ok(());
        };
        let wanted = gather.state.payments.saturating_sub(before);
        let have = gather.round.len();
        if u64::from(have) >= wanted {
            return self.check_gathered(turn);
        }
        if have >= gather.asked {
            gather.asked = have.saturating_add(ANSWER);
            let ask = Ask { round: RoundId::of(&gather.state), from: have };
            self.tell(turn, self.leader, Letter::Ask(ask));
        }
        Ok(())
    }

    /// Payments of the proposed round come, in order. One that is wrong makes all of them worthless.
    pub(super) fn part(
        &mut self,
        from: u8,
        part: &Part,
        turn: &mut Turn<'_>,
    ) -> Result<Cost, Fault> {
        let fits = self.gather.as_ref().is_some_and(|gather| {
            RoundId::of(&gather.state) == part.round
                && gather.round.len() == part.from
                && !gather.is_refused
        });
        if !fits || from != self.leader {
            return Ok(Cost::Idle);
        }
        let taken = self.take_part(part, turn).and_then(|()| self.gather_more(turn));
        if taken.is_err() {
            if let Some(gather) = self.gather.as_mut() {
                (gather.round, gather.asked) = (Round::after(&self.sealed.state), 0);
            }
        } else {
            self.retry.answered();
        }
        taken.map(|()| Cost::Free)
    }

    fn take_part(&mut self, part: &Part, turn: &Turn<'_>) -> Result<(), Fault> {
        let Some(mut gather) = self.gather.take() else { return Ok(()) };
        let wanted = gather.state.payments.saturating_sub(self.sealed.state.payments);
        let mut taken = Ok(());
        for item in part.items.iter() {
            let payment = gather.round.expand(item);
            let index = gather.round.len();
            taken = gather.round.check(item);
            if u64::from(index) >= wanted {
                taken = Err(Fault::WrongState);
            }
            // Most of what a member pays and is paid it has verified before.
            let is_known = self.receipts.get(&index).is_some_and(|known| {
                known.item == *item && known.sequence == payment.body.sequence
            });
            if taken.is_ok() && !is_known {
                taken = self.check_payment(&payment, turn);
            }
            if taken.is_err() {
                break;
            }
            taken = gather.round.push(*item, payment.leaf()).map(|_| ());
        }
        self.gather = Some(gather);
        taken
    }

    /// All payments are here: signs the state if it is what they lead to and no receipt was broken (A6.10).
    fn check_gathered(&mut self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        let Some(mut gather) = self.gather.take() else { return Ok(()) };
        let computed = gather.round.state(turn.chain, &self.rounds, gather.state.is_final);
        let checked = if computed.as_ref() == Some(&gather.state) {
            self.check_kept(&gather.round)
        } else {
            Err(Fault::WrongState)
        };
        if checked.is_err() {
            // A broken receipt stays broken; payments that came wrong may come right.
            gather.is_refused = checked == Err(Fault::MissingReceipt);
            self.gather = Some(gather);
            return checked;
        }
        let Gather { state, signature, round, .. } = gather;
        self.vote_for(state, round, turn);
        let leader = usize::from(self.leader);
        if let Some(vote) = self.voting.as_mut().and_then(|voting| voting.votes.get_mut(leader)) {
            *vote = Some(signature);
        }
        Ok(())
    }

    /// Checks that every payment with a receipt stands where the receipt says, those that are still being written, too.
    fn check_kept(&self, round: &Round) -> Result<(), Fault> {
        let is_kept = |receipt: &ReceiptRecord| {
            let at = usize::try_from(receipt.index).unwrap_or(usize::MAX);
            round.items().get(at) == Some(&receipt.item)
        };
        let is_whole = self.receipts.values().chain(self.unwritten()).all(is_kept);
        if is_whole { Ok(()) } else { Err(Fault::MissingReceipt) }
    }

    /// Asks again for payments that did not come.
    pub(super) fn ask_again(&mut self, turn: &mut Turn<'_>) {
        if let Some(gather) = self.gather.as_mut() {
            gather.asked = 0;
        }
        // What was wrong before is fetched once more; the leader was told of it then.
        let _wrong = self.gather_more(turn);
    }
}
