//! Runs so many payment fields in the simulator, closes them all, and prints what they did as a line of JSON: counts, and
//! the processor time of all of it beside that of the bare signatures and checks that the rules demand.
//!
//! `cargo run --release -p antiphon-tests --example fields -- SEED FIELDS PAYMENTS`, with the payments of one field.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a program for a terminal"
)]

#[cfg(not(target_family = "wasm"))]
mod native {
    use antiphon_core::crypto::{Hash, SecretKey};
    use antiphon_tests::sim::fields::many::{self, Many};
    use std::{fs, process::ExitCode};

    /// Signatures and checks of one sample.
    const SAMPLE: u32 = 2000;

    pub(super) fn main() -> ExitCode {
        let numbers: Vec<u64> =
            std::env::args().skip(1).map(|text| text.parse().unwrap()).collect();
        let [seed, fields, payments] = numbers[..] else {
            eprintln!("SEED FIELDS PAYMENTS");
            return ExitCode::FAILURE;
        };
        let (before, start) = (bare(), used());
        let all = many::run(seed, fields, usize::try_from(payments).unwrap());
        let (spent, after) = (used() - start, bare());
        print(&all, spent, [(before.0 + after.0) / 2.0, (before.1 + after.1) / 2.0]);
        ExitCode::SUCCESS
    }

    fn print(all: &Many, spent: f64, [sign, check]: [f64; 2]) {
        let share = all.signatures as f64 * sign + all.checks as f64 * check;
        let each = |micros: f64| micros / all.payments as f64;
        let line = serde_json::json!({
            "fields": all.fields,
            "members": all.members,
            "payments": all.payments,
            "rounds": all.rounds,
            "told": all.told.1,
            "toldBytes": all.told.0,
            "bytes": all.bytes,
            "transactions": all.transactions,
            "micros": each(spent),
            "bareMicros": each(share),
        });
        println!("{line}");
    }

    /// Times one signature and one check, in microseconds of the processor.
    fn bare() -> (f64, f64) {
        let key = SecretKey::from_bytes(&[7; 32]);
        let (digest, public) = (Hash([9; 32]), key.public().ready().unwrap());
        let signature = key.sign_digest(digest);
        let sign = timed(|| {
            std::hint::black_box(key.sign_digest(std::hint::black_box(digest)));
        });
        let check = timed(|| public.verify(&std::hint::black_box(digest).0, &signature).unwrap());
        (sign, check)
    }

    fn timed(work: impl Fn()) -> f64 {
        let start = used();
        (0..SAMPLE).for_each(|_| work());
        (used() - start) / f64::from(SAMPLE)
    }

    /// Returns the processor time of this thread so far, in microseconds: other programs of a busy machine are not in it.
    fn used() -> f64 {
        let running = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let nanos: f64 = running.split_whitespace().next().unwrap().parse().unwrap();
        nanos / 1e3
    }
}

#[cfg(not(target_family = "wasm"))]
fn main() -> std::process::ExitCode {
    native::main()
}

#[cfg(target_family = "wasm")]
fn main() {}
