//! The root machine that a page, a phone or a test drives: routes inputs to the machines below and lifts their
//! outputs. It decides nothing itself.
//!
//! ```text
//! host --Input--> client --> light ---heads---> book, payer, payee
//!                        --> fetch, serve <--frames--> link <-- swarm
//! host <--Output-- client <-- every machine's outputs, in order
//! ```
//!
//! The border is push style: one [`Input`] in, an ordered list of [`Output`]s back, and one question,
//! "when must I tick?". What an application sees is a [`Snapshot`].
//!
//! | file | what it routes |
//! |---|---|
//! | `command` | what the application asks for |
//! | `chain` | light files and heads |
//! | `lookups` | what the application asks about the chain |
//! | `purse` | the money machines, made |
//! | `money` | proofs, vouchers, settlements |
//! | `pay` | what peers are owed for chunks |
//! | `media` | playlists, segments, chunks |
//! | `neighbours` | tracker, links, frames |
//! | `room` | where pages meet that play nothing |
//! | `gifts` | what is reserved for one payee alone |
//! | `exhibits` | one payment of a closed field as a file |
//! | `tower` | what is told to a watch-tower |
//! | `fields` | payment fields: their members and their rows on chain |
//! | `backup` | what of a disk goes into a backup, and back |
//! | `search` | pools of this key that no row knows |
//! | `view` | what an application sees |
//! | [`journal`] | what was asked for in money, once by each key; above the machine, for hosts |

mod ahead;
mod backup;
mod chain;
mod command;
mod config;
mod exhibits;
mod fields;
mod gifts;
mod input;
pub mod journal;
mod lookups;
mod media;
mod money;
mod neighbours;
mod output;
mod pay;
mod purse;
mod room;
mod search;
mod sign_in;
mod snapshot;
mod tower;
mod view;

pub use backup::Restored;
pub use config::{CommandError, Config};
pub use fields::FieldOffer;
pub use input::{Command, HttpAnswer, Input, Loaded, Part, PaymentAt, UploadPolicy, Wanted};
pub use output::{
    AskId, Exhibit, Found, HttpOrder, LookupId, Notice, Output, Query, Question, RequestId,
    StoreToken, Threat, WantId, Warning,
};
pub use room::MAX_ROOM_NAME;
pub use view::MAX_BANS_SHOWN;

pub use snapshot::{
    AccountView, AmendmentView, Around, BanView, ChainView, DeliveryView, FieldProven, FieldShow,
    FieldView, GiftStage, GiftView, HeadView, Leveled, LockedView, MemberView, PayerView,
    PaymentStanding, PaymentView, PeerView, Phase, PoolView, Problem, RoundStep, SentView,
    SettlementView, Snapshot, SpecView, Status, StreamView, WalletView,
};

use crate::{
    amount::Amount,
    chain::{
        light::{self, File, Light, Source},
        lookup::{Lookups, ProofId},
        transaction::SignedTransaction,
    },
    crypto::{Hash, PublicKey},
    delivery::{fetch, fetch::Fetch, playlist::Reader, record::StreamInfo, serve, serve::Serve},
    id::{Address, FieldId, PeerId, StreamId},
    payment::{
        self,
        gift::{self, Gifts},
        member::{self, Membership},
        payee::{self, Payee},
        payer::{self, DeviceId, Payer},
        telling::{Rank, Telling},
    },
    peer::{LinkId, swarm::Swarm},
    row::{self, Row},
    table::Table,
    time::{Moment, UnixMillis},
    wallet::book::{self, Book},
};
use ahead::Dealings;
use alloc::{boxed::Box, string::String, vec::Vec};
use neighbours::Peer;

/// Name under which this installation's id is stored.
const DEVICE: &str = "device";

/// When it is: on the host's clock, and on the wall.
#[derive(Clone, Copy, Debug)]
struct Now {
    at: Moment,
    clock: UnixMillis,
}

