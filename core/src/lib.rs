//! The protocol rules of Antiphon, and nothing else.
//!
//! Every protocol here is a machine: `handle(now, Input, &mut Vec<Output>)` and `deadline()`. No socket,
//! clock, thread, file, log or OS randomness; hosts (page, phone, supernode, simulator) move bytes and timers.
//!
//! | module | what it knows |
//! |---|---|
//! | [`amount`], [`id`], [`time`], [`code`], [`codec`], [`crypto`], [`row`], [`table`] | the words everything else speaks |
//! | [`chain`] | what makes a header, a balance or a pool believable |
//! | [`payment`] | pools and vouchers, from both ends and from the chain's |
//! | [`delivery`] | a live stream carried by its listeners: records, chunks, who fetches what from whom |
//! | [`peer`] | who we talk to and how |
//! | [`wallet`] | words, keys, addresses as text, proven balances |
//! | [`client`] | the root machine that hosts drive |

#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod amount;
pub mod chain;
pub mod client;
pub mod code;
pub mod codec;
pub mod crypto;
pub mod delivery;
pub mod id;
pub mod payment;
pub mod peer;
pub mod row;
pub mod table;
pub mod time;
pub mod wallet;
