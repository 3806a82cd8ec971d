//! Joins the nodes of one process: each has every other's mailbox.

use super::{Carrier, Handle, Ticket, Verdict};
use crate::bft::Peer;
use std::sync::Arc;

/// One node's way to its neighbours' mailboxes.
#[derive(Clone, Debug)]
pub struct Channels {
    /// The node's own number.
    pub index: Peer,
    /// Every node's mailbox in order, its own included.
    pub all: Vec<Handle>,
}

impl Channels {
    fn put(&self, to: &Handle, bytes: &Arc<[u8]>) {
        // A stopped or overwhelmed neighbour asks again for what it missed.
        let _ = to.deliver(self.index, bytes.clone(), None);
    }
}

impl Carrier for Channels {
    fn broadcast(&mut self, bytes: Vec<u8>) {
        let bytes: Arc<[u8]> = bytes.into();
        for (index, to) in (0_u16..).zip(&self.all) {
            if index != self.index {
                self.put(to, &bytes);
            }
        }
    }

    fn send(&mut self, to: Peer, bytes: Vec<u8>) {
        let count = u16::try_from(self.all.len()).unwrap_or(u16::MAX);
        // Asking oneself is asking a neighbour.
        let to = if to == self.index { to.wrapping_add(1) } else { to };
        let to = to.checked_rem(count).unwrap_or(0);
        if let Some(handle) = self.all.get(usize::from(to)) {
            self.put(handle, &bytes.into());
        }
    }

    fn judged(&mut self, _ticket: Ticket, _verdict: Verdict) {
        // Threads of one process are not to be banned.
    }

    fn blame(&mut self, _peer: Peer) {}
}
