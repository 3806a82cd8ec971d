//! One field through its life: each act at its boundary heights, and who pays.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod amend;
mod close;
mod dispute;
mod random;

use super::*;
use crate::{
    crypto::{Hash, SecretKey, Signature},
    payment::field::{FieldTerms, Member, Seal},
};

pub(super) const CHAIN: ChainId = ChainId(Hash([1; 32]));
pub(super) const MARGIN: u64 = 16;
pub(super) const FEE: u128 = 10;
pub(super) const BOND: u128 = 5000;
pub(super) const DISPUTE: u64 = 100;
pub(super) const RESPONSE: u64 = 40;

/// A field of three, whose place 1 leads, with who has what on the chain beside it.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) keys: Vec<SecretKey>,
    rules: FieldRules,
    pub(super) members: FieldKeys,
    pub(super) field: FieldState,
    /// By how much each member's account has changed since the field was opened; a stranger's is the last.
    pub(super) gains: Vec<i128>,
}

impl Desk {
    pub(super) fn open() -> Self {
        let terms = terms();
        let keys = keys(3);
        let signatures: Vec<_> = keys.iter().map(|key| terms.sign(CHAIN, key)).collect();
        let rules = FieldRules::for_chain(MARGIN, 3000);
        let change = terms.open(CHAIN, &signatures, &scene(&rules, 1, Address([9; 20]))).unwrap();
        let gains = alloc::vec![-100, -300 - BOND as i128, -200, 0];
        let taken: u128 = change.takes.iter().map(|(_, amount)| amount.units()).sum();
        assert_eq!(taken as i128, -gains.iter().sum::<i128>());
        Self { keys, rules, members: change.keys.unwrap(), field: change.field, gains }
    }

    /// Who acts: a member by its place, or a stranger.
    pub(super) fn address(&self, who: usize) -> Address {
        self.keys.get(who).map_or(Address([9; 20]), |key| Address::of(&key.public()))
    }

    /// Lets somebody act in a block, and takes over what comes of it.
    pub(super) fn act(
        &mut self,
        height: u64,
        who: usize,
        act: impl FnOnce(&FieldState, &[PublicKey], &Scene<'_>) -> Result<Change, FieldError>,
    ) -> Result<(), FieldError> {
        let scene = scene(&self.rules, height, self.address(who));
        let change = act(&self.field, &self.members, &scene)?;
        self.make(change);
        Ok(())
    }

    fn make(&mut self, change: Change) {
        let before = self.held();
        let (mut taken, mut paid) = (0, 0);
        let rank = self.field.best.rank();
        self.field = change.field;
        for (address, amount) in change.takes {
            taken += amount.units();
            let who = self.who(&address);
            self.gains[who] -= amount.units() as i128;
        }
        for (address, amount) in change.pays {
            paid += amount.units();
            let who = self.who(&address);
            self.gains[who] += amount.units() as i128;
        }
        if let Some(keys) = change.keys {
            self.members = keys;
        }
        assert_eq!(before + taken, self.held() + paid, "A10.1: nothing is made or lost");
        assert!(self.field.best.rank() >= rank, "A10.8: what is enforced never decreases");
    }

    fn who(&self, address: &Address) -> usize {
        (0..4).find(|who| self.address(*who) == *address).unwrap()
    }

    pub(super) fn held(&self) -> u128 {
        self.field.held().unwrap().units()
    }

    /// A state that all members have signed.
    pub(super) fn sealed(&self, round: u32, balances: [u128; 3]) -> SealedState {
        self.seal(self.state(round, balances))
    }

    pub(super) fn state(&self, round: u32, balances: [u128; 3]) -> RoundState {
        RoundState {
            field: self.field.best.field,
            version: self.field.best.version,
            round,
            balances: Bounded::try_from(balances.map(Amount::from_units).to_vec()).unwrap(),
            tx_root: Hash::of(&[&round.to_le_bytes()]),
            payments: u64::from(round) * 10,
            prev: Hash([7; 32]),
            is_final: false,
        }
    }

    pub(super) fn seal(&self, state: RoundState) -> SealedState {
        let signatures: Vec<_> = self.keys.iter().map(|key| key.sign(CHAIN, &state)).collect();
        SealedState { state, signatures: Bounded::try_from(signatures).unwrap() }
    }

    pub(super) fn final_seal(&self, round: u32, balances: [u128; 3]) -> (RoundState, Seal) {
        let state = RoundState { is_final: true, ..self.state(round, balances) };
        let sealed = self.seal(state);
        (sealed.state, Seal::Each(sealed.signatures))
    }

    pub(super) fn solo_close(
        &mut self,
        height: u64,
        who: usize,
        state: Option<&SealedState>,
    ) -> Result<(), FieldError> {
        self.act(height, who, |field, keys, scene| field.solo_close(keys, state, scene))
    }

    pub(super) fn post(
        &mut self,
        height: u64,
        who: usize,
        state: &SealedState,
    ) -> Result<(), FieldError> {
        self.act(height, who, |field, keys, scene| field.post(keys, state, scene))
    }

    pub(super) fn challenge(
        &mut self,
        height: u64,
        who: usize,
        round: u32,
    ) -> Result<(), FieldError> {
        self.act(height, who, |field, keys, scene| field.challenge(keys, round, scene))
    }

    pub(super) fn enforce(&mut self, height: u64) -> Result<(), FieldError> {
        self.act(height, STRANGER, |field, keys, scene| field.enforce(keys, scene))
    }

    pub(super) fn close(
        &mut self,
        height: u64,
        (state, seal): &(RoundState, Seal),
    ) -> Result<(), FieldError> {
        self.act(height, STRANGER, |field, keys, scene| field.close(keys, state, seal, scene))
    }

    pub(super) fn deadline(&self) -> u64 {
        let FieldStatus::Closing(closing) = self.field.status else { panic!("not closing") };
        closing.deadline.0
    }

    /// Asserts that everybody has what these balances say, the bonds among them, and the chain holds nothing.
    pub(super) fn assert_paid(&self, balances: [i128; 3]) {
        assert_eq!(self.held(), 0);
        assert!(self.members.is_empty() && self.field.best.balances.is_empty());
        let deposits = [100, 300, 200];
        let expected: Vec<i128> = balances.iter().zip(deposits).map(|(b, d)| b - d).collect();
        assert_eq!(self.gains[..3], expected);
    }
}

/// Who is no member.
pub(super) const STRANGER: usize = 3;

/// What a transaction costs that brings a state which three have signed.
pub(super) const POST: i128 = FEE as i128 * 4;

pub(super) fn scene(rules: &FieldRules, height: u64, by: Address) -> Scene<'_> {
    let (height, fee) = (Height(height), Amount::from_units(FEE));
    Scene { rules, inclusion_margin: MARGIN, height, by, fee }
}

