//! Writes what core knows of stable codes for readers and pages: `cargo run -p antiphon-core --example codes`.
//!
//! ```text
//! antiphon_core::code ──► docs/codes.md            for people; the site makes a page of each code
//!                    └──► wasm/js/src/codes.json   for `antiphon/codes`, which pages load on demand
//! ```
//!
//! Its test compares both with what is checked in.

#![allow(clippy::print_stdout, reason = "a program for a terminal")]

use antiphon_core::code::{self, Code, Group, Interface, Retry, groups};
use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

const HEADER: &str = "# Codes

<!-- Written by `cargo run -p antiphon-core --example codes` from `core/src/code/`; a test compares it. -->

Every error, trouble and refusal of Antiphon has a stable code, `family/words`, the same in TypeScript, Kotlin, Swift, Python, a node's JSON-RPC, and logs.
A code never changes its meaning once released; match on it, not on texts. `antiphon explain CODE` prints what stands here.
*Try again: yes* means that the same call may succeed later, without a change by the caller. A code that begins with `node/` always says so.
";

fn main() -> io::Result<()> {
    for (path, text) in files() {
        fs::write(&path, text)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Returns what is written where.
fn files() -> [(PathBuf, String); 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    [(root.join("docs/codes.md"), manual()), (root.join("wasm/js/src/codes.json"), table())]
}

/// The manual: a chapter a group, a heading a code, in a form that `www/docs.mjs` takes apart.
fn manual() -> String {
    let mut text = String::from(HEADER);
    for group in groups() {
        let met: Vec<_> = group.met.iter().map(|place| name(*place)).collect();
        let Group { title, about, .. } = group;
        add(&mut text, format_args!("\n## {title}\n\n{about}\nMet by {}.\n", met.join(", ")));
        for Code { name: code, retry, what, help } in group.rows {
            let again = if *retry == Retry::Later { "yes" } else { "no" };
            add(&mut text, format_args!("\n### `{code}`\n\n{what}\n\n"));
            add(&mut text, format_args!("**What to do:** {help}\n\n**Try again:** {again}\n"));
        }
    }
    text
}

/// Each code with what happened, what to do, and 1 where the same may work later.
fn table() -> String {
    let rows = code::all().map(|Code { name, retry, what, help }| {
        let again = u8::from(*retry == Retry::Later);
        format!("{name:?}: {}", serde_json::json!([what, help, again]))
    });
    format!("{{\n{}\n}}\n", rows.collect::<Vec<_>>().join(",\n"))
}

fn add(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // A string takes whatever is written.
    let _ = text.write_fmt(arguments);
}

const fn name(place: Interface) -> &'static str {
    match place {
        Interface::Page => "a page",
        Interface::Phone => "Kotlin, Swift and Python",
        Interface::Peer => "`antiphon peer`",
        Interface::Rpc => "a node's JSON-RPC",
        Interface::Command => "the command line",
        Interface::Log => "logs and metrics",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_checked_in_says_what_core_says() {
        for (path, text) in files() {
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == text,
                "{} is older than core/src/code: cargo run -p antiphon-core --example codes",
                path.display()
            );
        }
    }
}
