use super::*;
use crate::shell::init;
use antiphon_core::{
    crypto::{Hash, bls::BlsPublicKey},
    id::{Address, BlockId, Height},
    payment::reservation::RulesError,
};

/// Public parts of nodes that settle and finalise.
fn nodes(count: usize) -> Vec<PublicPart> {
    let data = tempfile::tempdir().unwrap();
    let make = |index: usize| {
        let options = init::Options {
            data: data.path().join(format!("n{index}")),
            name: None,
            chain_name: String::from("quay"),
            validator: true,
            guardian: true,
            owner: None,
        };
        init::make(&options).unwrap()
    };
    (0..count).map(make).collect()
}

fn draft(nodes: &[PublicPart]) -> Draft {
    let owner = address::to_text(&Address([7; 20]));
    Draft {
        name: String::from("quay"),
        genesis_time: UnixMillis(1_800_000_000_123),
        block_ms: 1000,
        checkpoint_interval: 100,
        nodes: nodes.to_vec(),
        staking: None,
        accounts: vec![(owner, Amount::from_units(150_000_000), Amount::from_units(1))],
    }
}

/// Refuses the text with one part replaced, and returns line and reason.
fn refused(text: &str, from: &str, to: &str) -> (usize, String) {
    assert!(text.contains(from), "{from}");
    match parse("chain.toml", &text.replacen(from, to, 1)) {
        Err(SpecError::Refused { line, what, .. }) => (line, what),
        other => panic!("{from} -> {to}: {other:?}"),
    }
}

#[test]
fn a_written_file_is_read_as_what_was_meant() {
    let nodes = nodes(4);
    let spec = parse("chain.toml", &write(&draft(&nodes))).unwrap();
    assert_eq!(spec.name.as_str(), "quay");
    assert_eq!(spec.genesis_time, UnixMillis(1_800_000_000_123));
    assert_eq!((spec.block_ms, spec.checkpoint_interval), (1000, 100));
    assert_eq!(spec.pool, PoolRules::for_chain(4, 100));
    assert_eq!((spec.validators.total(), spec.guardians.total()), (Some(4), Some(4)));
    let keys = spec.guardians.members.iter().map(|member| &member.key);
    assert_eq!(BlsPublicKey::aggregate(keys).unwrap(), spec.guardians.aggregate);
    assert_eq!(spec.accounts[0].balances, [Amount::from_units(150_000_000), Amount::from_units(1)]);
}

#[test]
fn the_chains_id_hangs_on_every_value_and_on_no_comment_or_order() {
    let nodes = nodes(2);
    let text = write(&draft(&nodes));
    let id = |text: &str| parse("chain.toml", text).unwrap().chain_id();
    let other_way_round: Vec<_> = nodes.iter().rev().cloned().collect();
    assert_eq!(id(&write(&draft(&other_way_round))), id(&text));
    assert_eq!(id(&text.replace("# For people", "# For everybody")), id(&text));
    for (from, to) in [
        ("block-ms = 1000", "block-ms = 1001"),
        ("weight = 1", "weight = 2"),
        ("drift-ms = 10000", "drift-ms = 10001"),
        ("staking = \"1.5\"", "staking = \"1.6\""),
        (".123Z", ".124Z"),
        ("freeze = 116", "freeze = 117"),
    ] {
        assert!(text.contains(from), "{from}");
        assert_ne!(id(&text.replacen(from, to, 1)), id(&text), "{from}");
    }
}

