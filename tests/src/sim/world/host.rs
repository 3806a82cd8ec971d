//! Carries out what a client wants: sockets, channels, requests, writes.

use super::{Event, World};
use antiphon_core::{
    client::{Input, Notice, Output},
    peer::{
        LinkId,
        frames::{Assembler, Frame, messages},
        tracker_wire::ToListener,
    },
};
use std::time::Duration;

impl World {
    pub(super) fn carry_out(&mut self, page: usize, outputs: Vec<Output>) {
        for output in outputs {
            let life = self.listeners[page].life;
            match output {
                Output::Http(id, order) => self.later(Event::Http(page, life, id, order)),
                Output::CancelHttp(_) => {}
                Output::Ask(id, query) => self.later(Event::Ask(page, life, id, query)),
                Output::ConnectTracker(_) => {
                    self.next_socket += 1;
                    self.listeners[page].socket = Some(self.next_socket);
                    self.sockets.insert(self.next_socket, (page, life));
                    self.later(Event::Connect(self.next_socket));
                }
                Output::TrackerSend(bytes) => {
                    if let Some(socket) = self.listeners[page].socket {
                        // In order: a socket's messages all take the same time.
                        let at = self.now.after(Duration::from_millis(self.latency_ms.1));
                        self.queue.push(at, Event::ToTracker(socket, bytes));
                    }
                }
                Output::CloseTracker => {
                    if let Some(socket) = self.listeners[page].socket.take() {
                        let at = self.now.after(Duration::from_millis(self.latency_ms.1));
                        self.queue.push(at, Event::Close(socket));
                    }
                }
                Output::CreateLink(link, remote) => self.create_link(page, link, remote),
                Output::AcceptAnswer(link, remote) => {
                    if let Some((other, other_life, other_link)) = read(&remote) {
                        let ends = ((page, life, link), (other, other_life, other_link));
                        self.later(Event::Linked(ends.0, ends.1));
                    }
                }
                // Descriptions name all there is here.
                Output::AddCandidates(..) => {}
                Output::CloseLink(link) => {
                    if let Some((other, link)) = self.listeners[page].pipes.remove(&link) {
                        self.hang_up(other, link, Duration::from_millis(self.latency_ms.1));
                    }
                }
                Output::Send(link, bytes) => self.send(page, link, bytes),
                Output::Store(token, name, row) => {
                    self.listeners[page].writing.push_back((token, name, row));
                    let wait = Duration::from_millis(self.dice.between((1, 30)));
                    self.queue.push(self.now.after(wait), Event::Stored(page, life));
                }
                Output::Deliver(id, bytes) => {
                    let player = &mut self.listeners[page].player;
                    if player.take_map(id) {
                        assert_eq!(bytes, self.origin.map(), "a bad map was played");
                    } else if let Some(sequence) = player.deliver(self.now, id) {
                        assert_eq!(bytes, self.origin.segment(sequence), "a bad byte was played");
                    }
                }
                Output::Refuse(id, _) => self.listeners[page].player.refuse_map(id),
                Output::Fail(id, _) => self.listeners[page].player.fail(self.now, id),
                Output::Found(id, found) => {
                    self.listeners[page].found.insert(id, Ok(*found));
                }
                Output::Shown(id, exhibit) => {
                    self.listeners[page].shown.insert(id, *exhibit);
                }
                Output::Lost(id, code) => {
                    self.listeners[page].found.insert(id, Err(code));
                }
                Output::Notify(Notice::Trouble(code) | Notice::Banned(code)) => {
                    *self.listeners[page].troubles.entry(code).or_default() += 1;
                }
                Output::Notify(Notice::Recovered(_) | Notice::Warning(..) | Notice::Changed) => {}
            }
        }
    }

    /// Describes a link at once: the "description" names page, life and link.
    fn create_link(&mut self, page: usize, link: LinkId, remote: Option<String>) {
        let life = self.listeners[page].life;
        if self.has_no_channels {
            return;
        }
        if remote.as_deref().is_some_and(|remote| read(remote).is_none()) {
            return;
        }
        let described = Input::Described(link, format!("{page} {life} {}", link.0));
        self.later(Event::Input(page, life, described));
    }

