//! The public vectors give the verdicts that their files ask for. ADVERSARIAL cases 28 and 30.

use antiphon_tests::vector::{self, Log};

const ED25519: &str = include_str!("../vectors/wycheproof/wycheproof_ed25519_test.json");
const POP: &str = include_str!("../vectors/wycheproof/bls_sig_g2_pop_verify.json");
const BASIC: &str = include_str!("../vectors/wycheproof/bls_sig_g2_basic_verify.json");
const AGGREGATE: &str = include_str!("../vectors/wycheproof/bls_sig_g2_aggregate_verify.json");
const HASH: &str = include_str!("../vectors/wycheproof/bls_hash_to_g2.json");
const LIGHT_CLIENT: &str = include_str!("../vectors/light-client.json");
const RFC6962: &str = include_str!("../vectors/rfc6962.json");

/// Checks that our code agrees on every case, and that there are as many as we know of.
fn agree(log: Log, valid: usize, cases: usize) {
    assert_eq!(log.disagreements(), Vec::<&vector::Verdict>::new());
    assert_eq!(log.counts(), (valid, cases));
}

#[test]
fn wycheproofs_151_ed25519_verdicts_are_ours() {
    agree(vector::ed25519(ED25519).unwrap(), 88, 151);
}

#[test]
fn wycheproofs_26_verdicts_under_the_pop_ciphersuite_are_our_apis() {
    agree(vector::verify(POP).unwrap(), 13, 26);
}

#[test]
fn wycheproofs_other_bls_verdicts_are_those_of_blst_as_we_use_it() {
    agree(vector::verify(BASIC).unwrap(), 29, 88);
    agree(vector::aggregate_verify(AGGREGATE).unwrap(), 6, 19);
    agree(vector::hash_to_g2(HASH).unwrap(), 34, 34);
}

#[test]
fn all_196_rfc_6962_files_get_their_verdicts() {
    agree(vector::rfc6962(RFC6962).unwrap(), 12, 196);
}

/// PROTOCOL A7.3, ADVERSARIAL case 27: 41 files of 99 steps, each with the file's word for it.
#[test]
fn all_41_model_based_files_of_tendermint_get_their_verdict_at_every_step() {
    let log = vector::light_client(LIGHT_CLIENT).unwrap();
    agree(log.clone(), 99, 99);
    let count = |word: &str| log.0.iter().filter(|v| v.case.contains(&format!(": {word}"))).count();
    assert_eq!(["SUCCESS", "NOT_ENOUGH_TRUST", "INVALID"].map(count), [44, 42, 13]);
    let wrong = LIGHT_CLIENT.replacen("NOT_ENOUGH_TRUST", "SUCCESS", 1);
    assert_eq!(vector::light_client(&wrong).unwrap().disagreements().len(), 1);
}

#[test]
fn a_verdict_turned_round_is_noticed() {
    let wrong = ED25519.replacen("\"result\": \"valid\"", "\"result\": \"invalid\"", 1);
    assert_eq!(vector::ed25519(&wrong).unwrap().disagreements().len(), 1);
    let missing = ED25519.replacen("\"numberOfTests\": 151", "\"numberOfTests\": 150", 1);
    assert!(vector::ed25519(&missing).is_err());
}