#[test]
fn keys_that_are_missing_or_unknown_are_named_with_their_line() {
    let text = write(&draft(&nodes(1)));
    let said = |text: &str| match parse("chain.toml", text) {
        Err(error @ SpecError::Syntax { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let unknown = said(&text.replacen("drift-ms", "drift", 1));
    assert!(unknown.contains("unknown field `drift`") && unknown.contains("line "), "{unknown}");
    for key in ["block-ms", "fee", "bounty", "freeze", "key", "address"] {
        let start = text.find(&format!("\n{key} = ")).unwrap() + 1;
        let end = start + text[start..].find('\n').unwrap() + 1;
        let without = [&text[..start], &text[end..]].concat();
        let missing = said(&without);
        assert!(missing.contains(&format!("missing field `{key}`")), "{missing}");
    }
    // A chain that takes over a state has guardians whose keys were proven to the chain before it; no other has.
    let possession = text[text.find("\npossession = ").unwrap() + 1..].lines().next().unwrap();
    assert!(refused(&text, possession, "").1.contains("proof of possession"));
}

#[test]
fn sets_and_values_that_no_chain_may_have_are_refused_with_their_line() {
    let nodes = nodes(2);
    let text = write(&draft(&nodes));
    let line_of = |part: &str| text[..text.find(part).unwrap()].lines().count() + 1;
    let (line, what) = refused(&text, "checkpoint-interval = 100", "checkpoint-interval = 7");
    assert!(what.contains("from 8"), "{what}");
    assert_eq!(line, line_of("checkpoint-interval = 100"));
    assert!(refused(&text, "weight = 1", "weight = 0").1.contains("without weight"));
    let heavy = format!("weight = {}", 1_u64 << 62);
    assert!(refused(&text, "weight = 1", &heavy).1.contains("no chain may have"));
    let first = &nodes[0].validator.as_ref().unwrap().key;
    let second = &nodes[1].validator.as_ref().unwrap().key;
    assert!(refused(&text, second, first).1.contains("already"));
    assert!(refused(&text, first, "abc").1.contains("64 hexadecimal digits"));
    assert!(refused(&text, "fee = \"0.00001\"", "fee = \"0.000000001\"").1.contains("8 digits"));
    let margin = RulesError::MarginTooShort.to_string();
    assert_eq!(refused(&text, "inclusion-margin = 8", "inclusion-margin = 7").1, margin);
    assert!(refused(&text, "genesis-time = \"", "genesis-time = \"x").1.contains("not a time"));
    let none = text[..text.find("\n[[validator]]").unwrap()].to_owned();
    let Err(SpecError::Refused { what, .. }) = parse("chain.toml", &none) else { panic!() };
    assert!(what.contains("[[validator]] and [[guardian]]"), "{what}");
}

#[test]
fn a_proof_of_possession_of_another_key_owner_or_chain_is_refused() {
    let nodes = nodes(2);
    let text = write(&draft(&nodes));
    let proof = |index: usize| nodes[index].guardian.as_ref().unwrap().possession.clone();
    let foreign = |from: &str, to: &str| {
        let (line, what) = refused(&text, from, to);
        assert!(what.contains("proof of possession"), "{what}");
        let stands = text.lines().nth(line - 1).unwrap();
        assert!(stands.starts_with("possession"), "{stands}");
    };
    foreign(&proof(0), &proof(1));
    foreign(&nodes[0].owner, &nodes[1].owner);
    foreign("name = \"quay\"", "name = \"pier\"");
}

#[test]
fn where_stake_decides_the_first_sets_are_what_an_election_makes_of_the_stakers() {
    let nodes = nodes(4);
    let tokens = |whole: u128| Amount::from_units(whole * 100_000_000);
    let bonds = vec![tokens(2000), tokens(3000), tokens(1000), tokens(999)];
    let staking = Some(Staking { committee: 2, bonds });
    let text = write(&Draft { staking, ..draft(&nodes) });
    let spec = parse("chain.toml", &text).unwrap();
    let weights: Vec<u64> = spec.validators.members.iter().map(|m| m.weight).collect();
    assert_eq!(weights.iter().sum::<u64>(), 500_000_000_000, "{weights:?}");
    assert_eq!((spec.guardians.members.len(), spec.stakers.len()), (4, 4));
    assert!(crate::ledger::genesis(&spec).is_ok());
    for (from, to, why) in [
        ("committee = 2", "committee = 0", "committee"),
        ("guardians = 128", "guardians = 6000", "guardians"),
        ("min-guardian = \"100\"", "min-guardian = \"0\"", "least bonds"),
        ("min-validator = \"1000\"", "min-validator = \"4000\"", "to settle"),
        ("unbond = 2419201", "unbond = 2419200", "twice the trusting period"),
        ("proposal-penalty = 5", "proposal-penalty = 101", "per cent"),
        ("winners = 8", "winners = 0", "a lottery has winners"),
        ("percent = 80", "percent = 50", "percent 51 to 100"),
        ("\n[stake]", "\n[[validator]]\nkey = \"\"\nweight = 1\n[stake]", "alone says"),
    ] {
        let (_, what) = refused(&text, from, to);
        assert!(what.contains(why), "{from} -> {to}: {what}");
    }
    let (_, what) = refused(&text, &nodes[1].owner, &nodes[0].owner);
    assert!(what.contains("another staker's"), "{what}");
    let proof = |index: usize| nodes[index].guardian.as_ref().unwrap().possession.clone();
    assert!(refused(&text, &proof(0), &proof(1)).1.contains("proof of possession"));
    let start = text.find("\n[stake]").unwrap();
    let end = text.find("\n[[staker]]").unwrap();
    let without = [&text[..start], &text[end..]].concat();
    let Err(SpecError::Refused { what, .. }) = parse("chain.toml", &without) else { panic!() };
    assert!(what.contains("rules of [stake]"), "{what}");
}

#[test]
fn a_chain_file_that_goes_on_is_read_as_it_was_meant_and_endows_nobody() {
    let old = write(&draft(&nodes(2)));
    let before = parse("old.toml", &old).unwrap();
    let origin = antiphon_core::chain::spec::Origin {
        height: Height(300),
        block: BlockId(Hash([1; 32])),
        state_root: Hash([2; 32]),
        lineage: Bounded::try_from(vec![before.chain_id()]).unwrap(),
    };
    let mut new = ChainSpec { accounts: Bounded::new(), origin: Some(origin), ..before };
    new.validators.since = Height(300);
    new.guardians.since = Height(300);
    let text = continue_chain("new.toml", &old, &new).unwrap();
    assert_eq!(parse("new.toml", &text).unwrap(), new);
    assert!(refused(&text, "height = 300", "height = 301").1.contains("checkpoint"));
    assert!(refused(&text, "height = 300", "height = 0").1.contains("checkpoint"));
    let id = format!("\"{}\"", new.state_chain().0.to_hex());
    assert!(refused(&text, &id, "").1.contains("no chain before"));
    assert!(refused(&text, &id, "\"7\"").1.contains("64 hexadecimal digits"));
    let owner = address::to_text(&Address([7; 20]));
    let account = format!(
        "[[account]]\naddress = \"{owner}\"\nstaking = \"1\"\noperational = \"1\"\n\n[pool]"
    );
    assert!(refused(&text, "[pool]", &account).1.contains("accounts are in the snapshot"));
}
