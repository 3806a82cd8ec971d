//! Everything that touches the machine: disk, clock, sockets, command line. It decides nothing.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the subcommands; one file each |
//! | [`dev`] | a whole network in one process |
//! | [`driver`] | one node on a thread of its own |
//! | [`store`] | a node's disk |
//! | [`rpc`], [`light`] | what a node answers |
//! | [`http`] | listening, and the line that says where |
//! | [`publish`] | a live stream, signed and served |
//! | [`site`] | the page and its configuration |
//! | [`tracker`] | WebSockets around the tracker |

pub mod cli;
pub mod dev;
pub mod driver;
pub mod http;
pub mod light;
pub mod publish;
pub mod rpc;
pub mod site;
pub mod store;
pub mod tracker;
