//! How a field ends: all together, or alone and after a time in which others may know better. Source: PROTOCOL A6.11.

use super::{
    Change, Closing, FieldError, FieldKeys, FieldState, FieldStatus, Scene, address_of,
    members_digest, place,
};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::PublicKey,
    id::{Address, Height},
    payment::field::{RoundState, Seal, SealedState, longest_extension},
};
use alloc::{vec, vec::Vec};

impl FieldState {
    /// Closes at once with a final state that all members signed. Anyone may bring it.
    ///
    /// # Errors
    /// [`FieldError`]: what [`FieldState`] refuses of any state, and one that is not final.
    pub fn close(
        &self,
        keys: &[PublicKey],
        state: &RoundState,
        seal: &Seal,
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        let Change { field, mut pays, .. } = self.resolved(keys, scene)?;
        field.admit(state, scene.height)?;
        if !state.is_final {
            return Err(FieldError::Finality);
        }
        seal.verify(state, self.chain, keys.iter(), self.aggregate.as_ref())?;
        let field = Self { best: state.clone(), ..field };
        let paid = field.paid_out(keys, scene.height)?;
        pays.extend(paid.pays);
        Ok(Change { pays, ..paid })
    }

    /// Begins to close alone, with the sender's bond, at the highest state that it has or that the chain knows.
    ///
    /// # Errors
    /// [`FieldError`]: the sender is no member, or the field is not open, or what is refused of any state.
    pub fn solo_close(
        &self,
        keys: &[PublicKey],
        sealed: Option<&SealedState>,
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        let closer = place(keys, &scene.by).ok_or(FieldError::NotMember)?;
        let Change { mut field, mut pays, .. } = self.resolved(keys, scene)?;
        if field.status != FieldStatus::Open {
            return Err(FieldError::Closing);
        }
        if let Some(sealed) = sealed {
            field.admit(&sealed.state, scene.height)?;
            sealed.verify(self.chain, keys.iter())?;
            field.best = sealed.state.clone();
            let cost = scene.cost(sealed.signatures.len());
            pays.extend(field.answer(keys, scene, cost)?);
        }
        let bond = field.bond;
        field.begin_closing(keys.len(), Some(closer), bond, scene);
        Ok(Change { field, keys: None, takes: vec![(scene.by, bond)], pays })
    }

    /// Does what is due: resolves a challenge that ran out, pays everybody where a close can no longer be disputed.
    ///
    /// # Errors
    /// [`FieldError::NotDue`], [`FieldError::Closed`].
    pub fn enforce(&self, keys: &[PublicKey], scene: &Scene<'_>) -> Result<Change, FieldError> {
        let change = self.resolved(keys, scene)?;
        let height = scene.height;
        if let FieldStatus::Closing(closing) = change.field.status
            && height > closing.deadline
        {
            let mut pays = change.pays;
            let paid = change.field.paid_out(keys, height)?;
            pays.extend(paid.pays);
            return Ok(Change { pays, ..paid });
        }
        if change.field == *self {
            return Err(FieldError::NotDue { height });
        }
        Ok(change)
    }

    /// Lets the best state be enforced after the time for disputes.
    pub(super) fn begin_closing(
        &mut self,
        members: usize,
        closer: Option<u8>,
        bond: Amount,
        scene: &Scene<'_>,
    ) {
        let deadline = scene.height.plus(self.dispute);
        let limit = deadline.plus(longest_extension(scene.inclusion_margin, members));
        self.status = FieldStatus::Closing(Closing { deadline, limit, closer, bond, poster: None });
    }

    /// Pays every member what the best state says, and all bonds to whom they belong by now.
    fn paid_out(&self, keys: &[PublicKey], at: Height) -> Result<Change, FieldError> {
        let members = keys.iter().zip(self.best.balances.iter());
        let mut pays: Vec<(Address, Amount)> =
            members.map(|(key, balance)| (Address::of(key), *balance)).collect();
        pays.extend(self.bonds(keys)?);
        // Nothing follows on a state that was enforced: what it followed on gives way to who they were.
        let keys = FieldKeys::try_from(keys.to_vec()).map_err(|_| FieldError::OutOfRange)?;
        let prev = members_digest(&keys);
        let best = RoundState { balances: Bounded::new(), prev, ..self.best.clone() };
        let status = FieldStatus::Closed { at };
        let (challenge, leader_bond) = (None, Amount::ZERO);
        let field = Self { best, status, challenge, leader_bond, ..self.clone() };
        Ok(Change { field, keys: Some(Bounded::new()), takes: Vec::new(), pays })
    }

    /// Returns who gets which part of the bonds where the present dispute ends: a poster its fee, out of the bond of who
    /// closed with less or, where nobody did, of the leader that was silent; the rest goes back.
    pub(super) fn bonds(&self, keys: &[PublicKey]) -> Result<Vec<(Address, Amount)>, FieldError> {
        let mut pays = Vec::new();
        let mut leader_bond = self.leader_bond;
        if let FieldStatus::Closing(Closing { closer, bond, poster, .. }) = self.status {
            let source = if closer.is_some() { bond } else { leader_bond };
            let fee = poster.map_or(Amount::ZERO, |poster| poster.fee.min(source));
            let rest = source.saturating_sub(fee);
            pays.extend(poster.map(|poster| (poster.address, fee)));
            match closer {
                Some(closer) => pays.push((address_of(keys, closer)?, rest)),
                None => leader_bond = rest,
            }
        }
        pays.push((address_of(keys, self.leader)?, leader_bond));
        if let Some(challenge) = self.challenge {
            pays.push((address_of(keys, challenge.by)?, challenge.bond));
        }
        Ok(pays)
    }
}
