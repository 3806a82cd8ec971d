//! What must never happen in a field, whatever the weather, the crashes and the foes. PROTOCOL A6.10, A10.8.
//!
//! - An honest member says two signatures of one (version, round), two payments of one (version, round, sequence), or, as
//!   the leader, two receipts for one place.
//! - Balances of a state do not sum to the deposits, or two honest members hold different states of one round.
//! - What was shown as committed becomes anything else, but sequenced until who starts again is proven that it is money.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what must never happen is a failing test when it does"
)]

use antiphon_core::{
    amount::Amount,
    crypto::Signature,
    id::{Address, FieldId},
    payment::{
        field::FieldTerms,
        member::{
            Membership, Standing,
            wire::{Envelope, Letter, RoundId},
        },
    },
};
use std::collections::BTreeMap;

/// Round and index of a payment.
type Spot = (u32, u32);

/// Everything that was said and shown.
#[derive(Debug)]
pub struct Watch {
    /// What the members of each version have together.
    locked: BTreeMap<u32, u128>,
    votes: BTreeMap<(usize, RoundId), Signature>,
    payments: BTreeMap<(usize, RoundId, u64), (u8, Amount)>,
    places: BTreeMap<(RoundId, u32), Signature>,
    states: BTreeMap<(u32, u32), Vec<Amount>>,
    committed: BTreeMap<(usize, Spot), (Address, Amount)>,
    /// Bytes that honest members said, and messages.
    pub traffic: (u64, u64),
    /// Bytes in which honest payers told leaders their payments, and payments in them.
    pub told: (u64, u64),
}

impl Watch {
    /// Begins to look.
    pub fn new(terms: &FieldTerms) -> Self {
        Self {
            locked: BTreeMap::from([(0, terms.locked().unwrap().units())]),
            votes: BTreeMap::new(),
            payments: BTreeMap::new(),
            places: BTreeMap::new(),
            states: BTreeMap::new(),
            committed: BTreeMap::new(),
            traffic: (0, 0),
            told: (0, 0),
        }
    }

    /// Returns how many payments some member was shown as committed, each member's own count.
    pub fn committed(&self) -> usize {
        self.committed.len()
    }

    /// An honest member says something.
    ///
    /// # Panics
    /// If it contradicts what it said before.
    pub fn said(&mut self, at: usize, to: usize, bytes: &[u8]) {
        self.traffic = (self.traffic.0 + bytes.len() as u64, self.traffic.1 + 1);
        let letter = Envelope::from_bytes(bytes).unwrap().letter;
        match letter {
            Letter::Vote(vote) => self.voted(at, vote.round, vote.signature),
            Letter::Propose(proposal) => {
                self.voted(at, RoundId::of(&proposal.state), proposal.signature);
            }
            Letter::Pay(offers) => {
                self.told.0 += bytes.len() as u64;
                self.told.1 += offers.items.len() as u64;
                for (sequence, offer) in (offers.first..).zip(offers.items.iter()) {
                    let said = (offer.payee, offer.amount);
                    let known = self.payments.insert((at, offers.round, sequence), said);
                    assert!(
                        known.is_none_or(|known| known == said),
                        "two payments of one sequence"
                    );
                }
            }
            Letter::Receipts(receipts) => {
                for placed in receipts.items.iter() {
                    self.placed(receipts.round, placed.index, placed.signature);
                }
            }
            Letter::Credits(credits) => {
                for credit in credits.items.iter() {
                    assert_eq!(usize::from(credit.payment.payee), to, "told to who is not paid");
                    self.placed(credits.round, credit.placed.index, credit.placed.signature);
                }
            }
            Letter::Summon(summons) => {
                let amendment = summons.amendment;
                let sum: u128 = amendment.members.iter().map(|it| it.deposit.units()).sum();
                let known = self.locked.insert(amendment.last.version + 1, sum);
                assert!(known.is_none_or(|known| known == sum), "two next versions");
            }
            Letter::Invite(_)
            | Letter::Accept(_)
            | Letter::Ask(_)
            | Letter::Part(_)
            | Letter::Sealed(_)
            | Letter::Close(_)
            | Letter::Leave(_)
            | Letter::Consent(_) => {}
        }
    }

    fn voted(&mut self, at: usize, round: RoundId, signature: Signature) {
        let known = self.votes.insert((at, round), signature);
        assert!(known.is_none_or(|known| known == signature), "two states of one round");
    }

    fn placed(&mut self, round: RoundId, index: u32, signature: Signature) {
        let known = self.places.insert((round, index), signature);
        assert!(known.is_none_or(|known| known == signature), "two payments at one place");
    }

    /// Looks at what every living member shows.
    ///
    /// # Panics
    /// If something is shown that must not be.
    pub fn look<'a>(
        &mut self,
        field: FieldId,
        machines: impl Iterator<Item = Option<&'a Membership>>,
    ) {
        for (at, machine) in machines.enumerate() {
            let views = machine.map(Membership::view).unwrap_or_default();
            let Some(view) = views.into_iter().find(|view| view.id == field) else { continue };
            let balances: Vec<Amount> = view.members.iter().map(|member| member.balance).collect();
            let sum: u128 = balances.iter().map(|balance| balance.units()).sum();
            let locked = self.locked.get(&view.version).copied();
            assert_eq!(Some(sum), locked, "A10.8: money was made or lost in round {}", view.round);
            let known = self.states.insert((view.version, view.round), balances.clone());
            assert!(
                known.is_none_or(|known| known == balances),
                "two states of one round are held"
            );
            for payment in view.payments {
                let spot = (payment.round, payment.index.unwrap_or(u32::MAX));
                let what = (payment.payee, payment.amount);
                if payment.standing == Standing::Committed {
                    self.committed.insert((at, spot), what);
                } else if payment.index.is_some() && payment.standing != Standing::Sequenced {
                    let was = self.committed.get(&(at, spot));
                    assert!(was.is_none(), "what was committed is {:?}", payment.standing);
                }
            }
        }
    }
}
