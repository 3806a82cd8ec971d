#![allow(clippy::cast_precision_loss, reason = "statistics")]

use super::*;
use crate::{chain::set::Guardian, crypto::bls::BlsPublicKey};
use alloc::vec;

const CHAIN: ChainId = ChainId(Hash([5; 32]));
const POT: Amount = Amount::from_units(1_000);

#[test]
fn the_comparison_is_exact_at_its_boundary() {
    // K·w = W/2: half of all tickets win, and ⌊(2²⁵⁶ − 1)/2⌋ = 2²⁵⁵ − 1 is the first that does not.
    let rules = rules(1);
    let (mut below, mut at) = ([0xff; 32], [0xff; 32]);
    (below[0], at[0]) = (0x7f, 0x7f);
    below[31] = 0xfe;
    assert!(rules.wins(&Hash(below), 3, 6));
    assert!(!rules.wins(&Hash(at), 3, 6));
    // K·w ≥ W: all win but the last ticket of all.
    assert!(rules.wins(&Hash([0xfe; 32]), 6, 6));
    assert!(!rules.wins(&Hash([0xff; 32]), 6, 6));
    let heavy = (1_u64 << 62) - 1;
    assert!(rules.wins(&Hash(below), heavy / 2 + 1, heavy), "no overflow at the heaviest");
    assert!(!rules.wins(&Hash([0; 32]), 0, 6), "no weight, no win");
}

/// ADVERSARIAL case 16: the proposer chooses whose signatures it shows before the mix is known, and whatever it chooses,
/// nobody's ticket changes.
#[test]
fn whatever_signatures_are_shown_the_tickets_are_the_same() {
    let (rules, set, mix) = (rules(14), set(14), Hash([7; 32]));
    let draw = |places: &[usize]| {
        let draw = Draw { checkpoint: Height(8), participants: bits(places), ..Draw::default() };
        rules.outcome(CHAIN, mix, &draw, &set, POT).winners
    };
    let all = draw(&(0..14).collect::<Vec<_>>());
    assert_eq!(all.len(), 14, "with as many prizes as guardians, all win");
    for subset in 0..1_usize << 12 {
        let shown: Vec<usize> =
            (0..12).filter(|bit| subset >> bit & 1 == 1).chain([12, 13]).collect();
        let keys: Vec<_> = shown.iter().map(|place| set.members[*place].key).collect();
        let expected: Vec<_> = all.iter().filter(|key| keys.contains(key)).copied().collect();
        assert_eq!(draw(&shown), expected, "in the same order, whoever is left out");
    }
}

#[test]
fn another_mix_or_checkpoint_is_another_draw() {
    let key = keys(9)[4];
    let first = ticket(CHAIN, Hash([7; 32]), Height(8), &key);
    assert_ne!(ticket(CHAIN, Hash([7; 32]), Height(16), &key), first);
    assert_ne!(ticket(CHAIN, Hash([8; 32]), Height(8), &key), first);
    assert_ne!(ticket(ChainId(Hash([6; 32])), Hash([7; 32]), Height(8), &key), first);
}

/// ADVERSARIAL case 16: one stake split into a hundred wins as much as before.
#[test]
fn splitting_a_stake_changes_nothing() {
    let rules = rules(4);
    let draws = 100_000_u32;
    // Ann has a tenth of the weight, whole or in a hundred parts.
    let (mut whole, mut split) = (0_u32, 0_u32);
    for n in 0..draws {
        let random = |part: u32| Hash::of(&[&n.to_le_bytes(), &part.to_le_bytes()]);
        whole += u32::from(rules.wins(&random(0), 100, 1000));
        split += (1..=100).map(|part| u32::from(rules.wins(&random(part), 1, 1000))).sum::<u32>();
    }
    let expected = f64::from(draws) * 0.4;
    let deviation = (f64::from(draws) * 0.4).sqrt();
    for count in [whole, split] {
        let off = (f64::from(count) - expected).abs();
        assert!(off < 3.0 * deviation, "{count} of {draws}, expected {expected}");
    }
}

#[test]
fn no_more_is_paid_than_the_pot_and_the_rest_rolls_over() {
    for winners in [1, 2, 3, 7, 50] {
        let rules = rules(winners);
        let set = set(9);
        for n in 0..300_u32 {
            let mix = Hash::of(&[&n.to_le_bytes()]);
            let draw = Draw {
                checkpoint: Height(8),
                participants: bits(&[0, 1, 4, 8]),
                ..Draw::default()
            };
            let outcome = rules.outcome(CHAIN, mix, &draw, &set, POT);
            assert!(outcome.winners.len() <= usize::from(winners).min(4));
            let paid = outcome.prize.units() * outcome.winners.len() as u128;
            assert_eq!(paid + outcome.rolled.units(), POT.units());
            for key in &outcome.winners {
                let place = set.members.iter().position(|member| member.key == *key).unwrap();
                assert!([0, 1, 4, 8].contains(&place), "who did not sign wins nothing");
            }
        }
    }
}

#[test]
fn the_bonus_grows_from_nothing_to_its_share_and_no_further() {
    let rules = LotteryRules { proposer_percent: 10, ..rules(3) };
    let bonus = |weight| rules.bonus(weight, 67, 100).units();
    assert_eq!((bonus(66), bonus(67), bonus(84), bonus(100), bonus(200)), (0, 0, 51, 100, 100));
    assert_eq!(rules.bonus(1, 1, 1), Amount::ZERO, "a set of one shows nothing by showing all");
}

#[test]
fn rules_that_pay_nobody_or_all_to_the_proposer_are_unsound() {
    assert!(rules(1).is_sound());
    assert!(!rules(0).is_sound());
    assert!(!LotteryRules { proposer_percent: 100, ..rules(1) }.is_sound());
}

fn rules(winners: u16) -> LotteryRules {
    LotteryRules { winners, pot: POT, proposer_percent: 0 }
}

fn bits(places: &[usize]) -> Bounded<u8, MAX_BITS> {
    let mut bits = vec![0; 2];
    for place in places {
        bits[place / 8] |= 1 << (place % 8);
    }
    bits.try_into().unwrap()
}

fn keys(count: u8) -> Vec<BlsPublicKey> {
    (0..count).map(|n| BlsPublicKey([n; 96])).collect()
}

fn set(count: u8) -> GuardianSet {
    let members = keys(count).into_iter().map(|key| Guardian { key, weight: 5 });
    let members: Vec<_> = members.collect();
    let aggregate = BlsPublicKey([0; 96]);
    GuardianSet { since: Height(0), members: members.try_into().unwrap(), aggregate }
}
