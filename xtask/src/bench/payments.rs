//! What a payment costs: received and checked per second, and its bytes beside those of others.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use super::{ENGINES, Figures};

/// Ticks that a core receives and checks in a second, native and in wasm: goals of the plan's issue 4.
const GOALS: [f64; 3] = [1_000_000.0, 200_000.0, 200_000.0];

/// Writes the section.
///
/// # Errors
///
/// The program measured no vouchers, or no ticks.
pub(super) fn write(document: &mut String, figures: &Figures) -> Result<()> {
    document.push_str(
        "\n## What a payment costs\n\n\
         On one core. *Ticks*: the payee's machine as a host drives it, its writes among it: one hash each, and one\n\
         voucher for each 4096. The limit is the bare hash.\n\n\
         | payment | bytes | engine | received and checked | goal | limit | given |\n|---|---|---|---|---|---|---|\n",
    );
    let rows = [
        ("voucher", "89", "voucher: check", "voucher: sign"),
        ("tick", "32", "tick: receive, check, count", "tick: reveal"),
    ];
    for (payment, bytes, received, given) in rows {
        for (index, engine) in ENGINES.into_iter().enumerate() {
            let rate = |name| figures.nanos(name, index).map(|nanos| 1e9 / nanos);
            let checked = rate(received).context("no figures of payments")?;
            let limit = 1e9 / figures.bare_nanos(received, index).context("no bare figures")?;
            let goal = GOALS.get(index).filter(|_| payment == "tick");
            let goal = goal.map_or_else(String::new, |goal| format!("≥ {goal:.0}/s"));
            let given = rate(given).context("no figures of payments")?;
            writeln!(
                document,
                "| {payment} | {bytes} | {engine} | {checked:.0}/s | {goal} | {limit:.0}/s | {given:.0}/s |"
            )?;
        }
    }
    document.push_str("\nFor comparison, by FIELD-NOTES: µRaiden about 113 bytes, Theta about 144, each with a signature.\n");
    Ok(())
}
