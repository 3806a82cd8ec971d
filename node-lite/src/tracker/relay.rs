//! Hands on what those say to each other who could open no channel.

use super::{Connection, Output, Rate, Tracker, members::Whereabouts, send};
use antiphon_core::{
    id::PeerId,
    peer::tracker_wire::{Relay, Relayed, ToListener, TrackerRefusal},
};

/// Relays of a connection that may be refused without counting against it: a sender cannot know how much it has left, nor
/// who has gone. Chosen here: a round of letters to each member of a full field.
pub(super) const REFUSALS: Rate = Rate { burst: 128, milli_per_second: 16_000 };

/// What a relay counts for, however short. Chosen here: what handing on costs beside the bytes.
const MIN_RELAY: u64 = 512;

impl Tracker {
    /// Hands on what members of one swarm say to each other, with the name of who signed in here.
    pub(super) fn relay(
        &mut self,
        id: Connection,
        from: PeerId,
        (relay, length): (Relay, usize),
        out: &mut Vec<Output>,
    ) {
        let (now, rate) = (self.now, self.config.relays());
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.relays.take_many(now, rate, MIN_RELAY.max(length as u64)) {
            return self.refuse_relay(id, TrackerRefusal::TooMuch, out);
        }
        let Relay { stream, to, parcel } = relay;
        let is_member = self.whereabouts(stream, &from) == Some(Whereabouts::Here(id));
        let receiver = self.whereabouts(stream, &to).filter(|_| is_member && to != from);
        let relayed = ToListener::Relayed(Relayed { stream, from, parcel });
        let is_sent = match receiver {
            Some(Whereabouts::Here(receiver)) => {
                out.push(Output::Relay(receiver, relayed.to_bytes()));
                true
            }
            Some(Whereabouts::There(tracker)) => self.send_to(tracker, (stream, to), &relayed, out),
            None => false,
        };
        if !is_sent {
            self.refuse_relay(id, TrackerRefusal::NoSuchPeer, out);
        }
    }

    /// Refuses a relay, which is a fault only of who goes on and on.
    fn refuse_relay(&mut self, id: Connection, refusal: TrackerRefusal, out: &mut Vec<Output>) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if conn.refusals.take(self.now, REFUSALS) {
            out.push(send(id, &ToListener::Refused(refusal)));
        } else {
            self.fault(id, refusal, out);
        }
    }
}
