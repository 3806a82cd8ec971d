//! See `antiphon_tests::fuzz::member_machine`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    antiphon_tests::fuzz::member_machine(data);
});
