//! A client, what it uses, and the orders that wait to be carried out.
//!
//! ```text
//! feed, command --> client, tuner --> orders, in a queue --> Host carries them out, one after the other
//! ```

use crate::{
    clock,
    disk::{Disk, DiskError, Row},
    errands::Errands,
    keeper::Ticket,
    links::Links,
    socket::Socket,
    tuner::{self, Stats, Tuner},
};
use antiphon_core::{
    chain::transaction::SignedTransaction,
    client::{
        Client, Command, CommandError, Input, LookupId, Output, PaymentAt, Question, Snapshot,
        StoreToken, WantId,
    },
    time::Moment,
};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

/// Rows of keepers are called so, and no row of the client is.
pub const KEEPERS: &str = "keeper/";
/// Tokens of keepers' rows begin here: the client counts its own from one.
const FIRST_TICKET: u64 = 1 << 63;
/// What keepers want begins here: the tuner counts its own from zero.
const FIRST_WANT: u64 = 1 << 63;

/// What the client uses.
#[derive(Debug)]
pub struct Means<L> {
    /// Data channels.
    pub links: L,
    /// The tracker.
    pub socket: Socket,
    /// Rows.
    pub disk: Disk,
    /// HTTP: origins and the chain's node.
    pub errands: Errands,
}

/// A client and its hands.
#[derive(Debug)]
pub struct Desk<L> {
    pub(crate) client: Client,
    pub(crate) tuner: Option<Tuner>,
    pub(crate) means: Means<L>,
    /// Orders that wait for their turn.
    pub(crate) orders: VecDeque<Output>,
    /// Orders that wait for a row.
    pub(crate) held: BTreeMap<Ticket, Vec<Output>>,
    /// Rows of the keeper that wait for their turn.
    pub(crate) rows: VecDeque<(Ticket, String, Option<Vec<u8>>)>,
    /// Loads that the tuner ordered.
    pub(crate) loads: VecDeque<String>,
    began: Instant,
    next_ticket: u64,
    next_lookup: u64,
    next_want: u64,
}

impl<L: Links> Desk<L> {
    /// Puts a client at a desk. With a tuner it listens to a stream.
    pub fn new(client: Client, tuner: Option<Tuner>, means: Means<L>) -> Self {
        Self {
            client,
            tuner,
            means,
            orders: VecDeque::new(),
            held: BTreeMap::new(),
            rows: VecDeque::new(),
            loads: VecDeque::new(),
            began: Instant::now(),
            next_ticket: FIRST_TICKET,
            next_lookup: 0,
            next_want: FIRST_WANT,
        }
    }

    /// Returns the time since the desk was made.
    pub fn now(&self) -> Moment {
        Moment::ZERO.after(self.began.elapsed())
    }

    /// Returns the client.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Returns everything there is to show.
    pub fn snapshot(&self) -> Snapshot {
        self.client.snapshot()
    }

    /// Returns what became of the segments that were wanted.
    pub fn tuned(&self) -> Stats {
        self.tuner.as_ref().map_or_else(Stats::default, Tuner::stats)
    }

    /// Lets the client wait for a transaction that one before it has sent; before the client begins.
    pub fn resume(&mut self, transaction: SignedTransaction) {
        self.client.resume(transaction);
    }

    /// Gives a command.
    ///
    /// # Errors
    /// Those of the client; nothing is done then.
    pub fn command(&mut self, command: Command) -> Result<(), CommandError> {
        let (now, mut out) = (self.now(), Vec::new());
        let done = self.client.command(now, clock::now(), command, &mut out);
        self.orders.extend(out);
        done
    }

    /// Gives an input.
    pub fn feed(&mut self, input: Input) {
        let (now, mut out) = (self.now(), Vec::new());
        self.client.handle(now, clock::now(), input, &mut out);
        self.orders.extend(out);
    }

    /// Reads every row that is written, and hands them to `done` on the disk's thread; a disk that has failed drops it.
    pub fn read_rows(&self, done: impl FnOnce(Result<Vec<Row>, DiskError>) + Send + 'static) {
        // Whoever waits hears that nobody answers.
        let _ = self.means.disk.read(done);
    }

    /// Asks about the chain. The keeper hears `Found` or `Lost`.
    pub fn look_up(&mut self, question: Question) -> LookupId {
        let id = self.fresh_lookup();
        self.feed(Input::LookUp(id, question));
        id
    }

    /// Looks for pools of this key that are not known here. The keeper hears `Found` or `Lost`.
    pub fn find_pools(&mut self) -> LookupId {
        let id = self.fresh_lookup();
        self.feed(Input::FindPools(id));
        id
    }

    /// Asks for one payment of a closed field as a file. The keeper hears `Shown` or `Lost`.
    pub fn prove(&mut self, payment: PaymentAt) -> LookupId {
        let id = self.fresh_lookup();
        self.feed(Input::Prove(id, payment));
        id
    }

    /// Listens to the stream of this playlist from now on, or to none.
    pub fn listen(&mut self, url: Option<String>) {
        self.tuner = url.map(Tuner::new);
        self.tune(tuner::Input::Tick);
    }

    /// Gives an input of a player: a segment that it wants, or what it has loaded. The keeper hears `Deliver`, `Refuse` or `Fail`,
    /// unless it gives up by `Unwant`.
    pub fn play(&mut self, ask: impl FnOnce(WantId) -> Input) -> WantId {
        let id = WantId(self.next_want);
        self.next_want = self.next_want.saturating_add(1);
        self.feed(ask(id));
        id
    }

    /// Writes a row of the keeper, or removes it. The name begins with [`KEEPERS`], whatever is given.
    pub fn keep(&mut self, name: &str, row: Option<Vec<u8>>) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.saturating_add(1);
        self.rows.push_back((ticket, format!("{KEEPERS}{name}"), row));
        ticket
    }

    pub(crate) fn tune(&mut self, input: tuner::Input) {
        let now = self.now();
        let Some(tuner) = &mut self.tuner else { return };
        let mut out = Vec::new();
        tuner.handle(now, input, &mut out);
        for output in out {
            match output {
                tuner::Output::Load(url) => self.loads.push_back(url),
                tuner::Output::Tell(id, loaded) => self.feed(Input::Playlist(id, loaded)),
                tuner::Output::Want(id, wanted) => self.feed(Input::Want(id, wanted)),
            }
        }
    }

    pub(crate) fn deadline(&self) -> Option<Moment> {
        let tuner = self.tuner.as_ref().and_then(Tuner::deadline);
        [self.client.deadline(), tuner].into_iter().flatten().min()
    }

    const fn fresh_lookup(&mut self) -> LookupId {
        self.next_lookup = self.next_lookup.saturating_add(1);
        LookupId(self.next_lookup)
    }
}

/// Returns whether this answers what the keeper, and not the tuner, has asked as a player.
pub(crate) const fn is_for_keeper(order: &Output) -> bool {
    let (Output::Deliver(id, _) | Output::Refuse(id, _) | Output::Fail(id, _)) = order else {
        return false;
    };
    id.0 >= FIRST_WANT
}

/// Returns the ticket of a keeper's row.
pub(crate) const fn ticket_of(token: StoreToken) -> Option<Ticket> {
    if token.0 >= FIRST_TICKET { Some(Ticket(token.0)) } else { None }
}
