//! Nodes, an origin, a tracker and listeners: everything that happens between pages, in one thread.

mod host;
mod pages;

use super::{
    dice::Dice,
    gateway::{self, Answer},
    genesis::{self, ORIGIN_MS},
    listener::Listener,
    network::Network,
    origin::{Origin, PLAYLIST, SEGMENT_MS},
    queue::Queue,
    tracker::Tracker,
};
use antiphon_core::{
    amount::Amount,
    client::{
        AskId, Client, Command, CommandError, Exhibit, Found, HttpOrder, Input, Loaded, LookupId,
        Part, Query, Question, RequestId, WantId,
    },
    id::FieldId,
    payment::telling::Rank,
    peer::{LinkId, tracker_wire::ToListener},
    time::{Moment, UnixMillis},
};
use std::{collections::BTreeMap, time::Duration};

/// The node that answers listeners: a guardian, so that the chain goes on without it.
pub const GATEWAY: usize = 5;
/// Milliseconds between looks of a page at the playlist.
const POLL_MS: u64 = 1000;
/// Milliseconds between looks of a player at its buffer.
const PLAY_MS: u64 = 100;
/// What the answer to a playlist is called; it says nothing that a player of the simulator waits for.
const PLAYLIST_READ: WantId = WantId(u64::MAX);
/// Steps without time passing after which something is wrong.
const MAX_BUSY: u64 = 20_000;

pub(super) enum Event {
    Input(usize, u64, Input),
    Stored(usize, u64),
    Http(usize, u64, RequestId, HttpOrder),
    Ask(usize, u64, AskId, Query),
    Connect(u64),
    ToTracker(u64, Vec<u8>),
    FromTracker(u64, ToListener),
    Close(u64),
    Linked((usize, u64, LinkId), (usize, u64, LinkId)),
    Poll(usize, u64),
    Play(usize, u64),
    Publish,
}

/// Everything.
pub struct World {
    /// The chain.
    pub network: Network,
    /// The stream.
    pub origin: Origin,
    /// The tracker, while it lives.
    pub tracker: Option<Tracker>,
    /// The pages.
    pub listeners: Vec<Listener>,
    /// Whether no two pages can open a channel, as behind some routers.
    pub has_no_channels: bool,
    /// What a watch-tower answers that is told a state; pages that are opened without one are told of none.
    pub tower: Option<fn(FieldId, Rank) -> Answer>,
    /// Least and most milliseconds of any way between two machines.
    pub latency_ms: (u64, u64),
    pub(super) now: Moment,
    pub(super) queue: Queue<Event>,
    pub(super) dice: Dice,
    pub(super) sockets: BTreeMap<u64, (usize, u64)>,
    pub(super) next_socket: u64,
    busy: u64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now", &self.now).finish_non_exhaustive()
    }
}

impl World {
    /// Starts a chain with one block a second and a stream of this price a chunk, and lets both run for some seconds.
    pub fn new(seed: u64, price: u128) -> Self {
        let network = Network::new(seed, genesis::spec(1000, 1));
        let origin = Origin::new(network.spec.chain_id(), Amount::from_units(price));
        let mut world = Self {
            network,
            origin,
            tracker: Some(Tracker::default()),
            listeners: Vec::new(),
            has_no_channels: false,
            tower: None,
            latency_ms: (10, 40),
            now: Moment::ZERO,
            queue: Queue::default(),
            dice: Dice::new(seed ^ 0x1157e4),
            sockets: BTreeMap::new(),
            next_socket: 0,
            busy: 0,
        };
        world.queue.push(Moment::ZERO, Event::Publish);
        world.run_for(10);
        world
    }

    /// Gives a page's client a command.
    ///
    /// # Errors
    /// [`CommandError`].
    pub fn command(&mut self, page: usize, command: Command) -> Result<(), CommandError> {
        let (now, clock) = (self.now, self.clock());
        let mut out = Vec::new();
        let client = self.listeners[page].client.as_mut().unwrap();
        let done = client.command(now, clock, command, &mut out);
        self.carry_out(page, out);
        done
    }

