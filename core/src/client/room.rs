//! A room: where pages meet that play nothing, to pay each other in a field. Listeners of a stream have met already.

use super::{Around, Client, CommandError, Now, Output};
use crate::{
    codec::{self, Text},
    crypto::hash_tagged,
    id::{Address, ChainId, PeerId, StreamId},
    peer::swarm,
};
use alloc::vec::Vec;

/// Longest name of a room, in bytes.
pub const MAX_ROOM_NAME: usize = 64;

/// Returns what a tracker knows a room by: whoever knows the name may enter, and the tracker does not learn it.
fn room_id(chain: ChainId, name: &Text<MAX_ROOM_NAME>) -> StreamId {
    StreamId(hash_tagged("room/v1/id", chain, &codec::encode(name)))
}

impl Client {
    /// Meets whoever else enters this room; leaves the one before.
    pub(super) fn enter(
        &mut self,
        now: Now,
        name: &Text<MAX_ROOM_NAME>,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        if self.stream.is_some() {
            return Err(CommandError::Playing);
        }
        let tracker = self.config.tracker.clone().ok_or(CommandError::NoTracker)?;
        let room = room_id(self.config.chain, name);
        if self.room != Some(room) {
            self.room = Some(room);
            self.start_swarm(now, tracker, out);
        }
        Ok(())
    }

    /// Leaves the room. Fields go on: they need no meeting to be closed.
    pub(super) fn exit(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.room.take().is_some() {
            self.leave_swarm(now, out);
        }
    }

    /// Says goodbye to peers and tracker.
    pub(super) fn leave_swarm(&mut self, now: Now, out: &mut Vec<Output>) {
        self.stop(now, out);
        if let Some(swarm) = self.swarm.take() {
            self.next_link = swarm.next_link();
        }
    }

    /// Returns what peers are met for: the stream that plays, or the room.
    pub(super) fn gathering(&self) -> Option<StreamId> {
        self.stream.as_ref().map(|stream| stream.id).or(self.room)
    }

    /// Returns whoever is in the same swarm, linked or not.
    pub(super) fn around(&self) -> Vec<Around> {
        let peers = self.swarm.iter().flat_map(swarm::Swarm::around);
        let show = |peer: PeerId| Around {
            peer,
            address: Address::of(&peer.0),
            is_linked: self.peers.contains_key(&peer),
        };
        peers.map(show).collect()
    }
}