/// What an HTTP request is for.
#[derive(Clone, Debug)]
enum Purpose {
    /// A light file.
    File(Source, File),
    /// A light file that a look-up needs.
    LookupFile(LookupId, File),
    /// Bytes of a segment, from this offset on.
    Chunks(fetch::OrderId, usize),
}

/// Who asked the node.
#[derive(Clone, Copy, Debug)]
enum Asker {
    Book(AskId),
    Lookup(ProofId),
    Exhibit(LookupId),
    /// A tower, which was told this state of this field.
    Tower((FieldId, Rank)),
}

/// What a durable write is for.
#[derive(Clone, Copy, Debug)]
enum Kept {
    Trust,
    Device,
    Payer(payment::StoreToken),
    Payee(payment::StoreToken),
    Field(payment::StoreToken),
    Gift(payment::StoreToken),
}

/// The money machines of one key on one chain.
#[derive(Debug)]
struct Purse {
    book: Book,
    payer: Payer,
    payee: Option<Payee>,
    fields: Membership,
    gifts: Gifts,
}

/// The stream that plays.
#[derive(Debug)]
struct Stream {
    id: StreamId,
    info: StreamInfo,
    /// The key that signs for the publisher now.
    signer: PublicKey,
    fetch: Fetch,
    serve: Serve,
    addresses: Table<u64, String>,
    newest: u64,
    /// Bytes that the player loaded by itself and that were verified then.
    checked: u64,
}

/// A listener: light client, wallet, downloader and uploader of one stream.
#[derive(Debug)]
pub struct Client {
    config: Config,
    seed: [u8; 32],
    last: Moment,
    /// The wall clock when it was last told.
    clock: UnixMillis,
    next_id: u64,
    requests: Table<RequestId, Purpose>,
    asks: Table<AskId, Asker>,
    lookups: Lookups,
    /// Files that are being made or checked.
    drafts: Vec<(LookupId, exhibits::Draft)>,
    /// Pools of ours that are being looked for.
    search: Option<search::Search>,
    telling: Telling,
    writes: Table<StoreToken, Kept>,
    stored: Vec<Row>,
    device: Option<DeviceId>,
    /// What was on its way when the client before this one ended.
    flight: Option<Box<SignedTransaction>>,
    light: Light,
    node: Status,
    purse: Option<Purse>,
    reader: Option<Reader>,
    /// Where the playlist of each rendition was found last.
    playlist_urls: Table<u64, String>,
    stream: Option<Stream>,
    /// Where peers are met while nothing plays.
    room: Option<StreamId>,
    wants: Table<WantId, u64>,
    swarm: Option<Swarm>,
    /// The first link that the next swarm may name: a name is used once.
    next_link: LinkId,
    tracker: Status,
    links: Table<LinkId, neighbours::Line>,
    peers: Table<PeerId, Peer>,
    /// Keys of those who may be members of a field, by address.
    met: Table<Address, PeerId>,
    /// Verified chunks that no voucher covers yet, by payee.
    debts: Table<Address, Amount>,
    dealings: Dealings,
    troubles: Table<&'static str, u64>,
    /// Until when the application wants each block as it comes.
    followed_until: Moment,
    changed: bool,
}