    pub(super) fn linked(
        &mut self,
        (one, one_life, one_link): (usize, u64, LinkId),
        (two, two_life, two_link): (usize, u64, LinkId),
    ) {
        let alive = |page: usize, life| self.listeners[page].life == life;
        if !alive(one, one_life) || !alive(two, two_life) {
            return;
        }
        self.listeners[one].pipes.insert(one_link, (two, two_link));
        self.listeners[two].pipes.insert(two_link, (one, one_link));
        self.later(Event::Input(one, one_life, Input::LinkOpened(one_link)));
        self.later(Event::Input(two, two_life, Input::LinkOpened(two_link)));
    }

    /// Lets a page notice that a channel is gone.
    pub(super) fn hang_up(&mut self, page: usize, link: LinkId, wait: Duration) {
        let listener = &mut self.listeners[page];
        listener.pipes.remove(&link);
        let closed = Event::Input(page, listener.life, Input::LinkClosed(link));
        self.queue.push(self.now.after(wait), closed);
    }

    fn send(&mut self, page: usize, link: LinkId, mut bytes: Vec<u8>) {
        let listener = &mut self.listeners[page];
        let Some((other, other_link)) = listener.pipes.get(&link).copied() else { return };
        let mut frames = Vec::new();
        let mut assembler = Assembler::default();
        let read = assembler.push(&bytes, &mut frames);
        assert!(read.is_ok() && assembler.held() == 0, "a client's messages hold whole frames");
        let is_payment = |frame: &Frame| matches!(frame, Frame::Tick(_) | Frame::Voucher(_));
        listener.paid_alone += usize::from(frames.iter().all(is_payment));
        for frame in &mut frames {
            if let Frame::Tick(tick) = frame {
                listener.ticks_sent.push((other, *tick));
            } else if let Frame::Bye(why) = frame {
                listener.goodbyes.push((other, *why));
            } else if let Frame::Chunk(chunk) = frame {
                *listener.chunks_sent.entry(other).or_default() += 1;
                if listener.is_polluter {
                    let altered = chunk.bytes.iter().map(|byte| byte ^ 1).collect::<Vec<_>>();
                    chunk.bytes = altered.try_into().unwrap_or_default();
                }
            } else if let Frame::Hello(hello) = frame
                && let Some((terms, claimed)) = hello.terms.as_mut().zip(listener.claims)
            {
                terms.payee = claimed;
            }
        }
        if listener.is_polluter || listener.claims.is_some() {
            bytes = frames.iter().flat_map(Frame::to_bytes).collect();
        }
        let life = listener.life;
        let other_life = self.listeners[other].life;
        // A channel keeps order: all its messages take the same time.
        let at = self.now.after(Duration::from_millis(self.latency_ms.1));
        self.queue.push(at, Event::Input(other, other_life, Input::LinkMessage(other_link, bytes)));
        self.queue.push(at, Event::Input(page, life, Input::LinkDrained(link)));
    }

    /// Lets one page say this to another over their link, whatever its client thinks of it. Returns whether there is one.
    pub fn say(&mut self, page: usize, other: usize, frame: &Frame) -> bool {
        let pipes = &self.listeners[page].pipes;
        let link = pipes.iter().find(|(_, (to, _))| *to == other).map(|(link, _)| *link);
        let Some(link) = link else { return false };
        for message in messages(&frame.to_bytes()) {
            self.send(page, link, message.to_vec());
        }
        true
    }

    pub(super) fn connect(&mut self, socket: u64) {
        let Some((page, life)) = self.sockets.get(&socket).copied() else { return };
        let Some(tracker) = &mut self.tracker else {
            self.sockets.remove(&socket);
            self.listeners[page].socket = None;
            self.later(Event::Input(page, life, Input::TrackerClosed));
            return;
        };
        let said = tracker.opened(socket, &mut self.dice);
        self.queue.push(self.now, Event::Input(page, life, Input::TrackerOpened));
        self.tracker_says(said);
    }

    pub(super) fn tracker_says(&mut self, said: Vec<(u64, ToListener)>) {
        let at = self.now.after(Duration::from_millis(self.latency_ms.1));
        for (socket, message) in said {
            self.queue.push(at, Event::FromTracker(socket, message));
        }
    }
}

/// Reads a description.
fn read(text: &str) -> Option<(usize, u64, LinkId)> {
    let mut parts = text.split(' ').map(|part| part.parse::<u64>().ok());
    Some((parts.next()?? as usize, parts.next()??, LinkId(parts.next()??)))
}
