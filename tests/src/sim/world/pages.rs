//! Pages, tracker and gateway come and go.

use super::{
    super::{gateway, genesis, listener::Listener, tracker::Tracker},
    Event, World,
};
use antiphon_core::{
    chain::light::Anchor,
    client::{Client, Config, Input, UploadPolicy},
    crypto::SecretKey,
    peer::swarm::DEFAULT_LINKS,
};
use std::time::Duration;

impl World {
    /// Opens a page that plays and returns its number.
    pub fn open_page(&mut self) -> usize {
        self.open(false, |_| {})
    }

    /// Opens a page that plays and is set otherwise, and returns its number.
    pub fn open_page_with(&mut self, set: impl FnOnce(&mut Config)) -> usize {
        self.open(false, set)
    }

    /// Opens a page that plays nothing and returns its number.
    pub fn open_guest(&mut self) -> usize {
        self.open(true, |_| {})
    }

    fn open(&mut self, is_guest: bool, set: impl FnOnce(&mut Config)) -> usize {
        let page = self.listeners.len();
        let mut config = Config {
            key: SecretKey::from_bytes(&[page as u8 + 50; 32]),
            chain: self.network.spec.chain_id(),
            anchor: Anchor::Genesis,
            node: String::from(gateway::NODE),
            witnesses: Vec::new(),
            skipping: Default::default(),
            publisher: None,
            tracker: is_guest.then(|| String::from("ws://tracker")),
            cache_limit: 4 << 20,
            max_links: DEFAULT_LINKS,
            upload: UploadPolicy { is_enabled: true, rate: None, total: None },
            has_tower: self.tower.is_some(),
        };
        set(&mut config);
        self.listeners.push(Listener { is_guest, ..Listener::new(config) });
        self.load_page(page);
        page
    }

    /// Loads a page anew from what it stored.
    pub fn load_page(&mut self, page: usize) {
        let seed = self.dice.bytes();
        let listener = &mut self.listeners[page];
        listener.life += 1;
        listener.player = Default::default();
        listener.client = Some(Client::new(listener.config.clone(), seed));
        let rows = listener.rows.clone().into_iter().collect();
        let life = listener.life;
        self.input(page, Input::Loaded(rows));
        if !self.listeners[page].is_guest {
            self.queue.push(self.now, Event::Poll(page, life));
            self.queue.push(self.now, Event::Play(page, life));
        }
    }

    /// Closes a page as a crash does. Of its writes under way, the first `written` are stored.
    pub fn kill_page(&mut self, page: usize, written: usize) {
        let listener = &mut self.listeners[page];
        let done: Vec<_> = listener.writing.drain(..).take(written).collect();
        for (_, name, row) in done {
            store(listener, name, row);
        }
        listener.client = None;
        listener.life += 1;
        let (socket, pipes) = (listener.socket.take(), std::mem::take(&mut listener.pipes));
        if let Some(socket) = socket {
            self.queue.push(self.now, Event::Close(socket));
        }
        for (other, link) in pipes.into_values() {
            // A browser notices after a while.
            self.hang_up(other, link, Duration::from_secs(3));
        }
    }

    /// Kills the tracker; it forgets everything.
    pub fn kill_tracker(&mut self) {
        let sockets = self.tracker.take().map(|tracker| tracker.sockets()).unwrap_or_default();
        for socket in sockets {
            if let Some((page, life)) = self.sockets.remove(&socket) {
                self.listeners[page].socket = None;
                self.queue.push(self.now, Event::Input(page, life, Input::TrackerClosed));
            }
        }
    }

    /// Starts a tracker that knows nobody.
    pub fn start_tracker(&mut self) {
        self.tracker = Some(Tracker::default());
    }

    /// Stops the node that answers listeners.
    pub fn kill_gateway(&mut self) {
        self.network.crash(super::GATEWAY, genesis::GUARDIANS);
    }
}

/// Makes a write durable.
pub(super) fn store(listener: &mut Listener, name: String, row: Option<Vec<u8>>) {
    match row {
        Some(row) => listener.rows.insert(name, row),
        None => listener.rows.remove(&name),
    };
}
