//! Everything that touches the machine: disk, clock, sockets, command line. It decides nothing.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the subcommands; one file each |
//! | [`dev`] | a whole network in one process |
//! | [`driver`] | one node on a thread of its own |
//! | [`store`] | a node's disk |
//! | [`rpc`], [`light`] | what a node answers |

pub mod cli;
pub mod dev;
pub mod driver;
pub mod light;
pub mod rpc;
pub mod store;
