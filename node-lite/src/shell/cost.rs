//! `antiphon cost`: what listening to a stream takes and costs.

use super::chain_file::DECIMALS;
use antiphon_core::{
    amount::Amount,
    delivery::cost::{Cost, lasts},
};
use anyhow::Context as _;
use clap::Args;
use std::{fmt::Write as _, io::Write as _, time::Duration};

/// Which stream, and for how long.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Its bit rates, in thousands of bits a second.
    #[arg(long, value_delimiter = ',', default_values_t = [96, 160, 320], value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub kbps: Vec<u32>,
    /// What a chunk costs, in tokens.
    #[arg(long, default_value = "0.0001", value_parser = price)]
    pub price: Amount,
    /// How long a segment lasts, in milliseconds.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub segment_ms: u64,
    /// How many hours somebody listens.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub hours: u64,
    /// What the plan of a phone holds, in gigabytes.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub plan: u64,
}

fn price(text: &str) -> Result<Amount, String> {
    Amount::parse(text, DECIMALS).map_err(|error| error.to_string())
}

/// Prints a line for each bit rate.
///
/// # Errors
/// A price that no amount can hold.
pub fn run(options: &Options) -> anyhow::Result<()> {
    // Whoever reads it may have gone.
    let _ = std::io::stdout().write_all(table(options)?.as_bytes());
    Ok(())
}

fn table(options: &Options) -> anyhow::Result<String> {
    let Options { price, segment_ms, hours, plan, .. } = options;
    let listened = Duration::from_secs(hours.saturating_mul(3600));
    let mut text = format!(
        "{:>10}  {:>14}  {:>9}  {:>16}  a plan of {plan} GB lasts\n",
        "kbps",
        format!("MB in {hours} h"),
        "chunks",
        "tokens at most"
    );
    for kbps in &options.kbps {
        let bits = kbps.saturating_mul(1000);
        let cost = Cost::of(bits, Duration::from_millis(*segment_ms), listened);
        let tokens = price.checked_mul(cost.chunks).context("--price is more than there can be")?;
        let lasts = lasts(bits, plan.saturating_mul(1_000_000_000)).unwrap_or_default();
        let hours = lasts.as_secs_f64() / 3600.0;
        writeln!(
            text,
            "{kbps:>10}  {:>14}  {:>9}  {:>16}  {hours:.1} h",
            format!("{}.{}", cost.bytes / 1_000_000, cost.bytes / 100_000 % 10),
            cost.chunks,
            tokens.to_decimal(DECIMALS),
        )?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bit_rate_is_a_line_and_what_cannot_be_counted_is_refused() {
        let mut options = Options {
            kbps: vec![96, 128],
            price: Amount::parse("0.0001", DECIMALS).unwrap(),
            segment_ms: 2000,
            hours: 10,
            plan: 2,
        };
        let table = table(&options).unwrap();
        let words = |line: &str| line.split_whitespace().map(String::from).collect::<Vec<_>>();
        assert_eq!(table.lines().count(), 3);
        let hour = table.lines().last().map(words).unwrap();
        assert_eq!(hour, ["128", "576.0", "36000", "3.6", "34.7", "h"]);
        options.price = Amount::from_units(u128::MAX);
        assert!(super::table(&options).is_err());
    }
}
