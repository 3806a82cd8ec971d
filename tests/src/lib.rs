//! What the scenarios over all crates are made of.
//!
//! | module | what it knows |
//! |---|---|
//! | [`vector`] | runs public test vectors and keeps a log of verdicts |
//! | [`fuzz`] | what fuzz targets run, and the honest world that they lie about |
//! | [`sim`] | whole networks in virtual time |
//! | [`foe`] | those who break rules |
//! | [`payconsistency`] | accounts that pay each other over a real ledger, whatever crashes or is lost |
//! | [`watch`] | what must never happen in a payment field |

#[cfg(not(target_family = "wasm"))]
pub mod foe;
pub mod fuzz;
#[cfg(not(target_family = "wasm"))]
pub mod payconsistency;
#[cfg(not(target_family = "wasm"))]
pub mod sim;
pub mod vector;
pub mod watch;
