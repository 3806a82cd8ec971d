//! Scenarios over all crates: one test binary, one module a story.

#![cfg_attr(
    not(target_family = "wasm"),
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "what fails here is a failing test"
    )
)]

#[cfg(not(target_family = "wasm"))]
mod agreement;
#[cfg(not(target_family = "wasm"))]
mod beacon;
// It reads the sources, which the wasm runner does not lend.
#[cfg(not(target_family = "wasm"))]
mod codes;
// It reads its corpus from files, which the wasm runner does not lend.
#[cfg(not(target_family = "wasm"))]
mod corpus;
#[cfg(not(target_family = "wasm"))]
mod crowds;
#[cfg(not(target_family = "wasm"))]
mod deception;
#[cfg(not(target_family = "wasm"))]
mod falcon;
#[cfg(not(target_family = "wasm"))]
mod field;
#[cfg(not(target_family = "wasm"))]
mod foes;
#[cfg(not(target_family = "wasm"))]
mod follows;
#[cfg(not(target_family = "wasm"))]
mod forgotten;
#[cfg(not(target_family = "wasm"))]
mod gathering;
#[cfg(not(target_family = "wasm"))]
mod gifts;
#[cfg(not(target_family = "wasm"))]
mod insolvency;
#[cfg(not(target_family = "wasm"))]
mod listeners;
#[cfg(not(target_family = "wasm"))]
mod lookups;
#[cfg(not(target_family = "wasm"))]
mod lost;
#[cfg(not(target_family = "wasm"))]
mod many_fields;
#[cfg(not(target_family = "wasm"))]
mod market;
#[cfg(not(target_family = "wasm"))]
mod members;
#[cfg(not(target_family = "wasm"))]
mod model;
#[cfg(not(target_family = "wasm"))]
mod money;
#[cfg(not(target_family = "wasm"))]
mod payconsistency;
#[cfg(not(target_family = "wasm"))]
mod playlists;
#[cfg(not(target_family = "wasm"))]
mod refresh;
#[cfg(not(target_family = "wasm"))]
mod rooms;
#[cfg(not(target_family = "wasm"))]
mod terms;
#[cfg(not(target_family = "wasm"))]
mod ticks;
#[cfg(not(target_family = "wasm"))]
mod transfers;
mod vectors;
