//! What the scenarios over all crates are made of.
//!
//! | module | what it knows |
//! |---|---|
//! | [`vector`] | runs public test vectors and keeps a log of verdicts |

pub mod vector;