impl Client {
    /// Makes a client. Nothing happens before [`Input::Loaded`]. `seed` feeds jitter and draws, never keys.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        Self {
            light: Light::new(config.light()),
            config,
            seed,
            last: Moment::ZERO,
            clock: UnixMillis(0),
            next_id: 0,
            requests: Table::new(),
            asks: Table::new(),
            lookups: Lookups::default(),
            drafts: Vec::new(),
            search: None,
            telling: Telling::default(),
            writes: Table::new(),
            stored: Vec::new(),
            device: None,
            flight: None,
            node: Status::Idle,
            purse: None,
            reader: None,
            playlist_urls: Table::new(),
            stream: None,
            room: None,
            wants: Table::new(),
            swarm: None,
            next_link: LinkId(0),
            tracker: Status::Idle,
            links: Table::new(),
            peers: Table::new(),
            met: Table::new(),
            debts: Table::new(),
            dealings: Dealings::default(),
            troubles: Table::new(),
            followed_until: Moment::ZERO,
            changed: false,
        }
    }

    /// Takes over a transaction that a client before this one has sent, of the same key: it is waited for, not sent again, before
    /// another is made; once its life is over, what it ordered is ordered anew. Before [`Input::Loaded`].
    pub fn resume(&mut self, transaction: SignedTransaction) {
        self.flight = Some(Box::new(transaction));
    }

    /// Applies one input and appends what the host must do to `out`. Never fails.
    pub fn handle(&mut self, now: Moment, clock: UnixMillis, input: Input, out: &mut Vec<Output>) {
        let now = self.clamp(now, clock);
        match input {
            Input::Loaded(rows) => self.load(now, rows, out),
            Input::Stored(token) => self.stored(now, token, out),
            Input::HttpDone(id, answer) => self.http_done(now, id, Some(answer), out),
            Input::HttpFailed(id) => self.http_done(now, id, None, out),
            Input::Answered(id, bytes) => self.answered(now, id, bytes, out),
            Input::Refused(id, code) => self.refused(now, id, code, out),
            Input::Unreachable(id) => self.unanswered(now, id, out),
            Input::LookUp(id, question) => self.look_up(id, question, out),
            Input::Prove(id, payment) => self.prove(id, payment, out),
            Input::FindPools(id) => self.find_pools(id, out),
            Input::Playlist(id, loaded) => self.read_playlist(now, id, loaded, out),
            Input::Check(id, part, bytes) => self.check(now, id, (part, bytes), out),
            Input::Want(id, wanted) => self.want(now, id, wanted, out),
            Input::Unwant(id) => self.unwant(now, id, out),
            Input::Tick => self.tick(now, out),
            Input::TrackerOpened
            | Input::TrackerMessage(_)
            | Input::TrackerClosed
            | Input::Described(..)
            | Input::Candidates(..)
            | Input::LinkOpened(_)
            | Input::LinkMessage(..)
            | Input::LinkDrained(_)
            | Input::LinkClosed(_) => self.feed_neighbours(now, input, out),
        }
        self.finish(now, out);
    }

    /// Returns when [`Input::Tick`] is next needed.
    pub fn deadline(&self) -> Option<Moment> {
        let purse = self.purse.as_ref();
        let stream = self.stream.as_ref();
        let waits = [
            self.light.deadline(),
            purse.and_then(|purse| purse.book.deadline()),
            purse.and_then(|purse| purse.payer.deadline()),
            purse.and_then(|purse| purse.payee.as_ref()?.deadline()),
            purse.and_then(|purse| purse.fields.deadline()),
            stream.and_then(|stream| stream.fetch.deadline()),
            stream.and_then(|stream| stream.serve.deadline()),
            self.swarm.as_ref().and_then(Swarm::deadline),
            self.link_deadline(),
            self.payment_deadline(),
            self.telling.deadline(),
        ];
        waits.into_iter().flatten().min()
    }

    /// Makes the past of a host's clock impossible (law 3).
    fn clamp(&mut self, now: Moment, clock: UnixMillis) -> Now {
        self.last = self.last.max(now);
        self.clock = clock;
        Now { at: self.last, clock }
    }

    fn load(&mut self, now: Now, rows: Vec<(String, Vec<u8>)>, out: &mut Vec<Output>) {
        self.stored = row::unseal_all(self.config.chain, rows);
        let damage: Vec<_> = self.stored.iter().filter_map(|(_, row)| row.clone().err()).collect();
        for damaged in damage {
            self.trouble(damaged.code(), out);
        }
        let row = |name: &str| {
            let (_, bytes) = self.stored.iter().find(|(n, _)| n == name)?;
            bytes.clone().ok()
        };
        let stored = light::Stored { trust: row(chain::TRUST), fork: row(chain::FORK) };
        let device = row(DEVICE).and_then(|bytes| bytes.try_into().ok().map(DeviceId));
        self.device = device;
        if device.is_none() {
            let digest = Hash::of(&[b"antiphon device", &self.seed]);
            let fresh = digest.0.first_chunk::<16>().copied().unwrap_or_default();
            self.device = Some(DeviceId(fresh));
            self.store(Kept::Device, String::from(DEVICE), Some(fresh.to_vec()), out);
        }
        self.node = Status::Connecting;
        self.feed_light(now, light::Input::Loaded(stored), out);
    }

    fn stored(&mut self, now: Now, token: StoreToken, out: &mut Vec<Output>) {
        match self.writes.remove(&token) {
            Some(Kept::Payer(inner)) => {
                self.feed_payer(now, payer::Input::Stored(inner), out);
                // What waited for a write can be paid now.
                self.pay_debts(now, out);
            }
            Some(Kept::Payee(inner)) => self.feed_payee(now, payee::Input::Stored(inner), out),
            Some(Kept::Field(inner)) => self.feed_fields(now, member::Input::Stored(inner), out),
            Some(Kept::Gift(inner)) => self.feed_gifts(now, gift::Input::Stored(inner), out),
            Some(Kept::Trust | Kept::Device) | None => {}
        }
    }

    fn http_done(
        &mut self,
        now: Now,
        id: RequestId,
        answer: Option<HttpAnswer>,
        out: &mut Vec<Output>,
    ) {
        match self.requests.remove(&id) {
            Some(Purpose::File(source, file)) => self.file_done(now, (source, file), answer, out),
            Some(Purpose::LookupFile(id, file)) => self.lookup_file_done(id, file, answer, out),
            Some(Purpose::Chunks(order, from)) => self.chunks_done(now, (order, from), answer, out),
            None => {}
        }
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.feed_book(now, book::Input::Tick, out);
        self.feed_payee(now, payee::Input::Tick, out);
        self.feed_fields(now, member::Input::Tick, out);
        self.feed_fetch(now, fetch::Input::Tick, out);
        self.feed_serve(now, serve::Input::Tick, out);
        self.feed_neighbours(now, Input::Tick, out);
        self.flush_payments(now, out);
        self.tell_tower(now, out);
        // Last, for what waits for the chain since now lets it look at once.
        self.set_pace(now);
        self.feed_light(now, light::Input::Tick, out);
    }

    fn request(&mut self, purpose: Purpose) -> RequestId {
        let id = RequestId(self.fresh());
        self.requests.insert(id, purpose);
        id
    }

    fn store(&mut self, kept: Kept, name: String, row: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let token = StoreToken(self.fresh());
        self.writes.insert(token, kept);
        let sealed = row.map(|bytes| row::seal(self.config.chain, &name, bytes));
        out.push(Output::Store(token, name, sealed));
    }

    const fn fresh(&mut self) -> u64 {
        self.next_id = self.next_id.saturating_add(1);
        self.next_id
    }

    /// Counts something that was refused or went wrong, by its stable code.
    fn trouble(&mut self, code: &'static str, out: &mut Vec<Output>) {
        let count = self.troubles.entry(code).or_default();
        *count = count.saturating_add(1);
        out.push(Output::Notify(Notice::Trouble(code)));
        self.changed = true;
    }

    fn set_node(&mut self, status: Status, out: &mut Vec<Output>) {
        if self.node == status {
            return;
        }
        if status == Status::Down {
            out.push(Output::Notify(Notice::Trouble(view::NODE_DOWN)));
        } else if self.node == Status::Down {
            out.push(Output::Notify(Notice::Recovered(view::NODE_DOWN)));
        }
        self.node = status;
        self.changed = true;
    }

    fn finish(&mut self, now: Now, out: &mut Vec<Output>) {
        self.set_pace(now);
        if core::mem::take(&mut self.changed) {
            out.push(Output::Notify(Notice::Changed));
        }
    }
}
