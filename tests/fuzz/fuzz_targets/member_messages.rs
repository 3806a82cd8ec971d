//! See `antiphon_tests::fuzz::member_messages`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::member_messages(data);
});
