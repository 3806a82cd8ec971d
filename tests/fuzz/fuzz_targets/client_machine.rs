//! See `antiphon_tests::fuzz::client_machine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::client_machine(data);
});
