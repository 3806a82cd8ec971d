//! See `antiphon_tests::fuzz::fields`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::fields(data);
});
