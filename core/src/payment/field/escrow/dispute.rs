//! Who knows better, and who was not told. Source: PROTOCOL A6.11, A6.12.

use super::{
    Challenge, Change, Closing, FieldError, FieldState, FieldStatus, Poster, Scene, address_of,
    place,
};
use crate::{
    amount::Amount,
    crypto::PublicKey,
    id::{Address, Height},
    payment::field::{RoundState, SealedState},
};
use alloc::{vec, vec::Vec};

impl FieldState {
    /// Shows a sealed state. Anyone may; who does needs no member's key (A6.11).
    ///
    /// While the field is closing it must be above the best one. While a challenge is open it may be the one that is asked
    /// for, or a higher one; the leader may show the best that it has, which the chain may know without signatures.
    ///
    /// # Errors
    /// [`FieldError`]: what is refused of any state, one that nobody asked for, one that comes too late.
    pub fn post(
        &self,
        keys: &[PublicKey],
        sealed: &SealedState,
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        let Change { mut field, mut pays, .. } = self.resolved(keys, scene)?;
        let state = &sealed.state;
        field.admit(state, scene.height)?;
        let is_higher = state.rank() > field.best.rank();
        let is_leaders = scene.by == address_of(keys, field.leader)?;
        field.may_post(state, is_leaders, scene.height)?;
        // A state that the chain knows needs no signatures, and who brings some pays for them alone.
        let mut checked = 0;
        if is_higher {
            sealed.verify(self.chain, keys.iter())?;
            checked = sealed.signatures.len();
        }
        let fee = scene.cost(checked);
        // Who asked pays for what answers it, and for the leader's word; a closer, or the leader, for what nobody asked for.
        let is_answer = field.challenge.is_some_and(|it| state.round >= it.round);
        let mut is_paid = is_answer;
        if let Some(challenge) = field.challenge.as_mut().filter(|_| is_leaders && !is_answer) {
            is_paid = challenge.leader.is_none();
            challenge.leader.get_or_insert(fee);
        }
        if is_higher {
            field.best = state.clone();
            let fee = if is_paid { Amount::ZERO } else { fee };
            field.supersede(Poster { address: scene.by, fee }, scene);
        }
        pays.extend(field.answer(keys, scene, fee)?);
        Ok(Change { field, keys: None, takes: Vec::new(), pays })
    }

    /// Returns whether somebody wants this state at this height.
    fn may_post(
        &self,
        state: &RoundState,
        is_leaders: bool,
        height: Height,
    ) -> Result<(), FieldError> {
        let is_higher = state.rank() > self.best.rank();
        let is_asked = self.challenge.is_some_and(|challenge| {
            state.round >= challenge.round || (is_leaders && challenge.leader.is_none())
        });
        match self.status {
            FieldStatus::Closing(closing) if is_higher && height > closing.deadline => {
                Err(FieldError::TooLate { height, deadline: closing.deadline })
            }
            FieldStatus::Closing(_) if is_higher => Ok(()),
            FieldStatus::Open | FieldStatus::Closing(_) if is_asked => Ok(()),
            FieldStatus::Closing(_) => {
                let (round, best) = (state.round, self.best.round);
                Err(FieldError::NotHigher { round, best })
            }
            FieldStatus::Open | FieldStatus::Closed { .. } => Err(FieldError::NotAsked),
        }
    }

    /// Asks for the sealed state of a round, with the sender's bond (A6.12).
    ///
    /// # Errors
    /// [`FieldError`]: the sender is no member, the field is not open, a challenge is, or the round needs no asking for.
    pub fn challenge(
        &self,
        keys: &[PublicKey],
        round: u32,
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        let by = place(keys, &scene.by).ok_or(FieldError::NotMember)?;
        let Change { mut field, pays, .. } = self.resolved(keys, scene)?;
        if field.status != FieldStatus::Open {
            return Err(FieldError::Closing);
        }
        if field.challenge.is_some() {
            return Err(FieldError::Challenged);
        }
        if let Some(from) = field.annulled.filter(|from| round >= *from) {
            return Err(FieldError::Annulled { round, from });
        }
        if round <= field.best.round {
            return Err(FieldError::NotHigher { round, best: field.best.round });
        }
        let (bond, fee) = (field.bond, scene.cost(0));
        let deadline = scene.height.plus(field.response);
        field.challenge = Some(Challenge { by, bond, fee, round, deadline, leader: None });
        Ok(Change { field, keys: None, takes: vec![(scene.by, bond)], pays })
    }

    /// Returns the field as it is at this height: a challenge that ran out has annulled its round (A6.12).
    ///
    /// # Errors
    /// [`FieldError::Closed`].
    pub(super) fn resolved(
        &self,
        keys: &[PublicKey],
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        if self.is_closed() {
            return Err(FieldError::Closed);
        }
        let (mut field, mut pays) = (self.clone(), Vec::new());
        if let Some(challenge) = field.challenge.filter(|it| it.deadline < scene.height) {
            field.challenge = None;
            field.annulled = self.annulled_at(scene.height);
            let challenger = address_of(keys, challenge.by)?;
            let leader = address_of(keys, field.leader)?;
            if let Some(cost) = challenge.leader {
                // The leader showed what it had: nobody is provably at fault, so who asked pays.
                pays.extend(split(challenge.bond, cost, leader, challenger));
            } else {
                let fee = challenge.fee.min(field.leader_bond);
                field.leader_bond = field.leader_bond.saturating_sub(fee);
                let whole = challenge.bond.checked_add(fee).ok_or(FieldError::OutOfRange)?;
                pays.push((challenger, whole));
                if field.status == FieldStatus::Open {
                    field.begin_closing(keys.len(), None, Amount::ZERO, scene);
                }
            }
        }
        Ok(Change { field, keys: None, takes: Vec::new(), pays })
    }

    /// Ends a challenge that the best state answers: whoever showed it gets its fee out of the challenger's bond.
    pub(super) fn answer(
        &mut self,
        keys: &[PublicKey],
        scene: &Scene<'_>,
        cost: Amount,
    ) -> Result<Vec<(Address, Amount)>, FieldError> {
        let round = self.best.round;
        let Some(challenge) = self.challenge.take_if(|it| round >= it.round) else {
            return Ok(Vec::new());
        };
        let challenger = address_of(keys, challenge.by)?;
        Ok(split(challenge.bond, cost, scene.by, challenger).into())
    }

    /// Gives others time to know still better, up to the limit, and the poster a claim on the closer's bond (A6.11).
    ///
    /// Only who showed what is enforced is paid, so nobody empties the bond with states in between.
    fn supersede(&mut self, poster: Poster, scene: &Scene<'_>) {
        if let FieldStatus::Closing(Closing { deadline, limit, poster: last, .. }) =
            &mut self.status
        {
            let moved = scene.height.plus(scene.inclusion_margin).min(*limit);
            *deadline = moved.max(*deadline);
            *last = Some(poster);
        }
    }
}

/// Pays `to` its cost out of a bond, and what is left to its owner.
fn split(bond: Amount, cost: Amount, to: Address, owner: Address) -> [(Address, Amount); 2] {
    let cost = cost.min(bond);
    [(to, cost), (owner, bond.saturating_sub(cost))]
}
