//! What is known of one connection.

use super::{Bucket, LISTS, MESSAGES, Rate};
use antiphon_core::{
    id::{PeerId, StreamId},
    time::Moment,
};
use std::{collections::BTreeSet, net::IpAddr};

/// Where a connection comes from: an IPv4 address, or the /64 that one IPv6 customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Network([u8; 8]);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            // No /64 begins with zeros and ends in an IPv4 address but the reserved one.
            IpAddr::V4(v4) => (u64::from(v4.to_bits())).to_be_bytes(),
            IpAddr::V6(v6) => v6.octets().first_chunk().copied().unwrap_or_default(),
        })
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) network: Network,
    /// What it must sign.
    pub(super) nonce: [u8; 32],
    /// Who it is, once it signed in.
    pub(super) peer: Option<PeerId>,
    pub(super) streams: BTreeSet<StreamId>,
    pub(super) messages: Bucket,
    pub(super) lists: Bucket,
    /// Bytes that may be relayed for it.
    pub(super) relays: Bucket,
    pub(super) faults: u32,
    /// When it is closed unless it says something.
    pub(super) silent_at: Moment,
}

impl Conn {
    pub(super) fn new(
        now: Moment,
        network: Network,
        relays: Rate,
        nonce: [u8; 32],
        silent_at: Moment,
    ) -> Self {
        Self {
            network,
            nonce,
            peer: None,
            streams: BTreeSet::new(),
            messages: Bucket::full(now, MESSAGES),
            lists: Bucket::full(now, LISTS),
            relays: Bucket::full(now, relays),
            faults: 0,
            silent_at,
        }
    }
}