    /// Asks on a page about the chain, and waits for the answer.
    ///
    /// # Errors
    /// The code that says why there is none.
    pub fn look_up(&mut self, page: usize, question: Question) -> Result<Found, &'static str> {
        self.ask(page, |id| Input::LookUp(id, question))
    }

    /// Asks on a page for what is answered by `Found`, and waits for it.
    ///
    /// # Errors
    /// The code that says why there is none.
    pub fn ask(
        &mut self,
        page: usize,
        ask: impl FnOnce(LookupId) -> Input,
    ) -> Result<Found, &'static str> {
        let id = LookupId(self.listeners[page].found.len() as u64);
        self.input(page, ask(id));
        self.answer(page, id)
    }

    /// Asks the same twice at one moment, and waits for both answers.
    pub fn ask_twice(
        &mut self,
        page: usize,
        ask: impl Fn(LookupId) -> Input,
    ) -> (Result<Found, &'static str>, Result<Found, &'static str>) {
        let next = self.listeners[page].found.len() as u64;
        let (first, second) = (LookupId(next), LookupId(next + 1));
        self.input(page, ask(first));
        self.input(page, ask(second));
        (self.answer(page, first), self.answer(page, second))
    }

    fn answer(&mut self, page: usize, id: LookupId) -> Result<Found, &'static str> {
        let answered = self.run_until(30, |w| w.listeners[page].found.contains_key(&id));
        assert!(answered, "no answer");
        self.listeners[page].found[&id].clone()
    }

    /// Asks on a page for one payment as a file, or what such a file shows, and waits for the answer.
    ///
    /// # Errors
    /// The code that says why it shows nothing.
    pub fn exhibit(
        &mut self,
        page: usize,
        ask: impl FnOnce(LookupId) -> Input,
    ) -> Result<Exhibit, &'static str> {
        let listener = &self.listeners[page];
        let id = LookupId((1 << 40) + (listener.found.len() + listener.shown.len()) as u64);
        self.input(page, ask(id));
        let answered = self.run_until(10, |w| {
            let listener = &w.listeners[page];
            listener.found.contains_key(&id) || listener.shown.contains_key(&id)
        });
        assert!(answered, "no answer");
        let listener = &self.listeners[page];
        match listener.found.get(&id) {
            Some(lost) => Err(lost.as_ref().err().copied().unwrap()),
            None => Ok(listener.shown[&id].clone()),
        }
    }

    /// Lets everything happen for a while.
    pub fn run_for(&mut self, seconds: u64) {
        let end = self.now.after(Duration::from_secs(seconds));
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            self.busy = if at > self.now { 0 } else { self.busy + 1 };
            assert!(self.busy < MAX_BUSY, "time stands still at {at:?}: {:?}", self.deadlines());
            self.now = at;
            self.step();
        }
        self.now = end;
        self.network.wait_until(end);
    }

    /// Lets everything happen until `is_so`, at most for `seconds`. Returns whether it is so.
    pub fn run_until(&mut self, seconds: u64, is_so: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..seconds {
            if is_so(self) {
                return true;
            }
            self.run_for(1);
        }
        is_so(self)
    }

    /// Returns the time.
    pub const fn now(&self) -> Moment {
        self.now
    }

    pub(super) const fn clock(&self) -> UnixMillis {
        UnixMillis(ORIGIN_MS + self.now.as_millis())
    }

    fn deadlines(&self) -> Vec<Option<Moment>> {
        let clients = self.listeners.iter().map(|listener| listener.client.as_ref()?.deadline());
        clients.chain([self.network.next_at(), self.queue.next_at()]).collect()
    }

    fn next_at(&self) -> Option<Moment> {
        self.deadlines().into_iter().flatten().min().map(|at| at.max(self.now))
    }

    fn step(&mut self) {
        let is_due = |at: Option<Moment>, now| at.is_some_and(|at| at <= now);
        if is_due(self.network.next_at(), self.now) {
            self.network.step();
        } else if is_due(self.queue.next_at(), self.now) {
            if let Some((_, event)) = self.queue.pop() {
                self.happen(event);
            }
        } else {
            let due = self.listeners.iter().position(|listener| {
                is_due(listener.client.as_ref().and_then(Client::deadline), self.now)
            });
            if let Some(page) = due {
                self.input(page, Input::Tick);
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input(page, life, input) => self.input_of(page, life, input),
            Event::Stored(page, life) => {
                let listener = &mut self.listeners[page];
                let Some((token, name, row)) =
                    (listener.life == life).then(|| listener.writing.pop_front()).flatten()
                else {
                    return;
                };
                pages::store(listener, name, row);
                self.input(page, Input::Stored(token));
            }
            Event::Http(page, life, id, order) => {
                let answer = match order.url.strip_prefix(gateway::NODE) {
                    Some(path) => gateway::light_file(&self.network, GATEWAY, path),
                    None => {
                        assert_eq!(order.base.as_deref(), Some(PLAYLIST));
                        self.origin.get(&order.url, order.range)
                    }
                };
                let input = match answer {
                    Some(answer) => Input::HttpDone(id, answer),
                    None => Input::HttpFailed(id),
                };
                self.later(Event::Input(page, life, input));
            }
            Event::Ask(page, life, id, query) => {
                let told = match (&query, self.tower) {
                    (Query::Watch(sealed), Some(tower)) => Some(gateway::told(sealed, tower)),
                    _ => None,
                };
                let answer =
                    told.unwrap_or_else(|| gateway::answer(&mut self.network, GATEWAY, query));
                let input = match answer {
                    Answer::Bytes(bytes) => Input::Answered(id, bytes),
                    Answer::Refused(code) => Input::Refused(id, code),
                    Answer::Nothing => Input::Unreachable(id),
                };
                self.later(Event::Input(page, life, input));
            }
            Event::Connect(socket) => self.connect(socket),
            Event::ToTracker(socket, bytes) => {
                let said = self.tracker.as_mut().map(|tracker| tracker.heard(socket, &bytes));
                self.tracker_says(said.unwrap_or_default());
            }
            Event::FromTracker(socket, message) => {
                if let Some((page, life)) = self.sockets.get(&socket).copied() {
                    self.input_of(page, life, Input::TrackerMessage(message.to_bytes()));
                }
            }
            Event::Close(socket) => {
                self.sockets.remove(&socket);
                if let Some(tracker) = &mut self.tracker {
                    tracker.closed(socket);
                }
            }
            Event::Linked(one, other) => self.linked(one, other),
            Event::Poll(page, life) => self.poll(page, life),
            Event::Play(page, life) => self.play(page, life),
            Event::Publish => {
                self.origin.publish(&mut self.dice);
                let next = self.now.after(Duration::from_millis(SEGMENT_MS));
                self.queue.push(next, Event::Publish);
            }
        }
    }

    fn poll(&mut self, page: usize, life: u64) {
        if self.listeners[page].life == life {
            let loaded = Loaded { url: String::from(PLAYLIST), text: self.origin.playlist() };
            let playlist = Input::Playlist(PLAYLIST_READ, loaded);
            self.later(Event::Input(page, life, playlist));
            // Later than any playlist that is sent now, as a player reads the one before it loads the other.
            let at = self.now.after(Duration::from_millis(self.latency_ms.1));
            if let Some(id) = self.listeners[page].player.want_map() {
                let map = Input::Check(id, Part::Map, self.origin.get_map());
                self.queue.push(at, Event::Input(page, life, map));
            }
            let next = self.now.after(Duration::from_millis(POLL_MS));
            self.queue.push(next, Event::Poll(page, life));
        }
    }

    fn play(&mut self, page: usize, life: u64) {
        let listener = &mut self.listeners[page];
        if listener.life != life {
            return;
        }
        self.queue.push(self.now.after(Duration::from_millis(PLAY_MS)), Event::Play(page, life));
        let newest = listener.snapshot().stream.map(|stream| stream.newest);
        let Some(newest) = newest.filter(|_| !listener.is_paused) else { return };
        let listed = self.origin.listed().start..newest + 1;
        if let Some((id, wanted)) = listener.player.want(self.now, listed) {
            self.input(page, Input::Want(id, wanted));
        }
    }

    /// Lets something happen one way's latency from now.
    pub(super) fn later(&mut self, event: Event) {
        let wait = Duration::from_millis(self.dice.between(self.latency_ms));
        self.queue.push(self.now.after(wait), event);
    }

    fn input_of(&mut self, page: usize, life: u64, input: Input) {
        if self.listeners[page].life == life {
            self.input(page, input);
        }
    }

    pub(super) fn input(&mut self, page: usize, input: Input) {
        let (now, clock) = (self.now, self.clock());
        let mut out = Vec::new();
        if let Some(client) = &mut self.listeners[page].client {
            client.handle(now, clock, input, &mut out);
        }
        self.carry_out(page, out);
    }
}
