//! What the scenarios over all crates are made of.
//!
//! | module | what it knows |
//! |---|---|
//! | [`vector`] | runs public test vectors and keeps a log of verdicts |

//! | [`sim`] | whole networks in virtual time |
//! | [`foe`] | those who break rules |

#[cfg(not(target_family = "wasm"))]
pub mod foe;
#[cfg(not(target_family = "wasm"))]
pub mod sim;
pub mod vector;
