//! Routes between the tracker, the links, and the machines that speak to peers.

mod transmit;

use super::{Client, Input, Notice, Now, Output, Status, view};
use crate::{
    amount::Amount,
    codec::Text,
    crypto::Hash,
    delivery::{
        chunk::ChunkId,
        fetch::{self, PeerChunk, Refused},
        serve::{self, Asked, Refusal},
    },
    id::{Address, PeerId, PoolId},
    payment::{payee, tick::Preimage},
    peer::{
        LinkId,
        frames::{ByeReason, Frame, Hello, TICKS, Terms, Voucher},
        link::{self, Link},
        swarm::{self, Swarm, TrackerFault, Worth},
    },
    time::Moment,
};
use alloc::{string::String, vec::Vec};

/// A link that is open, greeted or not.
#[derive(Debug)]
pub(super) struct Line {
    link: Link,
    peer: PeerId,
}

/// A peer that has greeted.
#[derive(Debug)]
pub(super) struct Peer {
    link: LinkId,
    /// Whom its chunks are paid to, if they cost anything.
    pub(super) payee: Option<Address>,
    /// The pool that it was told we pay from.
    pub(super) pool: Option<PoolId>,
    /// Whether it takes ticks.
    pub(super) takes_ticks: bool,
    /// The newest voucher for it, until it is sent.
    pub(super) voucher: Option<Voucher>,
    /// The newest tick for it, until it is sent.
    pub(super) tick: Option<Preimage>,
    /// When they go without a request to ride on.
    pub(super) payment_due: Option<Moment>,
    /// What vouchers gave it since the link opened.
    pub(super) paid: Amount,
    /// Bytes of chunks that it sent.
    pub(super) received: u64,
    /// Bytes of chunks that it got.
    pub(super) sent: u64,
    /// A chunk that it was asked for, and when: how long it takes is measured.
    pub(super) probe: Option<(ChunkId, Moment)>,
}

impl Client {
    pub(super) fn start_swarm(&mut self, now: Now, url: String, out: &mut Vec<Output>) {
        let Some(stream) = self.gathering() else { return };
        let Ok(tracker) = Text::try_from(url.as_str()) else {
            return self.trouble("tracker/long-url", out);
        };
        self.leave_swarm(now, out);
        // Whoever was met before remembers the session numbers of before.
        let fresh = self.fresh().to_le_bytes();
        let seed = Hash::of(&[b"antiphon swarm", &self.seed, &fresh]).0;
        let (key, first_link) = (self.config.key.clone(), self.next_link);
        let max_links = self.config.max_links;
        let config = swarm::Config { key, stream, tracker, max_links, first_link, seed };
        self.swarm = Some(Swarm::new(config));
        self.feed_swarm(now, swarm::Input::Start, out);
    }

    /// Routes everything that the tracker's socket and the links say.
    pub(super) fn feed_neighbours(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        let input = match input {
            Input::TrackerOpened => swarm::Input::TrackerOpened,
            Input::TrackerMessage(bytes) => swarm::Input::TrackerMessage(bytes),
            Input::TrackerClosed => swarm::Input::TrackerClosed,
            Input::Described(link, sdp) => swarm::Input::Described(link, sdp),
            Input::Candidates(link, lines) => swarm::Input::Candidates(link, lines),
            Input::LinkOpened(link) => swarm::Input::LinkOpened(link),
            Input::LinkClosed(link) => {
                self.feed_link(now, link, link::Input::Closed, out);
                swarm::Input::LinkClosed(link)
            }
            Input::LinkMessage(link, bytes) => {
                return self.feed_link(now, link, link::Input::Message(bytes), out);
            }
            Input::LinkDrained(link) => {
                if let Some(line) = self.links.get(&link) {
                    let peer = line.peer;
                    self.feed_serve(now, serve::Input::Drained(peer, 0), out);
                }
                return;
            }
            Input::Tick => {
                for link in self.links.keys().copied().collect::<Vec<_>>() {
                    self.feed_link(now, link, link::Input::Tick, out);
                }
                swarm::Input::Tick
            }
            Input::Loaded(_)
            | Input::Stored(_)
            | Input::HttpDone(..)
            | Input::HttpFailed(_)
            | Input::Answered(..)
            | Input::Refused(..)
            | Input::Unreachable(_)
            | Input::Playlist(..)
            | Input::Want(..)
            | Input::Unwant(_)
            | Input::Check(..)
            | Input::LookUp(..)
            | Input::Prove(..)
            | Input::FindPools(_) => return,
        };
        self.feed_swarm(now, input, out);
    }

