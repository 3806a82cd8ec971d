//! What everybody must have by the acts that were applied, counted beside the chain: states say who has how much, whoever
//! acts pays its fee, and a dispute only moves bonds and fees between those who took part.

use super::case::{ACCOUNTS, BOND, Case};
use antiphon_core::{
    amount::Amount,
    chain::{
        spec::Token,
        transaction::{Message, SignedTransaction},
    },
    id::{Address, FieldId, TxId},
    payment::field::{FieldAct, Member, RoundState, escrow::FieldStatus},
};
use antiphon_tests::sim::genesis::{ENDOWMENT, FEE};
use std::collections::{BTreeMap, BTreeSet};

/// Version and round.
type Rank = (u32, u32);

/// The count of one run.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// What each account has by states: what it was paid less what it paid in.
    earned: [i128; ACCOUNTS],
    /// What it paid for acts.
    fees: [i128; ACCOUNTS],
    /// The part of it that a dispute may give back, each act's once.
    back: [i128; ACCOUNTS],
    /// What it may lose in disputes: the bonds that it put up.
    bonds: [i128; ACCOUNTS],
    /// Who has how much after each state that was shown.
    states: BTreeMap<(FieldId, Rank), Vec<u128>>,
    /// The members of each version, by their places among the accounts.
    members: BTreeMap<(FieldId, u32), Vec<usize>>,
    closed: BTreeSet<FieldId>,
}

impl Book {
    /// Settles a block with these transactions, each with who sends it, and enters what was applied. Returns how many were
    /// refused.
    pub(super) fn settle(
        &mut self,
        case: &mut Case,
        txs: Vec<(usize, SignedTransaction)>,
    ) -> usize {
        let refused: BTreeSet<TxId> =
            case.refused(txs.iter().map(|(_, tx)| tx.clone()).collect()).into_iter().collect();
        for (who, tx) in txs.iter().filter(|(_, tx)| !refused.contains(&tx.body.id(case.chain))) {
            let fee = tx.body.fee(Amount::from_units(FEE)).unwrap().units() as i128;
            for message in tx.body.messages.iter() {
                let Message::Field(act) = message else { panic!("no act") };
                self.enter(case, *who, act, fee);
            }
        }
        self.close(case);
        refused.len()
    }

    /// Enters an act that was applied.
    pub(super) fn enter(&mut self, case: &Case, who: usize, act: &FieldAct, fee: i128) {
        self.fees[who] += fee;
        match act {
            FieldAct::Open { terms, .. } => {
                self.begin(case, &terms.first_state(case.chain).unwrap(), &terms.members);
            }
            FieldAct::Amend { amendment, .. } => {
                self.know(&amendment.last);
                self.end(amendment.last.field, amendment.last.rank());
                self.begin(case, &amendment.first_state(case.chain).unwrap(), &amendment.members);
            }
            FieldAct::Close { state, .. } => self.know(state),
            FieldAct::Post(sealed) => {
                self.know(&sealed.state);
                self.back[who] += fee;
            }
            FieldAct::SoloClose { state, .. } => {
                self.bonds[who] += BOND as i128;
                if let Some(sealed) = state {
                    self.know(&sealed.state);
                    self.back[who] += fee;
                }
            }
            FieldAct::Challenge { .. } => {
                self.bonds[who] += BOND as i128;
                self.back[who] += fee;
            }
            FieldAct::Enforce(_) => {}
        }
    }

    /// Everybody pays in.
    fn begin(&mut self, case: &Case, first: &RoundState, members: &[Member]) {
        self.know(first);
        let place = |member: &Member| {
            let is_its_own = |key: &antiphon_core::crypto::SecretKey| key.public() == member.key;
            case.keys.iter().position(is_its_own).unwrap()
        };
        let places: Vec<usize> = members.iter().map(place).collect();
        for (who, member) in places.iter().zip(members) {
            self.earned[*who] -= member.deposit.units() as i128;
        }
        // The first of those who have most leads, with a bond.
        let most = members.iter().map(|member| member.deposit).max().unwrap();
        let leader = members.iter().position(|member| member.deposit == most).unwrap();
        self.bonds[places[leader]] += BOND as i128;
        self.members.insert((first.field, first.version), places);
    }

    /// Everybody is paid what a state says.
    fn end(&mut self, field: FieldId, rank: Rank) {
        for (who, units) in self.members[&(field, rank.0)].iter().zip(&self.states[&(field, rank)])
        {
            self.earned[*who] += *units as i128;
        }
    }

    fn know(&mut self, state: &RoundState) {
        let balances: Vec<u128> = state.balances.iter().map(|balance| balance.units()).collect();
        let known = self.states.insert((state.field, state.rank()), balances.clone());
        assert!(known.is_none_or(|known| known == balances), "two states of one round were taken");
    }

    /// Enters what the chain has paid out.
    fn close(&mut self, case: &Case) {
        let fields: BTreeSet<FieldId> = self.members.keys().map(|(field, _)| *field).collect();
        for field in fields.difference(&self.closed.clone()) {
            let row = case.till.field(*field).unwrap();
            if matches!(row.status, FieldStatus::Closed { .. }) {
                self.closed.insert(*field);
                self.end(*field, row.best.rank());
            }
        }
    }

    /// Everything is closed: each account has what states and fees say, but for what disputes have moved. Of that nobody
    /// gets more than its own fees back, nobody loses more than its own bonds, and nothing is left over. Returns whether
    /// anything was moved.
    pub(super) fn check(&self, case: &Case) -> bool {
        let moved: Vec<i128> = (0..ACCOUNTS)
            .map(|who| {
                let address = Address::of(&case.keys[who].public());
                let has = case.till.balance(&address, Token::Operational) as i128;
                has - ENDOWMENT as i128 + self.fees[who] - self.earned[who]
            })
            .collect();
        assert_eq!(moved.iter().sum::<i128>(), 0, "{moved:?}");
        for (who, moved) in moved.iter().enumerate() {
            assert!(*moved <= self.back[who], "{who} is paid {moved} for {}", self.back[who]);
            assert!(-moved <= self.bonds[who], "{who} lost {moved} of {}", self.bonds[who]);
        }
        moved.iter().any(|moved| *moved != 0)
    }
}
