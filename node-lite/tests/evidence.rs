//! `antiphon evidence check`, as a person and as a program meet it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of a test may panic")]

use antiphon_core::{
    amount::Amount,
    crypto::{Hash, SecretKey, Signed},
    id::{Address, ChainId, Height, StreamId},
    payment::{
        reservation::{Overdraft, PoolRules, PoolTerms},
        voucher::{Promise, Voucher},
    },
};
use antiphon_node::evidence::{Exhibit, File, Stated};
use std::{fs, path::Path, process::Command};

const CHAIN: ChainId = ChainId(Hash([1; 32]));
/// Evidence was checked and shows nothing.
const SHOWS_NOTHING: i32 = 13;

#[test]
fn a_file_is_checked_with_a_sentence_a_line_of_json_and_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("overdraft.evidence");
    fs::write(&path, overdraft(60).to_bytes()).unwrap();
    let (code, text) = check(&path, &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("HOLDS: ") && text.contains("120 units"), "{text}");
    let (code, text) = check(&path, &["--json"]);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &line["holds"], &line["promised"]), (0, &true.into(), &"120".into()));

    fs::write(&path, overdraft(40).to_bytes()).unwrap();
    let (code, text) = check(&path, &["--json"]);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &line["code"]), (SHOWS_NOTHING, &"overdraft/covered".into()));
    let (code, text) = check(&path, &[]);
    assert_eq!((code, text.as_str()), (SHOWS_NOTHING, ""), "nothing on standard output");

    fs::write(&path, "something else").unwrap();
    let (code, text) = check(&path, &["--json"]);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &line["code"]), (SHOWS_NOTHING, &"evidence/not-evidence".into()));
    let (code, _) = check(&folder.path().join("none"), &[]);
    assert_eq!(code, 1, "no file");
    let (code, _) = check(&path, &["--chain", "none.toml"]);
    assert_eq!(code, 2, "no chain file");
}

fn check(path: &Path, more: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command.args(["evidence", "check"]).arg(path).args(more).env_remove("ANTIPHON_CHAIN");
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Promises of so much to each of two, out of a deposit of 100.
fn overdraft(each: u128) -> File {
    let key = SecretKey::from_bytes(&[7; 32]);
    let units = Amount::from_units;
    let terms = PoolTerms {
        creator: key.public(),
        nonce: 9,
        resource: StreamId(Hash([3; 32])),
        deposit: units(100),
        collateral: units(102),
        end_height: Height(400),
    };
    let state = terms.open(&PoolRules::for_chain(4, 8), Height(1)).unwrap();
    let (pool, resource) = (terms.id(CHAIN), terms.resource);
    let promises: Vec<Promise> = [4, 5]
        .map(|target| {
            let (target, cum) = (Address([target; 20]), units(each));
            let body = Voucher { pool, resource, target, seq: 1, cum, ticks: None };
            Signed::new(&key, CHAIN, body).into()
        })
        .to_vec();
    let rows = vec![Default::default(); 2].try_into().unwrap();
    let overdraft = Overdraft { pool, promises: promises.try_into().unwrap() };
    let stated = Stated { nonce: terms.nonce, state, rows, overdraft };
    File { chain: CHAIN, exhibit: Exhibit::Overdraft(Box::new(stated)) }
}
