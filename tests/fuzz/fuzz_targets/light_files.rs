//! See `antiphon_tests::fuzz::light_files`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::light_files(data);
});
