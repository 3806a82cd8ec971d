//! A watch-tower: shows the newest sealed state of a field where somebody closes with less, or asks for it.
//!
//! ```text
//! sealed state --watch--> checked against the settled row, above what is held --> kept, then answered
//! settled block --look--> each field that is being closed or asked about --> Post, with the tower's own account
//!                    |--> the newest state is annulled: the one before it counts
//!                    '--> closed, or another version: Forget
//! ```
//!
//! The state before the newest is kept as long as the newest may be annulled: who withholds a round until nobody can show
//! it in time must not make the tower forget the one that is enforced then.
//!
//! It holds no member's key: what it shows all members have signed, and the closer's or the challenger's bond pays its fee
//! (A6.11 to A6.13). Whoever forgets to tell it the newest state is as safe as its last word to it.
//!
//! Source: PROTOCOL A6.11, A6.12.

#[cfg(test)]
mod tests;

use crate::storage::{Storage, StorageError};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::ChainSpec,
        state::StateKey,
        transaction::{Message, decode_transaction},
    },
    codec,
    id::{Address, ChainId, FieldId, Height},
    payment::field::{
        FieldRules, SealedState,
        escrow::{ClosedField, FieldError, FieldKeys, FieldState, FieldStatus, Scene},
    },
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most fields that a tower watches. Chosen here: at most 32 MiB, and each of them has money locked.
pub const MAX_WATCHED: usize = 1024;

/// A field as a settled block left it.
pub type Row = (FieldState, FieldKeys);

/// Why a tower does not watch a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// It watches as many fields as it can.
    #[error("as many fields are watched as there is room for")]
    Full,
    /// The settled chain has no such field.
    #[error("no such field is settled")]
    NoField,
    /// It holds this round, or a later one that the chain can still be shown.
    #[error("round {held} is watched, which is not below {round}")]
    Known {
        /// What was brought.
        round: u32,
        /// What it holds.
        held: u32,
    },
    /// The chain would not take it.
    #[error(transparent)]
    Field(#[from] FieldError),
}

impl WatchError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full => "tower/full",
            Self::NoField => "tower/no-field",
            Self::Known { .. } => "tower/known",
            Self::Field(error) => error.code(),
        }
    }
}

/// What the tower wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send this state to the chain.
    Post(Box<SealedState>),
    /// Forget this field, on disk, too.
    Forget(FieldId),
}

/// What is kept of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The newest state that all members signed.
    pub newest: SealedState,
    /// What is shown if the chain annuls that.
    pub before: Option<SealedState>,
}

/// One watched field.
#[derive(Clone, Debug)]
struct Watched {
    kept: Kept,
    /// When it was posted last.
    posted: Option<Height>,
}

/// What is watched, and who pays for showing it.
#[derive(Clone, Debug)]
pub struct Tower {
    rules: FieldRules,
    inclusion_margin: u64,
    fee: Amount,
    account: Address,
    fields: BTreeMap<FieldId, Watched>,
}

impl Tower {
    /// Returns a tower that watches nothing yet, on a chain of this spec, and posts as this account.
    pub const fn new(spec: &ChainSpec, account: Address) -> Self {
        let (rules, fee) = (spec.field, spec.fee);
        let inclusion_margin = spec.pool.inclusion_margin;
        Self { rules, inclusion_margin, fee, account, fields: BTreeMap::new() }
    }

    /// Checks a state before it is watched: `row` is the field's after the settled block below `next`. Returns what is to be
    /// kept of the field then.
    ///
    /// Cheap reasons come first; what is left costs a signature a member.
    ///
    /// # Errors
    /// [`WatchError`]; nothing has changed.
    pub fn check(
        &self,
        sealed: &SealedState,
        row: Option<&Row>,
        next: Height,
    ) -> Result<Kept, WatchError> {
        let state = &sealed.state;
        let held = self.fields.get(&state.field);
        if held.is_none() && self.fields.len() >= MAX_WATCHED {
            return Err(WatchError::Full);
        }
        let (field, keys) = row.ok_or(WatchError::NoField)?;
        let mut standing = held.into_iter().flat_map(|held| held.kept.standing(field, next));
        let (newest, before) = (standing.next(), standing.next());
        if let Some(held) = newest.filter(|held| held.state.rank() >= state.rank()) {
            return Err(WatchError::Known { round: state.round, held: held.state.round });
        }
        field.check(keys, sealed, next)?;
        // What may still be annulled itself does not take the place of the one before.
        let below = newest.filter(|newest| field.is_safe(newest.state.round)).or(before);
        let before = below.filter(|below| below.state.version == state.version).cloned();
        Ok(Kept { newest: sealed.clone(), before })
    }

    /// Watches states that were checked, now or before a restart, and are on disk.
    pub fn keep(&mut self, kept: Kept) {
        self.fields.insert(kept.newest.state.field, Watched { kept, posted: None });
    }

