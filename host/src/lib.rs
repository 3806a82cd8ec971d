//! The hands of a native client: what a page has as its worker, for `antiphon peer` and for phones.
//!
//! | module | what it does |
//! |---|---|
//! | [`clock`] | the wall clock |
//! | [`web`], [`remote`] | any HTTP server, and a node of the chain, asked |
//! | [`clerk`] | an account without a page: acts, and proves what became of them |
//! | [`tuner`] | wants the segments of a stream that nobody plays here |
//! | [`socket`], [`links`], [`disk`], [`errands`] | the tracker, data channels, rows, and what is fetched |
//! | [`events`] | what happened outside, on its way to the loop |
//! | [`desk`], [`run`] | a client with its hands; the loop around them |
//! | [`keeper`], [`giving`] | who sits at the desk: `antiphon peer`, or an application; what it lets the client give |
//!
//! It decides nothing of the protocol. Orders only begin things; what becomes of them is an event, so no machine is entered twice.

#![forbid(unsafe_code)]

pub mod clerk;
pub mod clock;
#[cfg(feature = "client")]
pub mod desk;
#[cfg(feature = "client")]
pub mod disk;
#[cfg(feature = "client")]
pub mod errands;
#[cfg(feature = "client")]
pub mod events;
#[cfg(feature = "client")]
pub mod giving;
#[cfg(feature = "client")]
pub mod keeper;
#[cfg(feature = "client")]
pub mod links;
pub mod remote;
#[cfg(feature = "client")]
pub mod run;
#[cfg(feature = "client")]
pub mod socket;
#[cfg(feature = "client")]
pub mod tuner;
pub mod web;
