//! Any acts in any order: nothing is made or lost, what is enforced never decreases, nothing annulled is enforced.

use super::*;
use crate::payment::field::Amendment;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A10.1, A10.8. [`Desk`] checks the sums and the rank after each act.
    #[test]
    fn no_order_of_acts_breaks_an_invariant(
        steps in prop::collection::vec((0_u8..7, 0_usize..4, 0_u32..9, 0_u64..60), 1..24),
    ) {
        let mut desk = Desk::open();
        let mut height = 2;
        let mut annulled: Vec<(u32, u32)> = Vec::new();
        for (kind, who, round, wait) in steps {
            height += wait;
            let _refused = step(&mut desk, height, kind, who, round);
            let version = desk.field.best.version;
            annulled.extend(desk.field.annulled.map(|from| (version, from)));
            let best = &desk.field.best;
            let is_annulled = annulled.iter().any(|(v, from)| *v == best.version && best.round >= *from);
            prop_assert!(!is_annulled, "an annulled round is enforced");
            if let Some(challenge) = desk.field.challenge {
                prop_assert!(challenge.round > best.round);
            }
            if let FieldStatus::Closing(closing) = desk.field.status {
                prop_assert!(closing.deadline <= closing.limit);
            }
        }
        // Whatever happened, one member alone gets everybody's money out.
        let _begun = desk.solo_close(height + 1, 0, None);
        for _ in 0..3 {
            height += DISPUTE + RESPONSE + 5 * MARGIN;
            let _due = desk.enforce(height);
        }
        prop_assert_eq!(desk.held(), 0);
        prop_assert_eq!(desk.gains.iter().sum::<i128>(), 0);
    }
}

fn step(desk: &mut Desk, height: u64, kind: u8, who: usize, round: u32) -> Result<(), FieldError> {
    let shift = u128::from(round) * 10;
    let balances = [100 - shift, 300 + shift, 200];
    match kind {
        0 => desk.solo_close(height, who, Some(&desk.sealed(round, balances))),
        1 => desk.solo_close(height, who, None),
        2 => desk.post(height, who, &desk.sealed(round, balances)),
        3 => desk.challenge(height, who, round),
        4 => desk.enforce(height),
        5 => desk.close(height, &desk.final_seal(round, balances)),
        _ => {
            let deposits = [100, 300, 200].map(Amount::from_units);
            let members = desk.keys.iter().zip(deposits);
            let members: Vec<_> =
                members.map(|(key, deposit)| Member { key: key.public(), deposit }).collect();
            let amendment = Amendment {
                last: desk.state(round, balances),
                members: Bounded::try_from(members).unwrap(),
                until: Height(height),
                aggregate: None,
            };
            let signatures: Vec<_> =
                desk.keys.iter().map(|key| key.sign(CHAIN, &amendment)).collect();
            desk.act(height, who, |field, keys, scene| {
                field.amend(keys, &amendment, &signatures, scene)
            })
        }
    }
}
