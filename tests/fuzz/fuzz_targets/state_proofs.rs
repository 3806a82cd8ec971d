//! See `antiphon_tests::fuzz::state_proofs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::state_proofs(data);
});
