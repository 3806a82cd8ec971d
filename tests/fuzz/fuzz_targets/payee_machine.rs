//! See `antiphon_tests::fuzz::payee_machine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::payee_machine(data);
});
