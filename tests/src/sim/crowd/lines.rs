//! What goes over links: words, and chunks that wait their turn on an uplink.

use super::{Crowd, Event, FRAME, RETRANSMIT_MS, kind::Kind};
use antiphon_core::{
    codec,
    delivery::{
        fetch::{self, Refused},
        have::HaveDelta,
        serve::{self, Asked},
    },
    id::PeerId,
};

impl Crowd {
    /// Sends something of so many bytes from one to another, if there is a link; lost, it comes again.
    pub(super) fn say(
        &mut self,
        from: usize,
        to: usize,
        bytes: u64,
        what: impl FnOnce(PeerId) -> Event,
    ) {
        let Some(listener) = self.listeners[from].as_ref() else { return };
        let (peer, Some(latency)) = (listener.peer, listener.links.get(&to).copied()) else {
            return;
        };
        self.report.said += bytes + FRAME;
        let mut at = self.now + latency;
        while self.dice.chance(self.setting.loss) {
            at += RETRANSMIT_MS;
        }
        self.at(at, what(peer));
    }

    /// Tells everybody, if the listener ever tells anybody anything.
    pub(super) fn announce(&mut self, who: usize, delta: &HaveDelta) {
        let Some(listener) = self.listeners[who].as_ref() else { return };
        if !listener.kind.announces() && !listener.kind.claims() {
            return;
        }
        let bytes = codec::encode(delta).len() as u64;
        let links: Vec<usize> = listener.links.keys().copied().collect();
        for to in links {
            let delta = delta.clone();
            self.say(who, to, bytes, |peer| Event::Fetch(to, fetch::Input::HasNow(peer, delta)));
        }
    }

    pub(super) fn serve(&mut self, who: usize, input: serve::Input) {
        let Some(listener) = &mut self.listeners[who] else { return };
        let at = listener.moment(self.now);
        let mut out = Vec::new();
        listener.serve.handle(at, input, listener.fetch.cache(), &mut out);
        for output in out {
            match output {
                serve::Output::Send(asked, bytes) => self.send(who, asked, bytes),
                serve::Output::Refuse(Asked { peer, id }, reason) => {
                    let to = self.names[&peer];
                    let refused = Refused { id, reason };
                    self.say(who, to, 11, |peer| {
                        Event::Fetch(to, fetch::Input::Refused(peer, refused))
                    });
                }
            }
        }
        self.arm(who);
    }

    /// A chunk waits in the send buffer, and goes over the uplink when those before it have.
    fn send(&mut self, who: usize, asked: Asked, mut bytes: Vec<u8>) {
        let (to, length) = (self.names[&asked.peer], self.setting.segment_bytes());
        let reads = self.listeners[to].as_ref().map(|listener| listener.kind);
        let Some(listener) = &mut self.listeners[who] else { return };
        if listener.kind == Kind::Polluter {
            bytes[0] ^= 1;
        }
        let waiting = listener.sending.entry(to).or_default();
        *waiting += length;
        let waiting = *waiting;
        self.report.held = self.report.held.max(waiting);
        self.report.sent += length;
        // The machine has counted the few bytes that a chunk has here.
        self.serve(who, serve::Input::Drained(asked.peer, waiting as usize));
        if reads == Some(Kind::SlowReader) {
            return;
        }
        let Some(listener) = &mut self.listeners[who] else { return };
        let done = listener.upload(self.now, length);
        let (from, latency) = (listener.peer, listener.links.get(&to).copied());
        self.at(done, Event::Sent(who, asked.peer));
        let Some(latency) = latency else { return };
        if reads == Some(Kind::Glutton) {
            self.report.gorged += length;
            return;
        }
        let mut at = done + latency;
        while self.dice.chance(self.setting.loss) {
            at += RETRANSMIT_MS;
        }
        let chunk = fetch::PeerChunk { id: asked.id, bytes };
        self.at(at, Event::Fetch(to, fetch::Input::Chunk(from, chunk)));
    }

    /// A chunk has left the send buffer.
    pub(super) fn sent(&mut self, who: usize, peer: PeerId) {
        let to = self.names[&peer];
        let Some(listener) = &mut self.listeners[who] else { return };
        let Some(waiting) = listener.sending.get_mut(&to) else { return };
        *waiting = waiting.saturating_sub(self.setting.segment_bytes());
        let waiting = *waiting as usize;
        self.serve(who, serve::Input::Drained(peer, waiting));
    }
}
