//! What an application sees: plain data, every chain value with its level and height.

pub use crate::payment::gift::{GiftView, Stage as GiftStage};
pub use crate::payment::member::{
    AmendmentView, FieldView, MemberView, PaymentView, Phase, RoundStep,
    Standing as PaymentStanding,
};
use crate::{
    amount::Amount,
    chain::{Level, light::Standing, spec::Token},
    crypto::Hash,
    id::{Address, BlockId, Height, PeerId, PoolId, TxId},
};
use alloc::{string::String, vec::Vec};

/// Everything an application may show, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The stream that plays.
    pub stream: Option<StreamView>,
    /// The chain as verified.
    pub chain: ChainView,
    /// Bytes and where they came from.
    pub delivery: DeliveryView,
    /// Who we are linked to.
    pub peers: Vec<PeerView>,
    /// Who is kept away from this swarm; at most [`MAX_BANS_SHOWN`](super::MAX_BANS_SHOWN) of them.
    pub bans: Vec<BanView>,
    /// Who else is in the room, or listens to the stream, as far as the tracker has told.
    pub around: Vec<Around>,
    /// Payment fields, invitations too.
    pub fields: Vec<FieldShow>,
    /// What was given to one payee alone, and what was received so.
    pub gifts: Vec<GiftView>,
    /// Money.
    pub wallet: WalletView,
    /// What is wrong now; empty when all is well.
    pub problems: Vec<Problem>,
}

/// A connection's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Not needed or not configured.
    #[default]
    Idle,
    /// Being reached.
    Connecting,
    /// Working.
    Up,
    /// Lost; being tried again.
    Down,
}

/// What is wrong, in one stable code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Stable code, such as `certificate/below-quorum`.
    pub code: &'static str,
    /// How often it was met.
    pub count: u64,
}

/// The stream as its publisher signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamView {
    /// The publisher's name for it.
    pub name: String,
    /// The publisher's key in hexadecimal.
    pub publisher: String,
    /// The address of that key: whom a tip goes to.
    pub publisher_address: Address,
    /// Whether the application pinned that key; otherwise it came with the playlist.
    pub is_pinned: bool,
    /// Price of a chunk.
    pub price: Amount,
    /// Number of the last segment that the newest playlist lists, within its rendition.
    pub newest: u64,
}

/// The chain as verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainView {
    /// Chain id in hexadecimal; empty until the spec is known.
    pub id: String,
    /// Link to the node.
    pub node: Status,
    /// Newest block seen.
    pub included: Height,
    /// Newest settled block.
    pub settled: Height,
    /// Newest final checkpoint.
    pub final_height: Height,
    /// Id of the newest final checkpoint in hexadecimal.
    pub final_block: String,
    /// Guardians that signed it, and how many there are.
    pub signers: (u32, u32),
    /// Unix milliseconds of the newest settled block.
    pub time: u64,
    /// Milliseconds between that and the host's clock.
    pub age: u64,
    /// Milliseconds between the newest final checkpoint's date and the host's clock; `None` before the first.
    pub final_age: Option<u64>,
    /// Whether the chain can be followed.
    pub standing: Standing,
    /// Witnesses that are asked; none means that all is unwitnessed (A7.5).
    pub witnesses: u8,
    /// Height up to which one of them has the same chain.
    pub witnessed: Option<Height>,
    /// Whether many refer to blocks that this chain does not have: a hint, not a proof (AELF-28).
    pub is_alarmed: bool,
    /// The newest head of each level, the most believed first.
    pub heads: Vec<HeadView>,
    /// What kind of chain it is, once its spec is known and hashes to the id.
    pub spec: Option<SpecView>,
}

/// A head of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadView {
    /// How far it is believed: final by guardians' certificate, settled by two certified blocks in a row (A1.18), included
    /// by links alone.
    pub level: Level,
    /// Its height.
    pub height: Height,
    /// Its id.
    pub block: BlockId,
    /// Its state root.
    pub root: Hash,
    /// Unix milliseconds of its date.
    pub time: u64,
    /// Milliseconds between that and the host's clock.
    pub age: u64,
    /// Whether a witness has the checkpoint that it rests on (A7.5).
    pub is_witnessed: bool,
}

/// Parameters of the chain that an application shows or counts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecView {
    /// Its name.
    pub name: String,
    /// Milliseconds between blocks that validators aim for.
    pub block_ms: u64,
    /// Every so many blocks is a checkpoint.
    pub interval: u64,
    /// Fee of a transaction, in the operational token.
    pub fee: Amount,
    /// Blocks until what leaves a bond can be withdrawn; `None` where nobody stakes.
    pub unbonding: Option<u64>,
}

/// Bytes and where they came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Chunks that were hedged by HTTP.
    pub hedged: u64,
    /// Chunks that failed verification.
    pub bad: u64,
    /// Bytes in the cache.
    pub cached: u64,
    /// Segments handed to the player.
    pub delivered: u64,
}

/// A linked peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerView {
    /// Its key.
    pub peer: PeerId,
    /// Bytes received from it.
    pub received: u64,
    /// Bytes sent to it.
    pub sent: u64,
    /// What we promised it.
    pub paid: Amount,
    /// What it promised us.
    pub earned: Amount,
    /// Smoothed time from an ask to its chunk, in milliseconds; `None` before enough have come.
    pub latency: Option<u64>,
}

