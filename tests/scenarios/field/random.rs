//! Whatever is asked of several fields in whatever order, no money is made or lost, and all of it comes out again. A10.1, A10.8.

use super::{
    book::Book,
    case::{Case, DEPOSITS, TOWER, open_act, terms},
};
use antiphon_core::{
    amount::Amount,
    codec::Bounded,
    crypto::PublicKey,
    id::{FieldId, Height},
    payment::field::{Amendment, FieldAct, Member, RoundState, Seal, SealedState},
};
use antiphon_tests::sim::{Seed, dice::Dice, genesis::FEE};
use std::collections::BTreeMap;

/// Blocks of a run.
const BLOCKS: u64 = 150;

#[test]
fn random_acts_on_three_fields_conserve_money_and_every_deposit_comes_out() {
    let first = Seed::or(24).number();
    let (mut applied, mut refused, mut disputed) = (0, 0, 0);
    for seed in first..first + 8 {
        let (taken, left_out, is_disputed) = run(seed);
        (applied, refused) = (applied + taken, refused + left_out);
        disputed += u64::from(is_disputed);
    }
    assert!(applied > 400 && refused > 400, "{applied} applied, {refused} refused");
    assert!(disputed > 4, "{disputed} runs with a dispute that moved something");
}

/// Returns how many acts were applied and refused, and whether a dispute has moved anything.
fn run(seed: u64) -> (usize, usize, bool) {
    let mut dice = Dice::new(seed);
    let mut case = Case::open();
    let (mut fields, mut book) = (Vec::new(), Book::default());
    for nonce in [1, 2, 3] {
        let mut terms = terms(&case.keys[..3], &DEPOSITS);
        terms.nonce = nonce;
        fields.push(terms.id(case.chain).unwrap());
        let act = open_act(case.chain, &terms, &case.keys[..3]);
        let tx = case.sign(TOWER, act.clone());
        if nonce == 1 {
            // The case has opened it.
            let fee = tx.body.fee(Amount::from_units(FEE)).unwrap().units();
            book.enter(&case, TOWER, &act, fee as i128);
        } else {
            assert_eq!(book.settle(&mut case, vec![(TOWER, tx)]), 0);
        }
    }
    let (mut applied, mut refused) = (0, 0);
    let mut ranks: BTreeMap<FieldId, (u32, u32)> = BTreeMap::new();
    for _ in 0..BLOCKS {
        let mut txs = Vec::new();
        for who in 0..=TOWER {
            let field = fields[dice.below(3) as usize];
            let Some(act) = act(&case, field, &mut dice) else { continue };
            txs.push((who, case.sign(who, act)));
        }
        let sent = txs.len();
        let left_out = book.settle(&mut case, txs);
        (applied, refused) = (applied + sent - left_out, refused + left_out);
        for field in &fields {
            let rank = case.till.field(*field).unwrap().best.rank();
            let before = ranks.insert(*field, rank).unwrap_or_default();
            assert!(rank >= before, "A10.8: what is enforced never decreases");
        }
    }
    // One member gets everybody's money out of every field, whatever state it is in.
    for field in &fields {
        let members = case.till.field_keys(*field);
        let who = case.keys.iter().position(|key| Some(&key.public()) == members.first());
        if let Some(who) = who {
            let close = case.sign(who, FieldAct::SoloClose { field: *field, state: None });
            book.settle(&mut case, vec![(who, close)]);
        }
        for _ in 0..3 {
            case.wait(case.next() + 30);
            let due = case.sign(TOWER, FieldAct::Enforce(*field));
            book.settle(&mut case, vec![(TOWER, due)]);
        }
        assert_eq!(case.till.field(*field).unwrap().held(), Some(Amount::ZERO));
    }
    (applied, refused, book.check(&case))
}

/// A random act, most of them possible at some time.
fn act(case: &Case, field: FieldId, dice: &mut Dice) -> Option<FieldAct> {
    let row = case.till.field(field)?;
    if row.best.balances.is_empty() {
        return Some(FieldAct::Enforce(field));
    }
    // The next rounds; one unit moves in each.
    let round = row.best.round + dice.below(4) as u32;
    let mut balances: Vec<u128> = row.best.balances.iter().map(|b| b.units()).collect();
    if balances[0] > 0 && round > row.best.round {
        balances[0] -= 1;
        balances[1] += 1;
    }
    let balances: Vec<Amount> = balances.into_iter().map(Amount::from_units).collect();
    let balances = Bounded::try_from(balances).unwrap();
    let state = RoundState { round, balances, is_final: false, ..row.best };
    let members = case.till.field_keys(field);
    let find = |key| case.keys.iter().find(|own| own.public() == key).unwrap();
    let seal = |state: RoundState| {
        let signatures: Vec<_> =
            members.iter().map(|key| find(*key).sign(case.chain, &state)).collect();
        SealedState { state, signatures: Bounded::try_from(signatures).unwrap() }
    };
    Some(match dice.below(16) {
        0 | 1 => FieldAct::SoloClose { field, state: Some(Box::new(seal(state))) },
        2 => FieldAct::SoloClose { field, state: None },
        3..=7 => FieldAct::Post(Box::new(seal(state))),
        8 | 9 => FieldAct::Challenge { field, round: round + 1 },
        10 if dice.chance(10) => {
            let SealedState { state, signatures } = seal(RoundState { is_final: true, ..state });
            FieldAct::Close { state, seal: Seal::Each(signatures) }
        }
        11 | 12 => amend(case, state, &members, dice),
        _ => FieldAct::Enforce(field),
    })
}

/// Somebody joins or leaves, or all pay in.
fn amend(case: &Case, last: RoundState, before: &[PublicKey], dice: &mut Dice) -> FieldAct {
    let count = dice.between((2, 4)) as usize;
    let start = dice.below(2) as usize;
    let mut members: Vec<Member> = case.keys[start..4.min(start + count)]
        .iter()
        .map(|key| {
            let deposit = Amount::from_units(u128::from(dice.between((1, 500))));
            Member { key: key.public(), deposit }
        })
        .collect();
    members.sort_by_key(Member::address);
    let members = Bounded::try_from(members).unwrap();
    let amendment = Amendment { last, members, until: Height(1000), aggregate: None };
    let find = |key| case.keys.iter().find(|own| own.public() == key).unwrap();
    let signers = amendment.signers(before);
    let signatures: Vec<_> =
        signers.iter().map(|key| find(*key).sign(case.chain, &amendment)).collect();
    FieldAct::Amend { amendment, signatures: Bounded::try_from(signatures).unwrap() }
}
