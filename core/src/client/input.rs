//! What happened outside, and what the application asks for.

pub use crate::delivery::serve::Policy as UploadPolicy;

use super::{
    FieldOffer, MAX_ROOM_NAME,
    output::{AskId, RequestId, StoreToken, WantId},
};
use crate::{
    amount::Amount,
    chain::{
        lookup::{LookupId, Question},
        spec::Token,
    },
    codec::Text,
    crypto::PublicKey,
    id::{Address, FieldId},
    payment::reservation::Purpose,
    peer::LinkId,
};
use alloc::{string::String, vec::Vec};

/// What happened outside. Every byte in it is unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Everything stored under this client's name; once, before anything else.
    Loaded(Vec<(String, Vec<u8>)>),
    /// The write is durable.
    Stored(StoreToken),
    /// An HTTP request was answered, with any status.
    HttpDone(RequestId, HttpAnswer),
    /// An HTTP request broke off: no network, blocked, timed out.
    HttpFailed(RequestId),
    /// The node answered a query with bytes.
    Answered(AskId, Vec<u8>),
    /// The node refused a query with this JSON-RPC error code.
    Refused(AskId, i32),
    /// The node did not answer.
    Unreachable(AskId),
    /// The socket to the tracker is open.
    TrackerOpened,
    /// A message from the tracker.
    TrackerMessage(Vec<u8>),
    /// The socket to the tracker closed or could not be opened.
    TrackerClosed,
    /// The host has a complete local description (SDP with candidates) for a link.
    Described(LinkId, String),
    /// The host has found more candidates of the link since, as lines of a description.
    Candidates(LinkId, String),
    /// The link's data channel is open.
    LinkOpened(LinkId),
    /// A message on the link.
    LinkMessage(LinkId, Vec<u8>),
    /// The link's send buffer fell below its low-water mark.
    LinkDrained(LinkId),
    /// The link's data channel closed or could not be opened.
    LinkClosed(LinkId),
    /// The player loaded a media playlist: may it be followed? Answered at once by an empty `Deliver`, `Refuse` or `Fail`.
    Playlist(WantId, Loaded),
    /// The player loaded a part by itself: may it be played? Answered at once by `Deliver`, `Refuse` or `Fail`.
    Check(WantId, Part, Vec<u8>),
    /// The player wants a segment.
    Want(WantId, Wanted),
    /// The player no longer wants it.
    Unwant(WantId),
    /// The application asks about the chain; `Found` or `Lost` follows.
    LookUp(LookupId, Question),
    /// The application wants one payment of a closed field as a file; `Shown` or `Lost` follows. Look-ups have other names.
    Prove(LookupId, PaymentAt),
    /// The application wants the pools of this key found that no row here knows; `Found` says which hold money, or `Lost` why not.
    /// Look-ups have other names.
    FindPools(LookupId),
    /// Time moved on; nothing else happened.
    Tick,
}

/// What an HTTP server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// The body, at most as long as the order allowed.
    pub body: Vec<u8>,
}

/// A segment that the player wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its media sequence number, as the playlist counts.
    pub sequence: u64,
    /// Milliseconds of audio that the player still has; the segment must be there before they end.
    pub buffered_ms: u64,
}

/// One payment of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaymentAt {
    /// The field.
    pub field: FieldId,
    /// The round that it was committed in.
    pub round: u32,
    /// Its place in the round.
    pub index: u32,
}

/// A playlist as a player loaded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its absolute URL.
    pub url: String,
    /// Its text. Unverified.
    pub text: String,
}

/// A part of the stream that a player can load by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A map.
    Map,
    /// The whole segment of this media sequence number.
    Segment(u64),
}

/// What the application asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open a pool of this deposit for the stream that plays.
    OpenPool(Amount),
    /// Send every best voucher to the chain.
    Settle,
    /// Take what is left out of ended pools.
    Release,
    /// Ask the dev chain's faucet for operational tokens.
    AskFaucet,
    /// Send tokens.
    Transfer {
        /// Which token.
        token: Token,
        /// To whom.
        to: Address,
        /// How much.
        amount: Amount,
    },
    /// Bond staking tokens with a staker.
    Bond(Address, Amount),
    /// Let a part of a bond leave.
    Unbond(Address, Amount),
    /// Take what has left a bond, and rewards.
    Withdraw(Address),
    /// Invite others to a payment field.
    ProposeField(FieldOffer),
    /// Sign the terms of an invitation, or a field's next version: the deposit may be locked from now on.
    AcceptField(FieldId),
    /// Forget an invitation.
    DeclineField(FieldId),
    /// Pay a member of a field.
    PayMember {
        /// Which field.
        field: FieldId,
        /// Whom.
        payee: Address,
        /// How much.
        amount: Amount,
    },
    /// Reserve this for one payee alone, who is sure of it at once (AELF-35).
    Give {
        /// Whom.
        to: Address,
        /// How much: more than a settlement costs.
        amount: Amount,
        /// What for.
        purpose: Purpose,
    },
    /// Have a field that this client leads go on with one more: all members are asked, and whoever joins.
    AdmitMember {
        /// Which field.
        field: FieldId,
        /// Who joins.
        key: PublicKey,
        /// What it locks.
        deposit: Amount,
    },
    /// Leave a field with what this client has; the others go on.
    LeaveField(FieldId),
    /// Close a field: with everybody's signature, or alone if somebody is silent.
    CloseField(FieldId),
    /// Remove what is kept of a field that is over.
    ForgetField(FieldId),
    /// Meet whoever else enters the room of this name.
    Enter(Text<MAX_ROOM_NAME>),
    /// Leave the room.
    Exit,
    /// Change what this listener gives away.
    SetUpload(UploadPolicy),
    /// For half a minute, look for each block as it comes, though nothing waits for it: heads are being watched. Else every
    /// fourth will do.
    Follow,
    /// Pay what is owed, say goodbye to peers and the tracker.
    Stop,
}