    /// Returns whether it is news that a link's send buffer is empty. Most of what is said is short, and waits for nothing.
    pub fn awaits_drained(&self, link: LinkId) -> bool {
        let line = self.links.get(&link).zip(self.stream.as_ref());
        line.is_some_and(|(line, stream)| stream.serve.is_sending(&line.peer))
    }

    pub(super) fn link_deadline(&self) -> Option<Moment> {
        self.links.values().filter_map(|line| line.link.deadline()).min()
    }

    /// Returns every peer that has greeted.
    pub(super) fn linked(&self) -> Vec<PeerId> {
        self.peers.keys().copied().collect()
    }

    pub(super) fn ban(
        &mut self,
        now: Now,
        peer: PeerId,
        code: &'static str,
        out: &mut Vec<Output>,
    ) {
        out.push(Output::Notify(Notice::Banned(code)));
        self.send(now, peer, Frame::Bye(ByeReason::Banned), out);
        self.feed_swarm(now, swarm::Input::Ban(peer, code), out);
    }

    /// Sends a frame to a peer that has greeted.
    pub(super) fn send(&mut self, now: Now, peer: PeerId, frame: Frame, out: &mut Vec<Output>) {
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        let link = entry.link;
        if let Frame::Chunk(chunk) = &frame {
            entry.sent = entry.sent.saturating_add(chunk.bytes.len() as u64);
        }
        // What waits for something to ride on goes before it; what is of one pool before another is named.
        let is_ride = matches!(frame, Frame::Chunk(_) | Frame::HaveDelta(_) | Frame::PoolRef(_));
        if is_ride && entry.payment_due.is_some() {
            self.send_payment(now, peer, out);
        }
        self.feed_link(now, link, link::Input::Say(frame), out);
    }

    /// Sends every voucher that waits, says goodbye, leaves the tracker.
    pub(super) fn stop(&mut self, now: Now, out: &mut Vec<Output>) {
        for peer in self.linked() {
            self.send_payment(now, peer, out);
            self.send(now, peer, Frame::Bye(ByeReason::Leaving), out);
        }
        self.feed_swarm(now, swarm::Input::Stop, out);
        self.tracker = Status::Idle;
    }

    fn feed_swarm(&mut self, now: Now, input: swarm::Input, out: &mut Vec<Output>) {
        let Some(swarm) = &mut self.swarm else { return };
        let mut lifted = Vec::new();
        swarm.handle(now.at, input, &mut lifted);
        for output in lifted {
            self.lift_swarm(now, output, out);
        }
    }

    fn lift_swarm(&mut self, now: Now, output: swarm::Output, out: &mut Vec<Output>) {
        match output {
            swarm::Output::ConnectTracker(url) => {
                if self.tracker == Status::Idle {
                    self.tracker = Status::Connecting;
                }
                out.push(Output::ConnectTracker(String::from(url.as_str())));
            }
            swarm::Output::TrackerSend(bytes) => out.push(Output::TrackerSend(bytes)),
            swarm::Output::CloseTracker => out.push(Output::CloseTracker),
            swarm::Output::CreateLink(link, remote) => out.push(Output::CreateLink(link, remote)),
            swarm::Output::AcceptAnswer(link, sdp) => out.push(Output::AcceptAnswer(link, sdp)),
            swarm::Output::AddCandidates(link, lines) => {
                out.push(Output::AddCandidates(link, lines));
            }
            swarm::Output::CloseLink(link) => out.push(Output::CloseLink(link)),
            swarm::Output::Joined(link, peer) => {
                if let Some(hello) = self.hello() {
                    self.links.insert(link, Line { link: Link::new(hello), peer });
                    self.feed_link(now, link, link::Input::Opened, out);
                }
            }
            swarm::Output::Left(link, peer) => self.left(now, link, peer, out),
            swarm::Output::Weigh => {
                let worths = self.peers.iter().map(|(peer, of)| (*peer, self.worth(now, peer, of)));
                let worths = worths.collect();
                self.feed_swarm(now, swarm::Input::Weighed(worths), out);
            }
            swarm::Output::LetGo(_, peer) => {
                self.send(now, peer, Frame::Bye(ByeReason::Crowded), out);
            }
            swarm::Output::Crowd(listeners) => {
                self.feed_fetch(now, fetch::Input::Crowd(listeners.into()), out);
            }
            swarm::Output::Welcomed => self.set_tracker(Status::Up, out),
            swarm::Output::Relayed(peer, parcel) => self.field_heard(now, peer, parcel, out),
            swarm::Output::Trouble(fault) => {
                if self.swarm.as_ref().is_some_and(|swarm| !swarm.is_joined()) {
                    self.set_tracker(Status::Down, out);
                }
                if !matches!(fault, TrackerFault::Closed | TrackerFault::Silent) {
                    self.trouble(fault.code(), out);
                }
            }
        }
    }

