use super::*;
use crate::crypto::{SecretKey, bls::BlsSecretKey};
use alloc::vec::Vec;
use proptest::prelude::*;

const fn units(units: u128) -> Amount {
    Amount::from_units(units)
}

fn rules() -> StakeRules {
    StakeRules {
        committee: 2,
        guardians: 4,
        min_validator: units(100),
        min_guardian: units(10),
        unbond: 50,
        evidence: 30,
        inactivity: 20,
        proposal_penalty: 5,
        bounty: units(3),
        lottery: None,
        mint: Bounded::default(),
    }
}

fn guardian_key(n: u8) -> BlsPublicKey {
    BlsSecretKey::from_seed(&[n; 32]).unwrap().public()
}

fn candidate(n: u8, own: u128, total: u128) -> Candidate {
    Candidate {
        address: Address([n; 20]),
        guardian: guardian_key(n),
        validator: Some(SecretKey::from_bytes(&[n; 32]).public()),
        own: units(own),
        total: units(total),
        standing: Standing::Good,
    }
}

fn staker(total: u128) -> Staker {
    Staker { total: units(total), ..Staker::new(guardian_key(1), None, Height(0)) }
}

#[test]
fn the_heaviest_are_elected_and_everybody_with_enough_finalises() {
    let all = [
        candidate(1, 100, 100),
        candidate(2, 100, 300),
        candidate(3, 100, 200),
        candidate(4, 99, 900),
        candidate(5, 0, 9),
    ];
    let (validators, guardians) = elect(&rules(), Height(8), &all);
    let validators = validators.unwrap();
    assert_eq!(validators.since, Height(8));
    let weights: Vec<u64> = validators.members.iter().map(|member| member.weight).collect();
    assert!(
        weights.contains(&300) && weights.contains(&200),
        "{weights:?}: the own bond decides who may"
    );
    assert_eq!(validators.members.len(), 2);
    assert_eq!(guardians.unwrap().members.len(), 4, "all but the one below the least");
    let few = StakeRules { guardians: 2, ..rules() };
    let (_, guardians) = elect(&few, Height(8), &all);
    let weights: Vec<u64> = guardians.unwrap().members.iter().map(|m| m.weight).collect();
    assert!(weights.contains(&900) && weights.contains(&300), "{weights:?}: the heaviest");
}

#[test]
fn of_two_that_weigh_the_same_the_smaller_address_is_elected() {
    let all = [candidate(3, 100, 100), candidate(2, 100, 100), candidate(1, 100, 100)];
    let (validators, _) = elect(&rules(), Height(0), &all);
    let key = |n: usize| all[n].validator.unwrap();
    let validators = validators.unwrap();
    assert!(validators.index_of(&key(1)).is_some() && validators.index_of(&key(2)).is_some());
    assert!(validators.index_of(&key(0)).is_none());
}

#[test]
fn the_idle_do_not_settle_and_the_tombstoned_do_nothing() {
    let idle = Candidate { standing: Standing::Idle, ..candidate(1, 100, 100) };
    let dead = Candidate { standing: Standing::Tombstoned, ..candidate(2, 100, 100) };
    let (validators, guardians) = elect(&rules(), Height(0), &[idle, dead]);
    assert_eq!(validators, None);
    assert_eq!(guardians.unwrap().members.len(), 1);
}

#[test]
fn a_penalty_reaches_what_is_leaving() {
    let bond = Bond { amount: units(100), ..Bond::default() };
    let bond = bond.decreased(units(60), Height(50)).unwrap();
    let (left, penalty) = bond.slashed(100);
    assert_eq!((penalty.taken, penalty.bonded), (units(100), units(40)));
    assert_eq!(left.held(), Some(Amount::ZERO));
    let (_, small) = bond.slashed(5);
    assert_eq!((small.taken, small.bonded), (units(5), units(2)));
}

#[test]
fn a_leaving_part_goes_at_its_height_and_not_before() {
    let bond = Bond { amount: units(10), ..Bond::default() };
    let bond = bond.decreased(units(4), Height(50)).unwrap();
    assert_eq!(bond.withdrawn(Height(49)), (bond.clone(), Amount::ZERO));
    let (rest, out) = bond.withdrawn(Height(50));
    assert_eq!((rest.held(), out), (Some(units(6)), units(4)));
}

