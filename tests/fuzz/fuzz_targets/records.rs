//! See `antiphon_tests::fuzz::records`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::records(data);
});
