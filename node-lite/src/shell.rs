//! Everything that touches the machine: disk, clock, sockets, command line. It decides nothing.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`], [`exit`], [`explain`], [`log`] | the subcommands, one file each; how the process ends; what codes mean; the log |
//! | [`init`], [`genesis`], [`keys`], [`chain_file`] | what a node and a chain begin with |
//! | [`config`], [`run`] | one node as one process |
//! | [`net`] | a node among others, over libp2p |
//! | [`metrics`] | what a node counts and tells its keeper |
//! | [`testnet`] | many processes on one machine |
//! | [`dev`] | a whole network in one process |
//! | [`driver`] | one node on a thread of its own |
//! | [`store`], [`snapshot`] | a node's disk; a chain's state as a file |
//! | [`rpc`], [`light`] | what a node answers |
//! | [`account`], [`stake`], [`safety`] | an account's money and stake, proven; comparing keys |
//! | [`http`] | listening, and the line that says where |
//! | `peer` | a peer that carries a stream over WebRTC |
//! | [`publish`] | a live stream, signed and served |
//! | [`site`] | the page and its configuration |
//! | [`tracker`], [`token`] | WebSockets around the tracker; a publisher's tokens for it |

pub mod account;
pub mod chain_file;
pub mod cli;
pub mod config;
pub mod cost;
pub mod dev;
pub mod driver;
pub mod evidence;
pub mod exit;
pub mod explain;
pub mod genesis;
pub mod http;
pub mod init;
pub mod keys;
pub mod light;
pub mod log;
pub mod metrics;
pub mod net;
#[cfg(feature = "peer")]
pub mod peer;
pub mod publish;
pub mod rpc;
pub mod run;
pub mod safety;
pub mod site;
pub mod snapshot;
pub mod stake;
pub mod store;
pub mod testnet;
pub mod token;
pub mod tower;
pub mod tracker;
