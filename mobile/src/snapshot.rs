//! What an application sees: plain data, every chain value with its level and height. Named as in a page
//! (`wasm/js/src/snapshot.ts`), which has some more: `mobile/README.md` says what.

mod convert;

use crate::{
    field::{Around, FieldView, GiftView},
    sharing::SharingView,
    text::{Address, Amount},
};

/// How far a value of the chain is believed, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Level {
    /// A block has it.
    Included,
    /// By two certified blocks in a row.
    Settled,
    /// By the guardians' certificate.
    Final,
}

/// A connection's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Status {
    /// Not needed or not configured.
    Idle,
    /// Being reached.
    Connecting,
    /// Working.
    Up,
    /// Lost; being tried again.
    Down,
}

/// Whether the chain can be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Standing {
    /// It can.
    Good,
    /// Only a newer anchor helps.
    Expired,
    /// Two certificates conflict, and all has stopped.
    Split,
}

/// An amount that was proven under the state root of a block.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LeveledAmount {
    /// The proven value.
    pub value: Amount,
    /// How far it is believed.
    pub level: Level,
    /// The height of the block.
    pub height: u64,
    /// Its state root in hexadecimal.
    pub root: String,
    /// Milliseconds between the block's date and this device's clock.
    pub age_ms: u64,
    /// Whether a witness has the checkpoint that it rests on.
    pub is_witnessed: bool,
}

/// The stream as its publisher signed it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct StreamView {
    /// The publisher's name for it.
    pub name: String,
    /// The publisher's key in hexadecimal.
    pub publisher: String,
    /// Address of that key: whom a tip goes to.
    pub publisher_address: Address,
    /// Whether the application named that key; otherwise it came with the playlist.
    pub is_pinned: bool,
    /// Price of a chunk of 16 KiB.
    pub price: Amount,
    /// Highest number of a segment seen.
    pub newest: u64,
}

/// A head of the chain.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HeadView {
    /// How far it is believed.
    pub level: Level,
    /// Its height.
    pub height: u64,
    /// Its id in hexadecimal.
    pub block: String,
    /// The state root that it commits, in hexadecimal.
    pub root: String,
    /// Unix milliseconds of its date.
    pub time: u64,
    /// Milliseconds between that and this device's clock.
    pub age_ms: u64,
    /// Whether a witness has the checkpoint that it rests on.
    pub is_witnessed: bool,
}

/// Parameters of the chain.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpecView {
    /// Its name.
    pub name: String,
    /// Milliseconds between blocks that validators aim for.
    pub block_ms: u64,
    /// Every so many blocks is a checkpoint.
    pub interval: u64,
    /// Fee of a transaction, in the operational token.
    pub fee: Amount,
    /// Blocks until what leaves a bond can be withdrawn; none where nobody stakes.
    pub unbonding: Option<u64>,
}

/// The chain as verified here.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChainView {
    /// Its id in hexadecimal.
    pub id: String,
    /// Link to the node.
    pub node: Status,
    /// Newest block seen.
    pub included: u64,
    /// Newest settled block.
    pub settled: u64,
    /// Newest final checkpoint.
    pub final_height: u64,
    /// Id of the newest final checkpoint in hexadecimal.
    pub final_block: String,
    /// Guardians that signed it.
    pub signers: u32,
    /// Guardians there are.
    pub guardians: u32,
    /// Unix milliseconds of the newest settled block.
    pub time: u64,
    /// Milliseconds between that and this device's clock.
    pub age_ms: u64,
    /// Milliseconds between the newest final checkpoint's date and this device's clock; none before the first.
    pub final_age_ms: Option<u64>,
    /// Whether the chain can be followed.
    pub standing: Standing,
    /// Witnesses that are asked. Without one, nothing is witnessed.
    pub witnesses: u8,
    /// Height up to which a witness has the same chain.
    pub witnessed: Option<u64>,
    /// Whether many name blocks that this chain does not have. A hint: be careful with money.
    pub is_alarmed: bool,
    /// The newest head of each level, the most believed first.
    pub heads: Vec<HeadView>,
    /// What kind of chain it is, once its spec is here and hashes to the id.
    pub spec: Option<SpecView>,
}

/// Bytes and where they came from.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DeliveryView {
    /// Link to the tracker.
    pub tracker: Status,
    /// Verified bytes from peers.
    pub from_peers: u64,
    /// Verified bytes over HTTP.
    pub from_origin: u64,
    /// Bytes served to peers.
    pub to_peers: u64,
    /// Chunks served to peers.
    pub chunks_served: u64,
    /// Chunks from peers that came after they were needed.
    pub late: u64,
    /// Chunks asked over HTTP although a peer had been asked.
    pub hedged: u64,
    /// Chunks that failed verification.
    pub bad: u64,
    /// Bytes in the cache.
    pub cached: u64,
    /// Segments that are here, whole and verified.
    pub delivered: u64,
}

