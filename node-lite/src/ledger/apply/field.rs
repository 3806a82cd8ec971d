//! Payment fields, as `payment::field::escrow` decides. Source: PROTOCOL A6.

use super::{Session, TxError};
use crate::storage::Storage;
use antiphon_core::{
    chain::{spec::Token, state::StateKey},
    id::{Address, FieldId},
    payment::field::{
        FieldAct,
        escrow::{Change, FieldError, FieldKeys, FieldState, Scene},
    },
};

impl<S: Storage> Session<'_, S> {
    pub(super) fn field(&mut self, sender: &Address, act: &FieldAct) -> Result<(), TxError> {
        self.can_pay(sender, act)?;
        let Some(id) = act.field_on(self.chain) else { return Err(FieldError::NotMember.into()) };
        let row = StateKey::field(self.keys, &id);
        let field = self.get::<FieldState>(&row)?;
        let keys_row = StateKey::field_keys(self.keys, &id);
        let keys = self.get::<FieldKeys>(&keys_row)?.unwrap_or_default();
        let spec = self.spec;
        let (height, fee, inclusion_margin) = (self.height, spec.fee, spec.pool.inclusion_margin);
        let scene = Scene { rules: &spec.field, inclusion_margin, height, by: *sender, fee };
        let change = match (act, &field) {
            // A closed field stays in the tree, so an id is never used again.
            (FieldAct::Open { .. }, Some(_)) => return Err(TxError::FieldExists),
            (FieldAct::Open { terms, signatures }, None) => {
                terms.open(self.chain, signatures, &scene)?
            }
            (_, None) => return Err(TxError::NoField),
            (_, Some(field)) => changed(field, &keys, act, &scene)?,
        };
        let rank = |field: &FieldState| field.best.rank();
        debug_assert!(field.as_ref().is_none_or(|b| rank(b) <= rank(&change.field)), "A10.8");
        self.make(&id, change)
    }

    /// Signatures are checked only for who can pay for it: a hundred of which the last is forged would be work for nothing.
    fn can_pay(&mut self, sender: &Address, act: &FieldAct) -> Result<(), TxError> {
        let count = u64::try_from(act.signatures()).unwrap_or(u64::MAX);
        if count == 0 {
            return Ok(());
        }
        let needed = self.spec.fee.checked_mul(count.saturating_add(1));
        let needed = needed.ok_or(TxError::BadAmount)?;
        let balance = self.account(sender)?.balance(Token::Operational);
        if balance < needed { Err(TxError::TooPoor { balance, needed }) } else { Ok(()) }
    }

    /// Pays before it takes, so that a leader's bond that goes back can be the next one; all or nothing is the
    /// transaction's promise.
    fn make(&mut self, id: &FieldId, change: Change) -> Result<(), TxError> {
        let Change { field, keys, takes, pays } = change;
        for (to, amount) in pays.into_iter().filter(|(_, amount)| !amount.is_zero()) {
            self.credit(&to, Token::Operational, amount)?;
        }
        for (from, amount) in takes.into_iter().filter(|(_, amount)| !amount.is_zero()) {
            self.spend(&from, Token::Operational, amount)?;
        }
        if let Some(keys) = keys {
            self.put(StateKey::field_keys(self.keys, id), keys)?;
        }
        self.put(StateKey::field(self.keys, id), field)
    }
}

/// Returns what an act does to a field that there is.
fn changed(
    field: &FieldState,
    keys: &FieldKeys,
    act: &FieldAct,
    scene: &Scene<'_>,
) -> Result<Change, FieldError> {
    match act {
        FieldAct::Open { .. } => Err(FieldError::WrongField),
        FieldAct::Close { state, seal } => field.close(keys, state, seal, scene),
        FieldAct::SoloClose { state, .. } => field.solo_close(keys, state.as_deref(), scene),
        FieldAct::Post(sealed) => field.post(keys, sealed, scene),
        FieldAct::Challenge { round, .. } => field.challenge(keys, *round, scene),
        FieldAct::Enforce(_) => field.enforce(keys, scene),
        FieldAct::Amend { amendment, signatures } => {
            field.amend(keys, amendment, signatures, scene)
        }
    }
}
