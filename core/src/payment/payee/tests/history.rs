//! Random histories of vouchers, writes, crashes and blocks.

use super::*;
use crate::payment::reservation::Bearer;
use proptest::prelude::*;

/// What happens in a random history.
#[derive(Clone, Debug)]
enum Step {
    Give(u64, u128),
    Write,
    Crash,
    Blocks(u64),
    Include,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..40_u64, 0..250_u128).prop_map(|(seq, cum)| Step::Give(seq, cum)),
        4 => Just(Step::Write),
        1 => Just(Step::Crash),
        2 => (1..20_u64).prop_map(Step::Blocks),
        2 => Just(Step::Include),
    ]
}

proptest! {
    // A10.7: exposure ≤ e_max; every credit is durable; the chain honours every settlement ordered in time.
    #[test]
    fn exposure_stays_bounded_and_credits_survive_crashes(
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let (mut payee, mut rows) = (ready(), Rows::new());
        let (mut chain, mut row, mut height) = (state(), PaidState::default(), Height(10));
        let (mut writes, mut orders, mut credited) = (Vec::new(), Vec::new(), Amount::ZERO);
        for step in steps {
            let mut out = Vec::new();
            let proof = |chain: &PoolState, row| {
                Proof { state: chain.clone(), paid: row, height, level: Level::Final }
            };
            match step {
                Step::Give(seq, cum) => out = give(&mut payee, &signed(seq, cum)),
                Step::Write if !writes.is_empty() => {
                    let (token, name, bytes) = writes.remove(0);
                    rows.insert(name, bytes);
                    out = feed(&mut payee, Input::Stored(token));
                }
                Step::Write => {}
                Step::Crash => {
                    writes.clear();
                    payee = fresh(&rows);
                    out.extend(feed(&mut payee, Input::Offered(PEER, id())));
                    out.extend(feed(&mut payee, Input::Tip(height)));
                    out.extend(feed(&mut payee, Input::Proven(id(), Box::new(proof(&chain, row)))));
                }
                Step::Blocks(count) => {
                    height = Height(height.0.saturating_add(count).min(400));
                    out = feed(&mut payee, Input::Tip(height));
                }
                Step::Include => {
                    for voucher in orders.drain(..) {
                        let bearer = Bearer { chains: &[CHAIN], pool: id(), by: ME, height };
                        if let Ok(done) = chain.settle(&rules(), &row, &voucher, &bearer) {
                            (chain, row) = (done.pool, done.paid);
                        }
                    }
                    out = feed(&mut payee, Input::Proven(id(), Box::new(proof(&chain, row))));
                }
            }
            for output in out {
                match output {
                    Output::Store(token, name, Some(bytes)) => writes.push((token, name, bytes)),
                    Output::Credit(_, amount) => {
                        credited = credited.checked_add(amount).unwrap();
                    }
                    Output::Settle(voucher) => {
                        prop_assert_eq!(Some(&codec::encode(&voucher)), rows.get(&name(&id())));
                        orders.push(voucher);
                    }
                    Output::Store(_, _, None)
                    | Output::Lost(..)
                    | Output::Collect(_)
                    | Output::Insolvent(..) => prop_assert!(false, "not over"),
                    Output::NeedPool(_) | Output::Fault(..) | Output::Settled(..) => {}
                }
            }
            let durable = rows.get(&name(&id())).map_or(Amount::ZERO, |row| {
                codec::decode::<Promise>(row, MAX_PROMISE_BYTES).unwrap().worth().unwrap()
            });
            prop_assert!(credited <= durable, "{} credited, {} durable", credited, durable);
            prop_assert!(row.cum <= durable && chain.paid_total <= chain.deposit);
            for book in payee.view() {
                prop_assert!(book.exposure <= policy().max_exposure, "{:?}", book);
            }
        }
    }
}
