//! One page: a client, what it stored, its player.

use super::player::Player;
use antiphon_core::{
    amount::Amount,
    client::{Client, Config, Exhibit, Found, LookupId, Snapshot, StoreToken},
    codec,
    id::{Address, PoolId},
    payment::{
        tick::Preimage,
        voucher::{MAX_PROMISE_BYTES, Promise},
    },
    peer::{LinkId, frames::ByeReason},
    row,
};
use std::collections::{BTreeMap, VecDeque};

/// A write under way.
pub type Row = (StoreToken, String, Option<Vec<u8>>);

/// A listener and its machine.
#[derive(Debug)]
pub struct Listener {
    pub(super) client: Option<Client>,
    pub(super) config: Config,
    /// What is durably stored.
    pub rows: BTreeMap<String, Vec<u8>>,
    pub(super) writing: VecDeque<Row>,
    pub(super) life: u64,
    pub(super) socket: Option<u64>,
    /// Where each link leads: the other listener and its name for the link.
    pub(super) pipes: BTreeMap<LinkId, (usize, LinkId)>,
    /// The player on the page.
    pub player: Player,
    /// What the client complained about, with how often.
    pub troubles: BTreeMap<&'static str, u64>,
    /// Answers to look-ups, or why there is none.
    pub found: BTreeMap<LookupId, Result<Found, &'static str>>,
    /// What files showed.
    pub shown: BTreeMap<LookupId, Exhibit>,
    /// Changes the last byte of every chunk it sends.
    pub is_polluter: bool,
    /// Whom it says in its greeting that it is paid as, if it lies.
    pub claims: Option<Address>,
    /// Plays nothing: it came for a room.
    pub is_guest: bool,
    /// Stays silent about the player: the page does not play.
    pub is_paused: bool,
    /// Chunks sent on each link's way to another listener.
    pub chunks_sent: BTreeMap<usize, u64>,
    /// Ticks sent, with the listener that each went to.
    pub ticks_sent: Vec<(usize, Preimage)>,
    /// Messages that held payments and nothing else.
    pub paid_alone: usize,
    /// Whom it said goodbye to, and why.
    pub goodbyes: Vec<(usize, ByeReason)>,
}

impl Listener {
    /// Makes a listener that has never started.
    pub fn new(config: Config) -> Self {
        Self {
            client: None,
            config,
            rows: BTreeMap::new(),
            writing: VecDeque::new(),
            life: 0,
            socket: None,
            pipes: BTreeMap::new(),
            player: Player::default(),
            troubles: BTreeMap::new(),
            found: BTreeMap::new(),
            shown: BTreeMap::new(),
            is_polluter: false,
            claims: None,
            is_guest: false,
            is_paused: false,
            chunks_sent: BTreeMap::new(),
            ticks_sent: Vec::new(),
            paid_alone: 0,
            goodbyes: Vec::new(),
        }
    }

    /// Returns whether a link leads to another listener.
    pub fn is_linked(&self, other: usize) -> bool {
        self.pipes.values().any(|(to, _)| *to == other)
    }

    /// Returns what the page shows.
    pub fn snapshot(&self) -> Snapshot {
        self.client.as_ref().map(Client::snapshot).unwrap_or_default()
    }

    /// Returns what the page was told at its start.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Returns what this listener durably holds of a pool, promised by its best voucher.
    pub fn held_from(&self, pool: PoolId) -> Amount {
        let name = format!("payee/{}", pool.0);
        let row = self.rows.get(&name).cloned();
        row.map_or(Amount::ZERO, |row| {
            let bytes = row::unseal(self.config.chain, &name, row).unwrap();
            codec::decode::<Promise>(&bytes, MAX_PROMISE_BYTES).unwrap().worth().unwrap()
        })
    }

    /// Returns the listener's account.
    pub fn address(&self) -> Address {
        Address::of(&self.config.key.public())
    }
}