/// A peer that is kept away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BanView {
    /// Its key.
    pub peer: PeerId,
    /// What it did last, in one stable code.
    pub code: &'static str,
    /// How often it broke the rules, as far as that makes a ban longer.
    pub times: u32,
    /// Milliseconds that are left of it.
    pub left: u64,
}

/// Somebody with whom a field can be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// Its key.
    pub peer: PeerId,
    /// Its account.
    pub address: Address,
    /// Whether there is a link; otherwise the tracker relays.
    pub is_linked: bool,
}

/// A payment field, and what the chain is proven to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldShow {
    /// As its member sees it.
    pub view: FieldView,
    /// Whether this client leads it.
    pub is_leader: bool,
    /// What each member locks, in the order of places.
    pub deposits: Vec<Amount>,
    /// The newest head that showed it; `None` until one did.
    pub proven: Option<FieldProven>,
    /// The newest round that a watch-tower says it has; `None` before, and without a tower.
    pub watched: Option<u32>,
}

/// The head that showed a field on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldProven {
    /// How far it is believed.
    pub level: Level,
    /// Its height.
    pub height: Height,
    /// Its state root.
    pub root: Hash,
}

/// A value with how far it is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leveled<T> {
    /// The proven value.
    pub value: T,
    /// How far.
    pub level: Level,
    /// Under the state root of the block at this height.
    pub height: Height,
    /// That root.
    pub root: Hash,
    /// Milliseconds between that block's date and the host's clock (A7.6).
    pub age: u64,
    /// Whether a witness has the checkpoint that it rests on (A7.5).
    pub is_witnessed: bool,
}

/// Money.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WalletView {
    /// This client's address.
    pub address: Option<Address>,
    /// Its account: the newest proof, and the newest final one.
    pub account: Option<AccountView>,
    /// The pool it pays from.
    pub pool: Option<PoolView>,
    /// Sum of vouchers given and not proven settled.
    pub vouchers_out: Amount,
    /// Sum of vouchers held and not proven settled.
    pub vouchers_in: Amount,
    /// The pools that pay us and owe us something, with what is at risk.
    pub payers: Vec<PayerView>,
    /// Settlements on their way or done, newest last.
    pub settlements: Vec<SettlementView>,
    /// Transfers that were asked for since the client began, newest last.
    pub sent: Vec<SentView>,
    /// Every pool of this key that is not over.
    pub locked: Vec<LockedView>,
}

/// A proven account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// Operational tokens at the newest proven block.
    pub balance: Leveled<Amount>,
    /// Operational tokens at the newest final checkpoint, once proven.
    pub final_balance: Option<Leveled<Amount>>,
    /// How many transactions of the account the chain has executed, as the newest head believed at least to each level shows.
    pub sequences: [Option<(Height, u64)>; 3],
}

/// The pool that this client pays from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolView {
    /// Its id.
    pub pool: PoolId,
    /// Deposit at the newest proof; `None` until proven.
    pub deposit: Option<Leveled<Amount>>,
    /// Why it was not opened, in one stable code; it is tried again when the application asks.
    pub refusal: Option<&'static str>,
    /// Promised so far.
    pub promised: Amount,
    /// Last block in which payees may settle.
    pub end: Height,
}

/// A pool that pays us, and what we could lose in it (A5.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerView {
    /// Its id.
    pub pool: PoolId,
    /// Promised and not proven paid: all that can be lost.
    pub exposure: Amount,
    /// What we let it owe us at most.
    pub max_exposure: Amount,
    /// What the payer loses at least by promising more than it has deposited; `None` until the pool is proven.
    pub cost: Option<Amount>,
    /// How many payees it would have to cheat at once, about, before that pays.
    pub cover: Option<u128>,
    /// Whether it has promised more than it deposited: what is left is shared out, the rest is lost.
    pub is_insolvent: bool,
}

/// A settlement of earned vouchers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlementView {
    /// The pool that pays.
    pub pool: PoolId,
    /// What the voucher promises in all.
    pub promised: Amount,
    /// What of that no settlement before it has brought.
    pub amount: Amount,
    /// How far the chain is proven to have paid it; `None` while it is only sent.
    pub level: Option<Level>,
    /// The block whose state shows it.
    pub height: Option<Height>,
    /// That block's state root.
    pub root: Option<Hash>,
}

/// A transfer that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentView {
    /// Which token.
    pub token: Token,
    /// To whom.
    pub to: Address,
    /// How much.
    pub amount: Amount,
    /// The transaction that does it, once there is one.
    pub id: Option<TxId>,
    /// How far the chain is proven to have done it; `None` while it is on its way.
    pub level: Option<Level>,
    /// Why it will not happen, in one stable code.
    pub refusal: Option<&'static str>,
}

/// Money in a pool of this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedView {
    /// The pool.
    pub pool: PoolId,
    /// What is proven to lie in it, collateral included; `None` until proven.
    pub held: Option<Amount>,
    /// What of that was promised and is not proven paid.
    pub owed: Amount,
    /// The first block in which the rest can be taken back; `None` until proven, and of what never comes back.
    pub back: Option<Height>,
    /// Why nothing is signed for it any more, in one stable code (A5.13).
    pub freeze: Option<&'static str>,
}
