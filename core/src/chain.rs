//! The chain as a client sees it: headers, certificates, sets, transactions, state values and what proves them.
//!
//! | module | what it knows |
//! |---|---|
//! | [`spec`] | the parameters of a chain; their hash is the chain id |
//! | [`set`] | weighted validators and guardians, quorums |
//! | [`header`] | what a block commits to |
//! | [`certificate`] | validators' votes on a block (settled), guardians' aggregate on a checkpoint (final) |
//! | [`stake`] | bonds, rewards, elections |
//! | [`offence`] | what costs a stake, and what shows it |
//! | [`carried`], [`beacon`] | what a block carries beside transactions; randomness and the order of proposers |
//! | [`lottery`], [`upgrade`] | a draw among guardians; how a chain changes its rules |
//! | [`delayed`] | transfers that wait and can be cancelled |
//! | [`transaction`] | messages, fees, signatures |
//! | [`state`] | keys and values of the state tree |
//! | [`proof`] | a value, or its absence, under a state root |
//! | [`light`] | the light client machine |
//! | [`lookup`] | what a page asks about the chain, proven before it is shown |

pub mod beacon;
pub mod carried;
pub mod certificate;
pub mod delayed;
pub mod header;
mod level;
pub mod light;
pub mod lookup;
pub mod lottery;
pub mod offence;
pub mod proof;
pub mod set;
pub mod spec;
pub mod stake;
pub mod state;
pub mod transaction;
pub mod upgrade;

pub use level::{ByLevel, Level};
