//! Bad input gives a typed error, loses nothing and grows nothing: every fuzz target over its corpus and over thousands
//! of spoilt copies of it, from a fixed seed. ADVERSARIAL case 30.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what breaks here, outside of a test function, is still a test"
)]

use antiphon_tests::fuzz::{self, Spoiler, TARGETS, Target};
use std::{collections::BTreeMap, fs, path::PathBuf};

/// Spoilt inputs a target, and a machine, which runs a hundred inputs in one.
const CASES: u32 = 1000;
const MACHINE_CASES: u32 = 25;

fn folder(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target.name)
}

/// Returns the committed inputs of a target: its seeds, and whatever broke it once.
fn corpus(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder(target)).unwrap().map(|file| file.unwrap());
    let name = |file: &fs::DirEntry| file.file_name().into_string().unwrap();
    files.map(|file| (name(&file), fs::read(file.path()).unwrap())).collect()
}

/// Runs one input; if that panics, the input is printed, to be kept in the corpus.
fn run(target: &Target, input: &[u8]) -> &'static str {
    let verdict = std::panic::catch_unwind(|| (target.run)(input));
    verdict.unwrap_or_else(|_| panic!("{} breaks on {}", target.name, hex::encode(input)))
}

fn over_corpus_and_spoilt_copies(wanted: impl Fn(&Target) -> bool, cases: u32) {
    for target in TARGETS.iter().filter(|target| wanted(target)) {
        let inputs: Vec<_> = corpus(target).into_values().collect();
        let mut verdicts: BTreeMap<_, u32> = BTreeMap::new();
        for input in &inputs {
            *verdicts.entry(run(target, input)).or_default() += 1;
        }
        let mut spoiler = Spoiler::default();
        for _ in 0..cases {
            let spoilt = spoiler.one_of(&inputs);
            *verdicts.entry(run(target, &spoilt)).or_default() += 1;
        }
        assert!(verdicts.contains_key("ok"), "{} accepts nothing: {verdicts:?}", target.name);
    }
}

fn is_machine(target: &Target) -> bool {
    target.name.ends_with("_machine")
}

#[test]
fn decoders_take_one_encoding_or_none_and_never_panic() {
    over_corpus_and_spoilt_copies(|target| !is_machine(target), CASES);
}

#[test]
fn machines_keep_their_promises_whatever_they_are_told() {
    over_corpus_and_spoilt_copies(is_machine, MACHINE_CASES);
}

#[test]
fn every_decoder_names_what_is_wrong() {
    for target in TARGETS.iter().filter(|target| !is_machine(target)) {
        for (name, seed) in (target.seeds)() {
            let long = [&seed[..], &[0; 9]].concat();
            let verdicts =
                [run(target, &[]), run(target, &seed[..seed.len() / 2]), run(target, &long)];
            let named =
                verdicts.iter().all(|verdict| *verdict == "ok" || verdict.contains(['/', ' ']));
            assert!(named, "{} {name}: {verdicts:?}", target.name);
        }
    }
}

#[test]
fn the_committed_seeds_are_those_of_this_version() {
    for target in TARGETS {
        let committed = corpus(target);
        for (name, seed) in (target.seeds)() {
            let same = committed.get(name).is_some_and(|held| *held == seed);
            assert!(
                same,
                "corpus/{}/{name} is old: cargo run -p antiphon-tests --example write_seeds",
                target.name
            );
            assert!(seed.len() <= 16 * 1024, "corpus/{}/{name} is large", target.name);
        }
    }
}

#[test]
fn the_honest_run_of_a_client_plays_pays_serves_and_earns() {
    let target = TARGETS.iter().find(|target| target.name == "client_machine").unwrap();
    let (_, whole) = (target.seeds)().into_iter().find(|(name, _)| *name == "whole").unwrap();
    let outcome = fuzz::client_outcome(&whole);
    assert!(outcome.delivered >= 4 && outcome.from_peers > 0, "{outcome:?}");
    assert!(outcome.served > 0 && outcome.earned > 44 && outcome.promised > 0, "{outcome:?}");
    assert_eq!(outcome.final_height, 24, "{outcome:?}");
    let seed = |(name, _): &(&str, Vec<u8>)| *name == "explored";
    let (_, explored) = (target.seeds)().into_iter().find(seed).unwrap();
    let outcome = fuzz::client_outcome(&explored);
    assert!(outcome.found >= 3, "a look-up of a seed finds nothing: {outcome:?}");
}
