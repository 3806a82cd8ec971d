//! A chain that knows one field: the ledger's functions of the escrow, and accounts from which bonds and deposits come.

use super::{BOND, CHAIN, DEPOSIT};
use antiphon_core::{
    amount::Amount,
    codec::Bounded,
    crypto::{PublicKey, SecretKey},
    id::{Address, Height},
    payment::field::{
        FieldAct, FieldRules, FieldTerms, Member,
        escrow::{Change, FieldError, FieldState, FieldStatus, Scene},
    },
};
use std::collections::BTreeMap;

/// One field on chain.
#[derive(Debug)]
pub struct Chain {
    /// The newest height.
    pub height: Height,
    /// `M_incl`.
    pub margin: u64,
    /// Parameters of fields.
    pub rules: FieldRules,
    /// For each signature.
    pub fee: Amount,
    /// What was done, by whom, at which height.
    pub done: Vec<(Height, Address, FieldAct)>,
    /// Acts that no block includes.
    pub censored: fn(&FieldAct) -> bool,
    /// What each member of the last version had in the state that was enforced, once it was.
    pub enforced: Option<Vec<u128>>,
    accounts: BTreeMap<Address, Amount>,
    field: Option<(FieldState, Vec<PublicKey>)>,
    waiting: Vec<(Address, FieldAct)>,
}

impl Chain {
    /// Endows every key with enough for its deposit and several bonds.
    pub fn new(keys: &[SecretKey]) -> Self {
        let margin = 4;
        let endowed = Amount::from_units(DEPOSIT + 10 * BOND);
        Self {
            height: Height(1),
            margin,
            rules: FieldRules::for_chain(margin, 1000),
            fee: Amount::from_units(1),
            done: Vec::new(),
            censored: |_| false,
            enforced: None,
            accounts: keys.iter().map(|key| (Address::of(&key.public()), endowed)).collect(),
            field: None,
            waiting: Vec::new(),
        }
    }

    /// Returns the field, once it is open.
    pub fn state(&self) -> Option<FieldState> {
        self.field.as_ref().map(|(state, _)| state.clone())
    }

    /// Returns the round that is enforced, or would be if nothing else came.
    pub fn best(&self) -> u32 {
        self.field.as_ref().map_or(0, |(state, _)| state.best.round)
    }

    /// Returns what an account has.
    pub fn account(&self, address: &Address) -> u128 {
        self.accounts.get(address).map_or(0, |amount| amount.units())
    }

    /// Lets an act wait for the next block.
    pub fn submit(&mut self, by: Address, act: FieldAct) {
        self.waiting.push((by, act));
    }

    /// Returns the terms by which these keys open their field; the first one leads.
    pub fn terms(&self, keys: &[SecretKey]) -> FieldTerms {
        let members: Vec<Member> = (0_u128..)
            .zip(keys)
            .map(|(at, key)| {
                let deposit = Amount::from_units(DEPOSIT + u128::from(at == 0));
                Member { key: key.public(), deposit }
            })
            .collect();
        FieldTerms {
            nonce: 1,
            members: Bounded::try_from(members).unwrap(),
            dispute: self.rules.min_dispute,
            response: self.rules.min_response,
            bond: Amount::from_units(BOND),
            until: Height(10_000),
            aggregate: None,
        }
    }

    /// Makes a block of everything that waits and is allowed.
    ///
    /// # Panics
    /// If money was made or lost (A10.1).
    pub fn block(&mut self) {
        self.height = self.height.plus(1);
        for (by, act) in std::mem::take(&mut self.waiting) {
            if (self.censored)(&act) {
                continue;
            }
            let before = self.total();
            if let Ok(change) = self.change(by, &act) {
                self.note_enforced(&act, &change);
                self.apply(change);
                assert_eq!(self.total(), before, "A10.1: {} made or lost money", act.kind());
                self.done.push((self.height, by, act));
            }
        }
    }

    /// Notes the balances that an act enforces: those that it brings, or the best that were known.
    fn note_enforced(&mut self, act: &FieldAct, change: &Change) {
        if matches!(change.field.status, FieldStatus::Closed { .. }) {
            let known = self.field.as_ref().map(|(state, _)| &state.best);
            let state = if let FieldAct::Close { state, .. } = act { Some(state) } else { known };
            let balances = state.unwrap().balances.iter().map(|balance| balance.units());
            self.enforced = Some(balances.collect());
        }
    }

    fn total(&self) -> u128 {
        let held = self.field.as_ref().map_or(Some(Amount::ZERO), |(state, _)| state.held());
        let accounts: u128 = self.accounts.values().map(|amount| amount.units()).sum();
        accounts + held.unwrap().units()
    }

    fn change(&self, by: Address, act: &FieldAct) -> Result<Change, FieldError> {
        let (rules, height) = (&self.rules, self.height);
        let scene = Scene { rules, inclusion_margin: self.margin, height, by, fee: self.fee };
        if let FieldAct::Open { terms, signatures } = act {
            if self.field.is_some() {
                return Err(FieldError::Closed);
            }
            return terms.open(CHAIN, signatures, &scene);
        }
        let (state, keys) = self.field.as_ref().ok_or(FieldError::Closed)?;
        match act {
            FieldAct::Close { state: last, seal } => state.close(keys, last, seal, &scene),
            FieldAct::SoloClose { state: best, .. } => {
                state.solo_close(keys, best.as_deref(), &scene)
            }
            FieldAct::Post(sealed) => state.post(keys, sealed, &scene),
            FieldAct::Challenge { round, .. } => state.challenge(keys, *round, &scene),
            FieldAct::Enforce(_) => state.enforce(keys, &scene),
            FieldAct::Amend { amendment, signatures } => {
                state.amend(keys, amendment, signatures, &scene)
            }
            FieldAct::Open { .. } => Err(FieldError::Closed),
        }
    }

    fn apply(&mut self, change: Change) {
        let Change { field, keys, takes, pays } = change;
        for (address, amount) in takes {
            let account = self.accounts.entry(address).or_default();
            *account = account.checked_sub(amount).unwrap();
        }
        for (address, amount) in pays {
            let account = self.accounts.entry(address).or_default();
            *account = account.checked_add(amount).unwrap();
        }
        let known = self.field.take().map(|(_, keys)| keys);
        let keys = keys.map(|keys| keys.into_vec()).or(known).unwrap();
        self.field = Some((field, keys));
    }
}
