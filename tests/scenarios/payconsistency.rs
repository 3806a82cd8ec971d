//! Whatever crashes, is lost, doubled or overtaken: no money is made or lost, nobody promises twice, nobody risks more than it
//! said. PROTOCOL A10.1, A10.6, A10.7. A million steps: `cargo run --release -p antiphon-tests --example payconsistency`.

use antiphon_tests::{
    payconsistency::{Report, run_seed},
    sim::Seed,
};

/// Bytes of one run: about four make a step.
const LENGTH: usize = 4_000;

#[test]
fn thousands_of_steps_of_accounts_that_crash_and_cheat_break_no_rule_of_money() {
    let first = Seed::or(1).number();
    let runs = (first..first + 8).map(|seed| run_seed(seed, LENGTH));
    let total = runs.fold(Report::default(), Report::and);
    assert!(total.steps > 6_000 && total.blocks > 1_500 && total.included > 500, "{total:?}");
    assert!(total.overdrawn > 1, "{total:?}");
    assert!(total.vouchers > 150 && total.crashes > 40, "{total:?}");
    assert!(total.committed > 20, "{total:?}");
}