    /// What a neighbour is good for. Who owes, is owed or is a member of a field of ours is kept, as is who has a transfer running.
    fn worth(&self, now: Now, id: &PeerId, peer: &Peer) -> Worth {
        let Some(stream) = &self.stream else { return Worth::Held };
        let purse = self.purse.as_ref();
        let payee = purse.and_then(|purse| purse.payee.as_ref());
        let (_, owes) = payee.map(|payee| payee.balance(*id)).unwrap_or_default();
        let is_unsaid = peer.voucher.is_some() || peer.tick.is_some();
        let is_owed =
            is_unsaid || peer.payee.is_some_and(|target| self.debts.contains_key(&target));
        let is_member = || purse.is_some_and(|p| p.fields.key_of(&Address::of(&id.0)).is_some());
        let is_running = stream.fetch.is_asking(id) || stream.serve.is_serving(now.at, id);
        if is_running || !owes.is_zero() || is_owed || is_member() {
            Worth::Held
        } else if stream.fetch.is_useless(id) {
            Worth::Useless
        } else {
            Worth::Useful
        }
    }

    /// What we say first on every link.
    fn hello(&self) -> Option<Hello> {
        let sold = self.stream.as_ref().map(|stream| &stream.info);
        let sold = sold.filter(|info| self.config.upload.is_enabled && !info.price.is_zero());
        let terms = sold.map(|info| Terms {
            payee: Address::of(&self.config.key.public()),
            price: info.price,
            token: info.token,
        });
        Some(Hello { stream: self.gathering()?, features: TICKS, terms })
    }

    fn feed_link(&mut self, now: Now, id: LinkId, input: link::Input, out: &mut Vec<Output>) {
        let Some(line) = self.links.get_mut(&id) else { return };
        let peer = line.peer;
        let mut lifted = Vec::new();
        line.link.handle(now.at, input, &mut lifted);
        for output in lifted {
            // What follows in the message for which it was banned is nobody's.
            if !self.links.contains_key(&id) {
                return;
            }
            match output {
                link::Output::Transmit(bytes) => transmit::send(id, bytes, out),
                link::Output::Ready(hello) => self.greeted(now, id, peer, hello, out),
                link::Output::Heard(frame) => self.heard(now, peer, frame, out),
                link::Output::Blame(fault) => {
                    self.trouble(fault.code(), out);
                    if fault.is_ban() {
                        out.push(Output::Notify(Notice::Banned(fault.code())));
                        self.feed_swarm(now, swarm::Input::Ban(peer, fault.code()), out);
                    }
                }
                link::Output::Close => self.feed_swarm(now, swarm::Input::Drop(id), out),
            }
        }
    }

    fn greeted(
        &mut self,
        now: Now,
        link: LinkId,
        peer: PeerId,
        hello: Hello,
        out: &mut Vec<Output>,
    ) {
        let price = self.stream.as_ref().map_or(Amount::ZERO, |stream| stream.info.price);
        let asks = hello.terms.as_ref().map_or(Amount::ZERO, |terms| terms.price);
        let entry = Peer {
            link,
            // Whoever names somebody else would be handed what is meant for that one.
            payee: hello.terms.map(|it| it.payee).filter(|it| *it == Address::of(&peer.0)),
            pool: None,
            takes_ticks: hello.features & TICKS != 0,
            voucher: None,
            tick: None,
            payment_due: None,
            paid: Amount::ZERO,
            received: 0,
            sent: 0,
            probe: None,
        };
        self.peers.insert(peer, entry);
        self.set_terms(peer, out);
        self.feed_serve(now, serve::Input::Joined(peer), out);
        self.refresh_credit(now, peer, out);
        // The publisher sets the price; who asks more is served but never asked.
        if asks <= price {
            self.feed_fetch(now, fetch::Input::Joined(peer), out);
        }
        self.tell_holdings(now, peer, out);
        self.pay_debts(now, out);
        self.renew_payment(now, peer);
        self.field_member_came(now, peer, out);
        self.changed = true;
    }

