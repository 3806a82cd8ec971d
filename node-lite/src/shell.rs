//! Everything that touches the machine: disk, clock, sockets, command line. It decides nothing.
//!
//! | module | what it does |
//! |---|---|
//! | [`cli`] | the subcommands; one file each |
//! | [`dev`] | a whole network in one process |

pub mod cli;
pub mod dev;