    /// Returns the fields that are watched.
    pub fn watched(&self) -> impl Iterator<Item = FieldId> + '_ {
        self.fields.keys().copied()
    }

    /// Looks at the fields as the settled block below `next` left them.
    pub fn look(&mut self, next: Height, rows: &BTreeMap<FieldId, Row>) -> Vec<Order> {
        let mut orders = Vec::new();
        let scene = Scene {
            rules: &self.rules,
            inclusion_margin: self.inclusion_margin,
            height: next,
            by: self.account,
            fee: self.fee,
        };
        for (id, watched) in &mut self.fields {
            let Some((field, keys)) = rows.get(id) else { continue };
            watched.drop_annulled(field, next);
            let sealed = &watched.kept.newest;
            let state = &sealed.state;
            let is_closed = matches!(field.status, FieldStatus::Closed { .. });
            if is_closed || field.best.version > state.version {
                orders.push(Order::Forget(*id));
                continue;
            }
            // What was sent may still be on its way; after a margin it is sent again (A1.24).
            let waits = |posted: Height| next < posted.plus(self.inclusion_margin);
            if watched.posted.is_some_and(waits) || !is_wanted(field, state.rank()) {
                continue;
            }
            // The chain's own rule says whether it would be taken.
            if field.post(keys, sealed, &scene).is_ok() {
                orders.push(Order::Post(Box::new(sealed.clone())));
                watched.posted = Some(next);
            }
        }
        for order in &orders {
            if let Order::Forget(id) = order {
                self.fields.remove(id);
            }
        }
        orders
    }
}

impl Kept {
    /// Returns the states that blocks from `next` on can still be shown, the newest first: what is annulled by then they
    /// reject for ever (A6.12).
    fn standing(&self, field: &FieldState, next: Height) -> impl Iterator<Item = &SealedState> {
        let version = self.newest.state.version;
        let from = field.annulled_at(next).filter(|_| version == field.best.version);
        let states = [Some(&self.newest), self.before.as_ref()].into_iter().flatten();
        states.filter(move |sealed| from.is_none_or(|from| sealed.state.round < from))
    }
}

impl Watched {
    /// Takes the state before the newest once the newest is annulled.
    fn drop_annulled(&mut self, field: &FieldState, next: Height) {
        let newest = self.kept.standing(field, next).next();
        if newest.is_some_and(|newest| *newest != self.kept.newest)
            && let Some(newest) = self.kept.before.take()
        {
            (self.kept.newest, self.posted) = (newest, None);
        }
    }
}

/// Returns whether a state of this rank changes anything: a close with less, or a question that it answers.
fn is_wanted(field: &FieldState, rank: (u32, u32)) -> bool {
    let is_closing = matches!(field.status, FieldStatus::Closing(_));
    let is_asked = field.challenge.is_some_and(|challenge| rank.1 >= challenge.round);
    (is_closing || is_asked) && rank > field.best.rank()
}

/// Reads a field at a version of the settled state.
///
/// # Errors
/// [`StorageError`].
pub fn read(
    store: &impl Storage,
    version: u64,
    state_chain: ChainId,
    field: &FieldId,
) -> Result<Option<Row>, StorageError> {
    let Some(state) = value(store, version, &StateKey::field(state_chain, field))? else {
        return Ok(None);
    };
    let keys = value(store, version, &StateKey::field_keys(state_chain, field))?;
    Ok(Some((state, keys.unwrap_or_default())))
}

/// Returns the fields that the settled block at a height closed, in the order of their ids: the leaves of its `field_root`.
/// `None` where the block's body is not here.
///
/// # Errors
/// [`StorageError`].
pub fn closed_in(
    store: &impl Storage,
    newest: u64,
    state_chain: ChainId,
    height: Height,
) -> Result<Option<Vec<ClosedField>>, StorageError> {
    let Some(settled) = store.settled(height)? else { return Ok(None) };
    let mut named = BTreeSet::new();
    for bytes in settled.block.body.iter() {
        let Ok(tx) = decode_transaction(bytes) else { continue };
        named.extend(tx.body.messages.iter().filter_map(|message| {
            if let Message::Field(act) = message { act.field() } else { None }
        }));
    }
    let mut closed = Vec::new();
    for id in named {
        // A closed row never changes again, so the newest state says what the block made of it.
        let row = read(store, newest, state_chain, &id)?;
        closed.extend(row.and_then(|(field, _)| field.closed_at(height)));
    }
    Ok(Some(closed))
}

fn value<T: BorshDeserialize + BorshSerialize>(
    store: &impl Storage,
    version: u64,
    key: &StateKey,
) -> Result<Option<T>, StorageError> {
    let Some(bytes) = store.value(version, key)? else { return Ok(None) };
    let value = codec::decode(&bytes, bytes.len());
    value.map(Some).map_err(|error| StorageError(error.to_string()))
}
