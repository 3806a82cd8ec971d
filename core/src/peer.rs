//! Who we talk to and how: the wire, the tracker, links and the swarm.

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
