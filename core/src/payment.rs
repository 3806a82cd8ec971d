//! Micropayments through a pool: funds locked on chain, promised by vouchers, settled rarely.
//!
//! ```text
//! creator --open--> pool (deposit + collateral locked) --release, after the freeze--> creator
//!    |                 ^
//!    '--vouchers--> payee --settle, until the end height--'
//! ```
//!
//! | module | what it knows |
//! |---|---|
//! | [`reservation`] | the chain's half: rules, state in the tree, what opens, settles and releases a pool |
//! | [`voucher`] | the signed cumulative promise and its compact form on the wire |
//! | [`tick`] | the chain of hashes that a voucher may commit to: a payment for 32 bytes and one hash |
//! | [`payer`] | the machine that promises: never beyond the deposit, never before it is stored |
//! | [`payee`] | the machine that is promised: credit, exposure, settlement |
//! | [`gift`] | a reservation for one payee, who is sure at once: tips, gifts, a shop |
//! | [`field`] | the other way to pay off the chain: members who sign every state of their money together |
//! | [`member`] | the machine of one who pays and is paid there, and of who leads |
//! | [`telling`] | the machine that tells a watch-tower what was sealed |
//!
//! Source: PROTOCOL A5.8 to A5.15.

#[cfg(test)]
mod codes;
pub mod field;
#[cfg(test)]
mod forged;
pub mod gift;
pub mod member;
pub mod payee;
pub mod payer;
pub mod reservation;
pub mod telling;
pub mod tick;
pub mod voucher;

/// Names a durable write, as a payment machine and its parent call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreToken(pub u64);
