//! What stable codes mean for a person: one sentence on what to do, and whether the same may work later.
//!
//! The one place of these words. Pages keep a copy of what they show (`wasm/js/src/error.ts`), which a test compares.

/// Codes after which the same call may succeed later, without a change by the caller. So may all that begin with `node/`.
const RETRYABLE: &[&str] = &[
    "call/interrupted",
    "call/full",
    "client/restarted",
    "client/not-ready",
    "client/stale",
    "client/suspended",
    "lookup/ahead",
    "lookup/busy",
    "lookup/not-ready",
    "lookup/unreachable",
    "member/not-proven",
    "secret/failed",
    "storage/in-use",
    "storage/write-failed",
    "wallet/not-ready",
    "wallet/queue-full",
];

/// One sentence for each code that needs one.
const HELP: &[(&str, &str)] = &[
    ("backup/damaged", "The backup was cut or altered, or is of another chain; take another one."),
    ("backup/newer", "A later version made this backup; take that version."),
    ("backup/not-backup", "This file is no backup."),
    ("backup/other-account", "The backup is of another account; open that account first."),
    ("backup/too-large", "There is more than a backup may hold; close and forget old fields."),
    (
        "call/full",
        "Too many calls are undecided or not yet read; read next_event() and say event_handled().",
    ),
    (
        "call/interrupted",
        "The application ended before anything was sent; call again with a new key.",
    ),
    (
        "call/key-reused",
        "This key was used for another call; take a new key for each thing that is wanted once.",
    ),
    (
        "call/unknown",
        "The application ended while this was made; look at the balance or the field before it is repeated.",
    ),
    ("call/unknown-key", "No call of this key is known here."),
    ("client/aborted", "The caller aborted it."),
    (
        "client/bad-input",
        "The client cannot read what it was given: a value of the wrong shape, or page and wasm of two versions.",
    ),
    ("client/closed", "Call connect() again; this one was closed."),
    (
        "client/gave-up",
        "The client crashed too often; playback goes on over HTTP. Reload the page.",
    ),
    (
        "client/gift-too-small",
        "A gift must be worth more than what it costs its payee to settle it.",
    ),
    ("client/no-stream", "No stream plays; play one first."),
    ("client/no-tracker", "A room needs a tracker; pass `tracker` to connect()."),
    ("client/not-ready", "The chain is not known yet; wait for the first settled block."),
    ("client/nothing-to-release", "No pool is past its freeze yet."),
    ("client/nothing-to-settle", "No voucher is worth a settlement yet."),
    ("client/out-of-range", "The sum is larger than an amount can be."),
    ("client/panicked", "The client crashed; this is our bug, please report it with the message."),
    ("client/playing", "A stream plays; its listeners are the room."),
    ("client/restarted", "The client crashed and was started again; ask again."),
    ("client/stale", "What is known of the chain is too old to spend on; wait for a newer block."),
    ("client/suspended", "The client sleeps; call resume() first."),
    ("field/not-evidence", "This is no file of evidence, or one of a newer version."),
    ("lookup/ahead", "The chain has no block of this height yet."),
    ("lookup/busy", "Too many look-ups are under way; wait for one."),
    ("lookup/missing", "Nobody serves a file that the proof needs; ask another node."),
    ("lookup/no-stake", "This chain has no staking."),
    ("lookup/not-ready", "The chain is not known yet; wait for the first head."),
    ("lookup/too-far", "Too many checkpoints lie between what is trusted and this block."),
    (
        "lookup/unreachable",
        "The node did not answer, or has no state of that block any more; ask again.",
    ),
    ("member/not-proven", "The chain has not shown this field yet; wait for a settled block."),
    (
        "options/invalid",
        "Check the options of connect(): chain and publisher are 64 hexadecimal digits, node is a URL.",
    ),
    ("secret/failed", "The store of secrets did not answer; unlock the device and ask again."),
    ("secret/missing", "There is no wallet of this name; create or restore one."),
    (
        "secret/taken",
        "There is a wallet of this name already; remove it first, once its words are written down.",
    ),
    ("storage/in-use", "The file of the client is in use; only one client may run with it."),
    (
        "storage/not-opened",
        "The file of the client cannot be opened; check the folder and its rights.",
    ),
    (
        "storage/write-failed",
        "A write did not become durable; no money moves until it does. Free some space.",
    ),
    (
        "tracker/no-token",
        "This tracker lets only those in whom the publisher gave a token; pass `token` to connect().",
    ),
    (
        "wallet/bad-checksum",
        "The words do not belong together; compare each with what was written down.",
    ),
    ("wallet/bad-word-count", "A wallet has 12 or 24 words."),
    ("wallet/insufficient", "The proven balance does not cover the amount with its fee."),
    ("wallet/not-ready", "The account is not proven yet; wait for the chain."),
    ("wallet/queue-full", "Too many transactions wait; wait for one."),
    (
        "wallet/unknown-word",
        "A word is not in the English list of BIP-39; compare each with what was written down.",
    ),
];

/// Returns one sentence on what to do about a code.
pub fn help(code: &str) -> &'static str {
    let known = HELP.iter().find(|(known, _)| *known == code);
    known.map_or("See the list of codes in the documentation.", |(_, text)| text)
}

/// Returns whether the same call may succeed later, without a change by the caller.
pub fn is_retryable(code: &str) -> bool {
    RETRYABLE.contains(&code) || code.starts_with("node/")
}

/// Returns every code that has a sentence, with it.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    HELP.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_and_in_order() {
        assert!(HELP.is_sorted_by(|a, b| a.0 < b.0));
        for (code, text) in HELP {
            assert!(code.contains('/') && text.ends_with('.'), "{code}");
            assert_eq!(help(code), *text);
        }
        assert!(RETRYABLE.iter().all(|code| HELP.iter().any(|(known, _)| known == code)));
        assert!(is_retryable("node/unreachable") && !is_retryable("wallet/insufficient"));
        assert_eq!(help("no/such"), "See the list of codes in the documentation.");
    }
}
