//! `antiphon account`: an Ed25519 account moves everything to a Falcon account, which pays on, each step proven and settled.

use super::{Chain, run};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const WORDS: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

#[test]
fn everything_moves_from_an_ed25519_account_to_a_falcon_account_which_pays_on() {
    let data = tempfile::tempdir().unwrap();
    let chain = Chain::start(&data.path().join("chain"));
    let keys = Keys::new(data.path());
    let (old, new) = (keys.make(&[]), keys.make(&["--falcon"]));
    assert!(old.starts_with('A') && new.starts_with('F'), "{old} {new}");
    assert_eq!(keys.make(&["--falcon"]), new, "made once");

    chain.faucet(&old);
    let began = Instant::now();
    while keys.act(&chain, &["show"]).unwrap()["operational"] == "0" {
        assert!(began.elapsed() < Duration::from_secs(30), "the faucet pays nothing");
    }
    let had = keys.act(&chain, &["show"]).unwrap();
    let wrong = keys.act(&chain, &["send-all-to-falcon", &old]).unwrap_err();
    assert!(wrong.contains("begins with F"), "{wrong}");
    let moved = keys.act(&chain, &["send-all-to-falcon", &new]).unwrap();
    assert_eq!((&moved["operational"], &moved["staking"]), (&json!("0"), &json!("0")));
    assert_eq!(moved["address"], old.as_str());

    let there = keys.act(&chain, &["show", "--falcon"]).unwrap();
    assert_eq!((&there["address"], &there["staking"]), (&json!(new), &had["staking"]));
    assert!(there["root"].as_str().is_some_and(|root| root.len() == 64), "proven: {there}");
    let paid = keys.act(&chain, &["send", &old, "1.5", "--falcon"]).unwrap();
    assert_ne!(paid["operational"], there["operational"]);
    assert_eq!(keys.act(&chain, &["show"]).unwrap()["operational"], "1.5");
    let poor = keys.act(&chain, &["send", &new, "1.5"]).unwrap_err();
    assert!(poor.contains("is needed") && poor.contains("wallet/insufficient"), "{poor}");
    let back = keys.act(&chain, &["send", &new, "1"]).unwrap();
    assert_eq!(back["address"], old.as_str());
}

#[test]
fn words_are_the_same_accounts_on_every_machine() {
    let data = tempfile::tempdir().unwrap();
    let words = data.path().join("words");
    fs::write(&words, format!("{WORDS}\n")).unwrap();
    let words = ["--words", words.to_str().unwrap()];
    let keys = Keys::new(data.path());
    assert_eq!(keys.make(&words), "AcvxeUY82zoa74X4nwaf8y1YntQKmrTh42");
    let falcon = [&words[..], &["--falcon"]].concat();
    assert_eq!(keys.make(&falcon), "F7p2zR4aJmX33Lu9297446Wz3uRmQ6Z2c5");
    let again = run(&[&["account", "new", "--data", keys.data()], &falcon[..]].concat());
    assert!(again.unwrap_err().contains("a key"), "a key is never written over");
}

#[test]
fn two_people_read_the_same_number_and_a_code_tells_what_differs() {
    let [ann, bob, eve] = ["11", "22", "33"].map(|byte| byte.repeat(32));
    let say = |words: &[&str]| -> Result<Value, String> {
        run(&[&["safety"], words].concat()).map(|said| serde_json::from_str(&said).unwrap())
    };
    let shown = say(&[&bob, &ann]).unwrap();
    assert!(shown["number"].as_str().is_some_and(|number| number.len() == 60), "{shown}");
    let code = shown["code"].as_str().unwrap();
    let compared = say(&[&ann, &bob, "--check", code]).unwrap();
    assert_eq!((&compared["number"], &compared["isCompared"]), (&shown["number"], &json!(true)));
    for (other, code, why) in [
        (&eve, code, "safety/other-people"),
        (&bob, &code[1..], "safety/not-code"),
        (&bob[1..].to_owned(), code, "safety/bad-key"),
    ] {
        let refused = say(&[&ann, other, "--check", code]).unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
}

/// A folder of keys.
struct Keys(PathBuf);

impl Keys {
    fn new(data: &Path) -> Self {
        Self(data.join("keys"))
    }

    fn data(&self) -> &str {
        self.0.to_str().unwrap()
    }

    /// Makes an account; its address.
    fn make(&self, words: &[&str]) -> String {
        let said = run(&[&["account", "new", "--data", self.data()], words].concat()).unwrap();
        serde_json::from_str::<Value>(&said).unwrap()["address"].as_str().unwrap().to_owned()
    }

    fn act(&self, chain: &Chain, words: &[&str]) -> Result<Value, String> {
        let common = ["--data", self.data(), "--node", &chain.base, "--chain", &chain.id];
        let said = run(&[&["account"], words, &common].concat())?;
        Ok(serde_json::from_str(&said).unwrap())
    }
}
