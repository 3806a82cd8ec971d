//! A field goes on with other members, or with more or less money of theirs. Source: PROTOCOL A6.14.

use super::{Change, FieldError, FieldState, FieldStatus, Scene, address_of};
use crate::{
    amount::Amount,
    codec::Bounded,
    crypto::{PublicKey, Signature},
    id::Address,
    payment::field::{Amendment, Member},
};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// Whose balance changes by what.
type Sums = Vec<(Address, Amount)>;

impl FieldState {
    /// Begins the next version. All before and all after have signed it, so it ends every dispute of the version before.
    ///
    /// Who has more pays in, who has less is paid; another leader locks its bond and the last one gets its own back.
    ///
    /// # Errors
    /// [`FieldError`]: what is refused of any state and of terms, or a signature is missing.
    pub fn amend(
        &self,
        keys: &[PublicKey],
        amendment: &Amendment,
        signatures: &[Signature],
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        let Change { field, mut pays, .. } = self.resolved(keys, scene)?;
        let (height, until) = (scene.height, amendment.until);
        if height > until {
            return Err(FieldError::Expired { height, until });
        }
        field.admit(&amendment.last, height)?;
        if amendment.last.is_final {
            return Err(FieldError::Finality);
        }
        amendment.check(self.bond)?;
        amendment.verify(self.chain, keys, signatures)?;
        let best = amendment.first_state(self.chain).ok_or(FieldError::OutOfRange)?;
        let leader = amendment.leader().ok_or(FieldError::OutOfRange)?;
        let new: Vec<PublicKey> = amendment.members.iter().map(|member| member.key).collect();
        let (mut takes, back) = flows(keys, &amendment.last.balances, &amendment.members);
        pays.extend(back);
        // Every bond goes back, and the one who leads from now on locks a whole one.
        pays.extend(field.bonds(keys)?);
        takes.push((address_of(&new, leader)?, field.bond));
        let field = Self {
            leader,
            leader_bond: field.bond,
            aggregate: amendment.aggregate,
            best,
            annulled: None,
            challenge: None,
            status: FieldStatus::Open,
            ..field
        };
        let keys = Some(Bounded::try_from(new).map_err(|_| FieldError::OutOfRange)?);
        Ok(Change { field, keys, takes, pays })
    }
}

/// Returns who pays in how much, and who gets how much.
fn flows(keys: &[PublicKey], before: &[Amount], after: &[Member]) -> (Sums, Sums) {
    let (mut takes, mut pays) = (Sums::new(), Sums::new());
    for (key, had) in keys.iter().zip(before) {
        let member = after.iter().find(|member| member.key == *key);
        let has = member.map_or(Amount::ZERO, |member| member.deposit);
        match has.cmp(had) {
            Ordering::Greater => takes.push((Address::of(key), has.saturating_sub(*had))),
            Ordering::Less => pays.push((Address::of(key), had.saturating_sub(has))),
            Ordering::Equal => {}
        }
    }
    let joins = after.iter().filter(|member| !keys.contains(&member.key));
    takes.extend(joins.map(|member| (member.address(), member.deposit)));
    (takes, pays)
}
