//! A live stream carried by its listeners: signed records, verified chunks, and who fetches what from whom.
//!
//! ```text
//! playlist --Record--> fetch --Ask / Http--> peers, origin
//!                        ^  '--verified--> cache --> player, serve --> peers
//! ```
//!
//! Source: ALZA §3.2.2, Allaudio; FIELD-NOTES recommendations 1, 2, 7. Invariant: bytes enter [`cache`] only as
//! a [`chunk::Chunk`], which only verification makes.

pub mod cache;
pub mod chunk;
pub mod cost;
pub mod fetch;
pub mod have;
pub mod heir;
pub mod playlist;
pub mod record;
pub mod rendition;
pub mod schedule;
pub mod serve;
pub mod sharing;
