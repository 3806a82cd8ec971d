//! See `antiphon_tests::fuzz::typed_texts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::typed_texts(data);
});