#[test]
fn only_what_is_bonded_can_leave_and_only_in_some_parts() {
    let mut bond = Bond { amount: units(100), ..Bond::default() };
    let asked = bond.decreased(units(101), Height(1));
    assert_eq!(asked, Err(BondError::TooLittle { bonded: units(100), asked: units(101) }));
    assert_eq!(bond.decreased(Amount::ZERO, Height(1)), Err(BondError::BadAmount));
    for _ in 0..MAX_LEAVING {
        bond = bond.decreased(units(1), Height(1)).unwrap();
    }
    assert_eq!(bond.decreased(units(1), Height(1)), Err(BondError::TooManyLeaving));
}

#[test]
fn rules_that_let_offenders_withdraw_first_are_refused() {
    let good = rules();
    assert_eq!(good.check(16), Ok(()));
    let late = StakeRules { evidence: 34, ..rules() };
    assert_eq!(late.check(16), Err(StakeRulesError::UnbondTooShort));
    let free = StakeRules { min_guardian: Amount::ZERO, ..rules() };
    assert_eq!(free.check(16), Err(StakeRulesError::BadMinimum));
    let nobody = StakeRules { committee: 0, ..rules() };
    assert_eq!(nobody.check(16), Err(StakeRulesError::BadCommittee));
    let many = StakeRules { guardians: 5121, ..rules() };
    assert_eq!(many.check(16), Err(StakeRulesError::BadCommittee));
    let cruel = StakeRules { proposal_penalty: 101, ..rules() };
    assert_eq!(cruel.check(16), Err(StakeRulesError::BadPenalty));
    let step = |since| MintStep { since: Height(since), pot: units(1) };
    let mint = Bounded::try_from(alloc::vec![step(2), step(2)]).unwrap();
    assert_eq!(StakeRules { mint, ..rules() }.check(16), Err(StakeRulesError::BadMint));
}

#[test]
fn the_pot_is_that_of_the_last_step() {
    let step = |since, pot| MintStep { since: Height(since), pot: units(pot) };
    let mint = Bounded::try_from(alloc::vec![step(8, 50), step(80, 25)]).unwrap();
    let rules = StakeRules { mint, ..rules() };
    let pots = [0, 7, 8, 79, 80, 900].map(|height| rules.pot(Height(height)).units());
    assert_eq!(pots, [0, 0, 50, 50, 25, 25]);
}

proptest! {
    #[test]
    fn rewards_are_shared_by_weight_and_never_exceed_the_pot(
        bonds in proptest::collection::vec(1..1_u128 << 56, 1..8),
        rewards in proptest::collection::vec(0..1_u128 << 60, 1..8),
    ) {
        let total: u128 = bonds.iter().sum();
        let mut row = staker(total);
        for reward in &rewards {
            row = row.rewarded(units(*reward)).unwrap();
        }
        let paid: u128 = rewards.iter().sum();
        let mut sum = 0;
        for amount in &bonds {
            let bond = Bond { amount: units(*amount), ..Bond::default() };
            let (after, next, due) = bond.claimed(&row);
            let (_, _, again) = after.claimed(&next);
            prop_assert_eq!(again, Amount::ZERO, "a reward is paid once");
            let fair = paid / total * amount + paid % total * amount / total;
            prop_assert!(due.units() <= fair && due.units() + 2 * rewards.len() as u128 >= fair);
            row = next;
            sum += due.units();
        }
        prop_assert!(sum <= paid);
        prop_assert_eq!(row.unclaimed.units(), paid - sum, "what is not paid stays");
    }

    #[test]
    fn penalties_take_what_they_say_and_no_more(
        amount in 0..u128::MAX / 8, leaving in 1..u128::MAX / 8, percent in 1..=100_u8,
    ) {
        let bond = Bond { amount: units(amount.saturating_add(leaving)), ..Bond::default() };
        let bond = bond.decreased(units(leaving), Height(1)).unwrap();
        let (left, penalty) = bond.slashed(percent);
        let held = left.held().unwrap().units() + penalty.taken.units();
        prop_assert_eq!(held, bond.held().unwrap().units());
        prop_assert!(penalty.bonded <= penalty.taken);
        prop_assert!(percent < 100 || left.held() == Some(Amount::ZERO));
    }
}
