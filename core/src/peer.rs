//! Who we talk to and how: the wire, the tracker, links and the swarm.
//!
//! ```text
//! tracker <--tracker_wire--> swarm --CreateLink--> host (WebRTC) --bytes--> link <--frames--> client
//! ```
//!
//! A link is authentic because both descriptions (SDP, with the fingerprint of the DTLS certificate) were signed by
//! the peers' keys; the tracker can withhold, never impersonate. Source: FIELD-NOTES recommendation 6.

pub mod frames;
pub mod link;
pub mod swarm;
pub mod tracker_wire;

/// Names a data channel to a peer, as the host and the machines call it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    borsh::BorshSerialize,
    borsh::BorshDeserialize,
)]
pub struct LinkId(pub u64);