    /// Tells a peer everything that we have, if we serve.
    pub(super) fn tell_holdings(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let Some(stream) = self.stream.as_ref().filter(|_| self.config.upload.is_enabled) else {
            return;
        };
        let holdings = stream.fetch.holdings();
        self.send(now, peer, Frame::Have(holdings), out);
    }

    fn left(&mut self, now: Now, link: LinkId, peer: PeerId, out: &mut Vec<Output>) {
        self.links.remove(&link);
        if self.peers.get(&peer).is_none_or(|entry| entry.link != link) {
            return;
        }
        self.peers.remove(&peer);
        self.feed_fetch(now, fetch::Input::Left(peer), out);
        self.feed_serve(now, serve::Input::Left(peer), out);
        self.feed_payee(now, payee::Input::Left(peer), out);
        self.changed = true;
    }

    fn heard(&mut self, now: Now, peer: PeerId, frame: Frame, out: &mut Vec<Output>) {
        match frame {
            Frame::Have(segments) => self.feed_fetch(now, fetch::Input::Has(peer, segments), out),
            Frame::HaveDelta(delta) => {
                self.feed_fetch(now, fetch::Input::HasNow(peer, delta), out);
            }
            Frame::Request(request) => {
                if let Some(voucher) = request.voucher {
                    self.feed_payee(now, payee::Input::Voucher(peer, voucher.into_vec()), out);
                }
                self.refresh_credit(now, peer, out);
                let asked = Asked { peer, id: request.id };
                self.feed_serve(now, serve::Input::Request(asked), out);
            }
            Frame::Chunk(chunk) => {
                let mut took = None;
                if let Some(entry) = self.peers.get_mut(&peer) {
                    entry.received = entry.received.saturating_add(chunk.bytes.len() as u64);
                    let probe = entry.probe.take_if(|(id, _)| *id == chunk.id);
                    took = probe.map(|(_, since)| now.at.since(since));
                }
                if let Some(took) = took {
                    self.feed_swarm(now, swarm::Input::Measured(peer, took), out);
                }
                let chunk = PeerChunk { id: chunk.id, bytes: chunk.bytes.into_vec() };
                self.feed_fetch(now, fetch::Input::Chunk(peer, chunk), out);
            }
            Frame::Refuse(refuse) => {
                let refused = Refused { id: refuse.id, reason: refuse.reason };
                self.feed_fetch(now, fetch::Input::Refused(peer, refused), out);
                if refuse.reason == Refusal::NoCredit {
                    self.refused_for_credit(now, peer, out);
                }
            }
            Frame::Cancel(id) => {
                self.feed_serve(now, serve::Input::Cancel(Asked { peer, id }), out);
            }
            Frame::Voucher(voucher) => {
                self.feed_payee(now, payee::Input::Voucher(peer, voucher.into_vec()), out);
            }
            Frame::Tick(preimage) => {
                self.feed_payee(now, payee::Input::Revealed(peer, preimage), out);
            }
            Frame::PoolRef(pool) => self.feed_payee(now, payee::Input::Offered(peer, pool), out),
            Frame::Field(parcel) => self.field_heard(now, peer, parcel, out),
            Frame::Bye(_) | Frame::Hello(_) => {}
        }
    }

    fn set_tracker(&mut self, status: Status, out: &mut Vec<Output>) {
        if self.tracker == status {
            return;
        }
        if status == Status::Down {
            out.push(Output::Notify(Notice::Trouble(view::TRACKER_DOWN)));
        } else if self.tracker == Status::Down {
            out.push(Output::Notify(Notice::Recovered(view::TRACKER_DOWN)));
        }
        self.tracker = status;
        self.changed = true;
    }
}
