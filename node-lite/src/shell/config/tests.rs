use super::*;
use crate::shell::cli::Cli;
use clap::{CommandFactory as _, FromArgMatches as _};

/// Settles what `antiphon run` with these arguments and this file means.
fn settle(file: &str, arguments: &[&str]) -> Result<Settings, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    std::fs::write(&path, file).unwrap();
    let path = path.display().to_string();
    let start = ["antiphon", "run", "--config", &path];
    let matches = Cli::command().get_matches_from(start.iter().chain(arguments));
    let matches = matches.subcommand_matches("run").unwrap();
    Settings::of(Options::from_arg_matches(matches).unwrap(), Some(matches))
}

fn origin(settings: &Settings, name: &str) -> Origin {
    settings.origins.iter().find(|(found, ..)| *found == name).unwrap().2
}

#[test]
fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
    let file = "rpc = \"127.0.0.1:1\"\nmetrics = \"127.0.0.1:2\"\ndata = \"here\"\n";
    let settings = settle(file, &["--rpc", "127.0.0.1:9"]).unwrap();
    assert_eq!((settings.rpc.port(), settings.metrics.port()), (9, 2));
    assert_eq!(settings.delta, Duration::from_millis(500));
    assert_eq!(origin(&settings, "rpc"), Origin::Flag);
    assert_eq!(origin(&settings, "metrics"), Origin::File);
    assert_eq!(origin(&settings, "delta"), Origin::Default);
    assert!(settings.data.is_absolute() && settings.data.ends_with("here"), "beside the file");
}

#[test]
fn the_description_is_a_file_that_means_the_same() {
    let first =
        settle("delta = \"70ms\"\nlog-format = \"json\"\n", &["--max-outgoing", "7"]).unwrap();
    let again = settle(&first.describe(), &[]).unwrap();
    let values = |settings: &Settings| -> Vec<_> {
        settings.origins.iter().map(|(name, value, _)| (*name, value.clone())).collect()
    };
    assert_eq!(values(&again), values(&first));
}

#[test]
fn the_template_says_nothing_and_knows_every_setting() {
    let template = template();
    assert!(settle(&template, &[]).is_ok());
    let all: String = template
        .lines()
        .map(|line| line.trim_start_matches("# "))
        .filter(|line| line.contains(" = "))
        .map(|line| format!("{line}\n"))
        .collect();
    let all = all.replace("12D3KooW…", "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
    let settings = settle(&all, &[]).unwrap();
    let missing: Vec<_> = settings
        .origins
        .iter()
        .filter(|(.., origin)| *origin == Origin::Default)
        .map(|(name, ..)| *name)
        .collect();
    assert_eq!(missing, ["faucet", "trust"], "one for testing only, the other none by default");
    assert_eq!(settings.limits, Limits::default());
    assert_eq!(settings.listen, default_listen());
}

#[test]
fn mistakes_are_named_with_their_line() {
    let said = |file| settle(file, &[]).unwrap_err().to_string();
    assert!(said("rpc = \"127.0.0.1:1\"\nmetrik = 1\n").contains("line 2"));
    assert!(said("\n\ndelta = \"soon\"\n").contains("line 3"));
    assert!(said("rpc = \"nowhere\"\n").contains("line 1"));
    assert!(said("max-incoming = 0\n").contains("must be from 1 to 400"));
    assert!(said("dial = [\"/ip4/10.0.0.1/tcp/4600\"]\n").contains("/p2p/"));
    assert!(said("dial = [\"10.0.0.1:4600\"]\n").contains("is not an address"));
}