/// Keys in the order of their addresses.
pub(super) fn keys(count: u8) -> Vec<SecretKey> {
    let mut keys: Vec<_> = (1..=count).map(|seed| SecretKey::from_bytes(&[seed; 32])).collect();
    keys.sort_by_key(|key| Address::of(&key.public()));
    keys
}

pub(super) fn terms() -> FieldTerms {
    let member = |(key, deposit): (&SecretKey, u128)| Member {
        key: key.public(),
        deposit: Amount::from_units(deposit),
    };
    let members: Vec<_> = keys(3).iter().zip([100, 300, 200]).map(member).collect();
    FieldTerms {
        nonce: 1,
        members: Bounded::try_from(members).unwrap(),
        dispute: DISPUTE,
        response: RESPONSE,
        bond: Amount::from_units(BOND),
        until: Height(50),
        aggregate: None,
    }
}

#[test]
fn a_field_opens_with_every_signature_until_its_last_block() {
    let (terms, keys, rules) = (terms(), keys(3), FieldRules::for_chain(MARGIN, 3000));
    let good: Vec<_> = keys.iter().map(|key| terms.sign(CHAIN, key)).collect();
    let open = |signatures: &[Signature], height| {
        terms.open(CHAIN, signatures, &scene(&rules, height, Address([9; 20])))
    };
    assert_eq!(open(&good, 50).unwrap().field.status, FieldStatus::Open);
    let late = FieldError::Expired { height: Height(51), until: Height(50) };
    assert_eq!(open(&good, 51), Err(late));
    let mut forged = good;
    forged[2] = keys[0].sign(CHAIN, &terms);
    assert_eq!(open(&forged, 50).unwrap_err().code(), "field/bad-signature");
    assert_eq!(open(&forged[..2], 50).unwrap_err().code(), "field/signature-count");
}

#[test]
fn the_largest_field_fits_the_rows_of_the_state_and_a_transaction() {
    let (desk, max) = (Desk::open(), crate::chain::state::MAX_VALUE);
    let balances = alloc::vec![Amount::from_units(u128::MAX / 200); MAX_MEMBERS];
    let balances = Bounded::try_from(balances).unwrap();
    let closing = Closing {
        deadline: Height(1),
        limit: Height(1),
        closer: Some(1),
        bond: Amount::ZERO,
        poster: Some(Poster { address: Address([1; 20]), fee: Amount::ZERO }),
    };
    let challenge = Challenge {
        by: 1,
        bond: Amount::ZERO,
        fee: Amount::ZERO,
        round: 1,
        deadline: Height(1),
        leader: Some(Amount::ZERO),
    };
    let largest = FieldState {
        best: RoundState { balances, ..desk.field.best },
        aggregate: Some(BlsPublicKey([1; 96])),
        annulled: Some(1),
        challenge: Some(challenge),
        status: FieldStatus::Closing(closing),
        ..desk.field
    };
    assert!(crate::codec::encode(&largest).len() < max);
    let keys = FieldKeys::try_from(alloc::vec![PublicKey([1; 32]); MAX_MEMBERS]).unwrap();
    assert!(crate::codec::encode(&keys).len() < max);
}
