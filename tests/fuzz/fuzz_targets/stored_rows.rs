//! See `antiphon_tests::fuzz::stored_rows`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::stored_rows(data);
});
