//! What fuzz targets and their regression test run: one function of bytes a target.
//!
//! | file | what it is fed |
//! |---|---|
//! | `decoder` | light files, proofs, transactions, vouchers, records, the tracker's wire |
//! | `field` | rows, files and acts of payment fields |
//! | `frame` | the byte stream between peers, however it is cut |
//! | `text` | playlists, and what a person types |
//! | `row` | what a damaged disk gives back |
//! | `node` | what one supernode sends another |
//! | `member` | what members of a payment field send each other; the machine, driven as those below |
//! | `light`, `payee`, `client` | machines, driven by choices that the bytes make |
//! | `world` | the honest chain, stream and neighbours that all of these lie about |
//! | `seed`, `spoil` | honest inputs to start from, and spoilt copies of them |
//!
//! A body panics when a promise is broken: a second encoding, a head that nobody signed, a wrong byte played, a
//! refusal that changed something, a deadline that stands still, a list that grows. Otherwise it returns what
//! became of the input, the same word on every platform (ADVERSARIAL case 30).

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the honest world is made of constants; what breaks there is a broken test"
)]

mod choice;
mod client;
mod decoder;
mod field;
mod frame;
mod light;
mod member;
#[cfg(not(target_family = "wasm"))]
mod node;
mod payee;
mod row;
mod seed;
mod spoil;
mod text;
mod tree;
mod world;

pub use client::{Outcome, client_machine, client_outcome};
pub use decoder::{light_files, records, state_proofs, tracker_messages, transaction, vouchers};
pub use field::fields;
pub use frame::frames;
pub use light::light_machine;
pub use member::{member_machine, member_messages};
#[cfg(not(target_family = "wasm"))]
pub use node::node_messages;
pub use payee::payee_machine;
pub use row::stored_rows;
pub use spoil::{Spoiler, verdict_log};
pub use text::{playlists, typed_texts};

/// A fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the function, of the file in `fuzz_targets/`, of the folder in `corpus/`.
    pub name: &'static str,
    /// What it runs. Returns what became of the input.
    pub run: fn(&[u8]) -> &'static str,
    /// Makes honest inputs, each with the name of its file.
    pub seeds: fn() -> Vec<(&'static str, Vec<u8>)>,
}

/// Makes a [`Target`] of a function whose seeds have its name.
macro_rules! target {
    ($name:ident) => {
        Target { name: stringify!($name), run: $name, seeds: seed::$name }
    };
}

/// Every target.
pub const TARGETS: &[Target] = &[
    target!(light_files),
    target!(state_proofs),
    target!(transaction),
    target!(vouchers),
    target!(fields),
    target!(records),
    target!(playlists),
    target!(typed_texts),
    target!(frames),
    target!(tracker_messages),
    target!(stored_rows),
    #[cfg(not(target_family = "wasm"))]
    target!(node_messages),
    target!(member_messages),
    target!(light_machine),
    target!(member_machine),
    target!(payee_machine),
    target!(client_machine),
];
