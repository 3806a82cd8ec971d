//! A watch-tower over the ledger: it holds no member's key, and its account ends with what it began with. ADVERSARIAL 24.

use super::case::{Case, DISPUTE, RESPONSE, TOWER};
use antiphon_core::{id::Address, payment::field::FieldAct};
use antiphon_node::tower::{Order, Row, Tower};
use std::collections::BTreeMap;

struct Watch {
    case: Case,
    tower: Tower,
}

impl Watch {
    fn new() -> Self {
        let case = Case::open();
        let address = Address::of(&case.keys[TOWER].public());
        let tower = Tower::new(&super::case::spec(), address);
        Self { case, tower }
    }

    /// Brings the tower a state, as a member does.
    fn bring(&mut self, round: u32, balances: [u128; 3]) {
        let sealed = self.case.sealed(round, balances);
        let row = self.row();
        let kept = self.tower.check(&sealed, row.as_ref(), self.case.till.next_height()).unwrap();
        self.tower.keep(kept);
    }

    fn row(&self) -> Option<Row> {
        Some((self.case.till.field(self.case.field)?, self.case.till.field_keys(self.case.field)))
    }

    /// Settles a block with what the tower orders, and returns how many states that were.
    fn step(&mut self) -> usize {
        let rows: BTreeMap<_, _> =
            self.row().map(|row| (self.case.field, row)).into_iter().collect();
        let orders = self.tower.look(self.case.till.next_height(), &rows);
        let mut posts = Vec::new();
        for order in orders {
            if let Order::Post(sealed) = order {
                posts.push(self.case.sign(TOWER, FieldAct::Post(sealed)));
            }
        }
        let count = posts.len();
        assert_eq!(self.case.settle(posts), []);
        count
    }
}

#[test]
fn a_tower_enforces_the_newest_state_that_it_was_told_and_is_paid_for_it() {
    let mut watch = Watch::new();
    watch.bring(6, [60, 340, 200]);
    watch.bring(7, [20, 380, 200]);
    let before = watch.case.gain(TOWER);
    let three = watch.case.sealed(3, [250, 150, 200]);
    assert_eq!(watch.case.solo_close(0, &three), None);
    let posted: usize = (0..DISPUTE).map(|_| watch.step()).sum();
    assert_eq!(posted, 1);
    watch.case.wait(watch.case.next() + 1);
    assert_eq!(watch.case.act(1, FieldAct::Enforce(watch.case.field)), None);
    assert_eq!(watch.case.till.field(watch.case.field).unwrap().best.round, 7);
    assert_eq!(watch.case.gain(TOWER), before, "the closer has paid for the post");
    assert_eq!(watch.step(), 0);
    assert_eq!(watch.tower.watched().count(), 0, "what is closed is forgotten");
}

#[test]
fn a_tower_answers_a_challenge_that_would_annul_what_it_holds() {
    let mut watch = Watch::new();
    watch.bring(7, [20, 380, 200]);
    let before = watch.case.gain(TOWER);
    assert_eq!(watch.case.challenge(2, 7), None);
    let posted: usize = (0..=RESPONSE).map(|_| watch.step()).sum();
    assert_eq!(posted, 1);
    let field = watch.case.till.field(watch.case.field).unwrap();
    assert_eq!((field.challenge, field.annulled, field.best.round), (None, None, 7));
    assert_eq!(watch.case.gain(TOWER), before, "who asked has paid");
}

/// A6.15: a round that its owner keeps back until it can no longer be shown in time does not cost the round before.
#[test]
fn a_tower_shows_the_state_before_one_that_was_annulled() {
    let mut watch = Watch::new();
    watch.bring(6, [60, 340, 200]);
    assert_eq!(watch.case.challenge(2, 7), None);
    watch.case.wait(watch.case.next() + RESPONSE - 1);
    watch.bring(7, [20, 380, 200]);
    // In the last block that may show it, there is no room; the next one annuls the round.
    watch.case.wait(watch.case.next() + 1);
    assert_eq!(watch.case.act(1, FieldAct::Enforce(watch.case.field)), None);
    assert_eq!(watch.step(), 1);
    let field = watch.case.till.field(watch.case.field).unwrap();
    assert_eq!((field.annulled, field.best.round), (Some(7), 6));
}
