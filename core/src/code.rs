//! What stable codes mean for a person: what happened, what to do, and whether the same may work later.
//!
//! ```text
//! Group ── Code: name, whether to try again, what happened, what to do ──► help(), is_retryable()     phones
//!                                                                     └──► docs/codes.md ──► site     (core/examples/codes.rs)
//! ```
//!
//! The one place of these words, for every interface: codes that a page, a phone or a node makes itself stand here, too.
//! A page keeps a copy of the few that it shows (`wasm/js/src/error.ts`); `tests/scenarios/codes.rs` compares it, and demands
//! that each code of the sources has its row and each row a source.

mod chain;
mod client;
mod delivery;
mod field;
mod keeper;
mod money;
mod neighbour;
mod node;
mod publish;
mod wallet;

/// What is said of a code that nobody knows.
const UNKNOWN: &str = "See the list of codes in the documentation.";

/// Whether the same call may succeed later, without a change by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It may.
    Later,
    /// Not before something else has changed, or never.
    Never,
}

/// Where a code is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// A page, by the npm package.
    Page,
    /// Kotlin, Swift and Python.
    Phone,
    /// A peer without a page, `antiphon peer`.
    Peer,
    /// The JSON-RPC of a node.
    Rpc,
    /// The command line.
    Command,
    /// The log and the metrics of a node, a tracker or a publisher.
    Log,
}

/// A stable code, for a person.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// What programs match on, such as `pool/closed`.
    pub name: &'static str,
    /// Whether to try again.
    pub retry: Retry,
    /// What happened.
    pub what: &'static str,
    /// What to do about it, in one sentence that stands by itself.
    pub help: &'static str,
}

/// Makes a row of a table.
const fn row(name: &'static str, retry: Retry, what: &'static str, help: &'static str) -> Code {
    Code { name, retry, what, help }
}

/// Codes that are met in the same places, for reasons of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What they are about, in a few words.
    pub title: &'static str,
    /// What all of them have in common.
    pub about: &'static str,
    /// Where they are met.
    pub met: &'static [Interface],
    /// The codes.
    pub rows: &'static [Code],
}

/// Returns every group, in the order of a reader who comes from an application.
pub fn groups() -> impl Iterator<Item = &'static Group> {
    let all: [&[Group]; 10] = [
        &client::GROUPS,
        &wallet::GROUPS,
        &money::GROUPS,
        &field::GROUPS,
        &delivery::GROUPS,
        &neighbour::GROUPS,
        &chain::GROUPS,
        &node::GROUPS,
        &keeper::GROUPS,
        &publish::GROUPS,
    ];
    all.into_iter().flatten()
}

/// Returns every code, likewise.
pub fn all() -> impl Iterator<Item = &'static Code> {
    groups().flat_map(|group| group.rows)
}

/// Returns what is known of a code.
pub fn find(name: &str) -> Option<&'static Code> {
    all().find(|code| code.name == name)
}

/// Returns one sentence on what to do about a code.
pub fn help(name: &str) -> &'static str {
    find(name).map_or(UNKNOWN, |code| code.help)
}

/// Returns whether the same call may succeed later, without a change by the caller. So it may after all that begin with
/// `node/`, those of newer versions, too.
pub fn is_retryable(name: &str) -> bool {
    name.starts_with("node/") || find(name).is_some_and(|code| code.retry == Retry::Later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn each_code_stands_once_and_says_in_sentences_what_happened_and_what_to_do() {
        let mut names = BTreeSet::new();
        for group in groups() {
            assert!(!group.rows.is_empty() && !group.met.is_empty(), "{}", group.title);
            assert!(group.about.ends_with('.'), "{}", group.title);
            for Code { name, retry, what, help } in group.rows {
                assert!(names.insert(name), "{name} stands twice");
                assert!(name.split('/').count() == 2, "{name}");
                for sentence in [what, help] {
                    assert!(sentence.len() > 3 && sentence.ends_with('.'), "{name}: {sentence}");
                }
                assert_ne!(what, help, "{name}");
                assert!(!name.starts_with("node/") || *retry == Retry::Later, "{name}");
            }
        }
        assert!(names.len() > 400, "only {} codes are explained", names.len());
    }

    #[test]
    fn a_code_is_looked_up_and_an_unknown_one_leads_to_the_list() {
        assert!(help("wallet/insufficient").contains("does not cover"));
        assert!(is_retryable("node/unreachable") && !is_retryable("wallet/insufficient"));
        assert_eq!(help("no/such"), UNKNOWN);
        assert!(!is_retryable("no/such"));
    }
}