/// A linked peer.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PeerView {
    /// Its key in hexadecimal.
    pub peer: String,
    /// Bytes received from it.
    pub received: u64,
    /// Bytes sent to it.
    pub sent: u64,
    /// What was promised to it.
    pub paid: Amount,
    /// What it promised.
    pub earned: Amount,
    /// Smoothed time from an ask to its chunk; none before enough have come.
    pub latency_ms: Option<u64>,
}

/// A peer that is kept away from this swarm for what it did.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct BanView {
    /// Its key in hexadecimal.
    pub peer: String,
    /// What it did last, in one stable code.
    pub code: String,
    /// How often it broke the rules, as far as that makes a ban longer.
    pub times: u32,
    /// Milliseconds that are left.
    pub left_ms: u64,
}

/// A proven account.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountView {
    /// Operational tokens at the newest proven block.
    pub balance: LeveledAmount,
    /// Operational tokens at the newest final checkpoint, once proven.
    pub final_balance: Option<LeveledAmount>,
}

/// The pool that this listener pays from.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PoolView {
    /// Its id in hexadecimal.
    pub pool: String,
    /// What it holds; none until proven.
    pub deposit: Option<LeveledAmount>,
    /// Why it was not opened, in one stable code.
    pub refusal: Option<String>,
    /// Promised so far.
    pub promised: Amount,
    /// Last block in which payees may settle.
    pub end: u64,
}

/// A pool that pays this listener, and what could be lost in it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PayerView {
    /// Its id in hexadecimal.
    pub pool: String,
    /// Promised and not proven paid: all that can be lost.
    pub exposure: Amount,
    /// What it may owe at most.
    pub max_exposure: Amount,
    /// What the payer loses at least by promising more than it has deposited; none until the pool is proven.
    pub cost: Option<Amount>,
    /// Whether it has promised more than it deposited: what is left is shared out, the rest is lost.
    pub is_insolvent: bool,
}

/// A settlement of earned vouchers.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SettlementView {
    /// Id in hexadecimal of the pool that pays.
    pub pool: String,
    /// What it brings beyond the settlements of that pool before it.
    pub amount: Amount,
    /// How far the chain is proven to have paid it; none while it is only sent.
    pub level: Option<Level>,
    /// The block whose state shows it.
    pub height: Option<u64>,
    /// That block's state root in hexadecimal.
    pub root: Option<String>,
}

/// Money.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct WalletView {
    /// This client's address, once the chain is known.
    pub address: Option<Address>,
    /// Its account, once proven.
    pub account: Option<AccountView>,
    /// The pool it pays from.
    pub pool: Option<PoolView>,
    /// Vouchers given and not proven settled.
    pub vouchers_out: Amount,
    /// Vouchers held and not proven settled.
    pub vouchers_in: Amount,
    /// The pools that owe something.
    pub payers: Vec<PayerView>,
    /// Newest last.
    pub settlements: Vec<SettlementView>,
    /// Every pool of this account that is not over.
    pub locked: Vec<LockedView>,
}

/// Money in a pool of this account.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LockedView {
    /// The pool, in hexadecimal.
    pub pool: String,
    /// What is proven to lie in it, collateral included; none until proven.
    pub held: Option<Amount>,
    /// What of that was promised and is not proven paid.
    pub owed: Amount,
    /// The first block in which the rest can be taken back; none until proven, and of what never comes back.
    pub back: Option<u64>,
    /// Why nothing is signed for it any more, in a stable code.
    pub freeze: Option<String>,
}

/// What is wrong now.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// Stable code, such as `certificate/below-quorum`.
    pub code: String,
    /// How often it was met.
    pub count: u64,
}

/// Everything an application may show, at one moment.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Snapshot {
    /// The stream that is listened to.
    pub stream: Option<StreamView>,
    /// The chain as verified.
    pub chain: ChainView,
    /// Bytes and where they came from.
    pub delivery: DeliveryView,
    /// Who is linked.
    pub peers: Vec<PeerView>,
    /// Who is kept away; at most 32 of them.
    pub bans: Vec<BanView>,
    /// Who else is in the room, or listens to the stream, as far as the tracker has told.
    pub around: Vec<Around>,
    /// Payment fields, invitations too.
    pub fields: Vec<FieldView>,
    /// What was given to one payee alone, and what was received so.
    pub gifts: Vec<GiftView>,
    /// Money.
    pub wallet: WalletView,
    /// What is wrong now; empty when all is well.
    pub problems: Vec<Problem>,
    /// What this listener gives away, and why not more.
    pub sharing: SharingView,
}
