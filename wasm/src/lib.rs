//! The client of Antiphon for web pages: `antiphon_core::client` behind plain JavaScript objects.
//!
//! ```text
//! worker.ts --{kind: 'linkMessage', link, body}--> input.rs --> Client --> output.rs --[{kind: 'send', …}]--> worker.ts
//! ```
//!
//! This crate converts and forwards; it holds no protocol decision. The shapes are those of `js/src/border.ts` and
//! `js/src/snapshot.ts`: ids and heights are numbers below 2^53, amounts are `bigint`, hashes are hexadecimal text,
//! bytes are `Uint8Array`.

mod call;
mod client;
mod command;
mod error;
mod field;
mod found;
mod input;
mod money;
mod object;
mod output;
mod room;
mod snapshot;
mod wallet;

pub use client::WasmClient;
pub use wallet::{
    check_address, wallet_account, wallet_branch, wallet_branch_of_seed, wallet_words,
};
