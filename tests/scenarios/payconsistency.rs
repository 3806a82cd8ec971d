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
    let runs = (first..first + 16).map(|seed| run_seed(seed, LENGTH));
    let total = runs.fold(Report::default(), Report::and);
    assert!(total.steps > 12_000 && total.blocks > 3_000 && total.included > 1_000, "{total:?}");
    assert!(total.overdrawn > 0, "{total:?}");
    assert!(total.vouchers > 300 && total.crashes > 80, "{total:?}");
    assert!(total.committed > 40, "{total:?}");
}

/// A6.15. Its row was written before the chain's last block that could be shown it, and came after.
#[test]
fn seed_33_a_state_that_was_stored_too_late_is_not_shown_as_money_by_who_starts_again() {
    run_seed(33, LENGTH);
}
