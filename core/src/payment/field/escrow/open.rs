//! Every member's deposit is locked, or nobody's. Source: PROTOCOL A6.8.

use super::{Change, FieldError, FieldState, FieldStatus, Scene};
use crate::{
    codec::Bounded,
    crypto::{PublicKey, Signature},
    id::ChainId,
    payment::field::{FieldTerms, Member},
};
use alloc::vec::Vec;

impl FieldTerms {
    /// Returns the field that these terms open. The ledger also checks that the id is new and that each member can afford
    /// its deposit, the leader its bond beside it.
    ///
    /// # Errors
    /// [`FieldError::Terms`], [`FieldError::Expired`], [`FieldError::Seal`].
    pub fn open(
        &self,
        chain: ChainId,
        signatures: &[Signature],
        scene: &Scene<'_>,
    ) -> Result<Change, FieldError> {
        let (height, until) = (scene.height, self.until);
        if height > until {
            return Err(FieldError::Expired { height, until });
        }
        self.check(scene.rules, scene.fee)?;
        self.verify(chain, signatures)?;
        let best = self.first_state(chain).ok_or(FieldError::OutOfRange)?;
        let leader = self.leader().ok_or(FieldError::OutOfRange)?;
        let keys: Vec<PublicKey> = self.members.iter().map(|member| member.key).collect();
        let mut takes: Vec<_> =
            self.members.iter().map(|member: &Member| (member.address(), member.deposit)).collect();
        takes.push((super::address_of(&keys, leader)?, self.bond));
        let field = FieldState {
            chain,
            leader,
            dispute: self.dispute,
            response: self.response,
            bond: self.bond,
            leader_bond: self.bond,
            aggregate: self.aggregate,
            best,
            annulled: None,
            challenge: None,
            status: FieldStatus::Open,
        };
        let keys = Bounded::try_from(keys).map_err(|_| FieldError::OutOfRange)?;
        Ok(Change { field, keys: Some(keys), takes, pays: Vec::new() })
    }
}
