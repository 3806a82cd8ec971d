//! The static files of which a light client's world is made. All but the tip are named by their content.

use crate::{
    chain::{
        certificate::{Certificate, FinalityCertificate, MAX_FINALITY},
        header::{Header, MAX_HEADER},
        set::GuardianSet,
        transaction::MAX_TRANSACTION,
    },
    codec::{self, Bounded},
    crypto::Hash,
    id::{BlockId, ChainId, Height},
};
use alloc::{format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Most blocks that a tip names above the final checkpoint.
pub const MAX_TIP_BLOCKS: usize = 256;
/// Most headers that news bring. Chosen here: as many as a client is behind that looks every eighth block, and some more.
pub const MAX_NEWS_HEADERS: usize = 12;
/// Most bytes that they have together, but for the newest. Chosen here: four of a hundred validators' certificates would be as
/// much as what is saved.
const NEWS_HEADERS_BYTES: usize = 8 * 1024;
/// Longest tip, in bytes.
pub const MAX_TIP: usize = 32 * 1024;
/// Longest news, in bytes.
pub const MAX_NEWS: usize = MAX_TIP + NEWS_HEADERS_BYTES + MAX_HEADER;
/// Longest checkpoint file, in bytes.
pub const MAX_CHECKPOINT: usize = MAX_HEADER + MAX_FINALITY;
/// Longest set file, in bytes.
pub const MAX_SET: usize = 640 * 1024;

/// Most headers in a span. Chosen here: five of the seed's intervals; what is deeper is looked up header by header.
pub const MAX_SPAN_BLOCKS: usize = 512;
/// Longest span file, in bytes.
pub const MAX_SPAN: usize = 1 << 20;
/// Most transactions in a block. Chosen here: a settlement has under 500 bytes, so a full block is half a megabyte.
pub const MAX_BLOCK_TXS: usize = 1024;
/// Longest body file, in bytes: the most that a block's transactions have, and their lengths.
pub const MAX_BODY_FILE: usize = (1 << 20) + 8 * MAX_BLOCK_TXS;

/// The headers between a checkpoint and the one below it, lowest first.
pub type Span = Bounded<Header, MAX_SPAN_BLOCKS>;
/// A block's transactions as its `tx_root` covers them.
pub type Body = Bounded<Bounded<u8, MAX_TRANSACTION>, MAX_BLOCK_TXS>;

/// Longest change file, in bytes.
pub const MAX_CHANGE: usize = MAX_CHECKPOINT + MAX_SET;

/// Who serves a file: the node that the client follows, or a witness of another operator (A7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source(pub u8);

impl Source {
    /// The node that the client follows. Witnesses count from 1.
    pub const NODE: Self = Self(0);
}

/// A light file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// Canonical bytes of the chain spec.
    Spec(ChainId),
    /// Canonical bytes of a [`Tip`]. It changes, as the news do, and no other.
    Tip,
    /// Canonical bytes of [`News`]: what a client asks for that has its heads.
    News,
    /// Canonical bytes of a header.
    Header(BlockId),
    /// Canonical bytes of a [`Checkpoint`].
    Checkpoint(BlockId),
    /// Canonical bytes of a guardian set.
    Guardians(Hash),
    /// Canonical bytes of a validator set.
    Validators(Hash),
    /// Canonical bytes of a [`Change`]: how the guardians of this hash ended. A set has one end, as its hash covers the
    /// height of its election.
    Change(Hash),
    /// Canonical bytes of the [`Checkpoint`] that is final at this height. Asked of witnesses, and for look-ups.
    Final(Height),
    /// Canonical bytes of the [`Span`] below the checkpoint of this id. Asked for look-ups only.
    Span(BlockId),
    /// Canonical bytes of the [`Body`] of a block. Asked for look-ups only.
    Body(BlockId),
}

impl File {
    /// Returns the path below a node's URL, such as `/light/header/3f…`.
    pub fn path(&self) -> String {
        match self {
            Self::Spec(chain) => format!("/light/spec/{}", chain.0),
            Self::Tip => String::from("/light/tip"),
            Self::News => String::from("/light/news"),
            Self::Header(block) => format!("/light/header/{}", block.0),
            Self::Checkpoint(block) => format!("/light/checkpoint/{}", block.0),
            Self::Guardians(hash) => format!("/light/guardians/{hash}"),
            Self::Validators(hash) => format!("/light/validators/{hash}"),
            Self::Change(hash) => format!("/light/change/{hash}"),
            Self::Final(height) => format!("/light/final/{height}"),
            Self::Span(block) => format!("/light/span/{}", block.0),
            Self::Body(block) => format!("/light/body/{}", block.0),
        }
    }

    /// Returns whether the content never changes.
    pub const fn is_immutable(&self) -> bool {
        !matches!(self, Self::Tip | Self::News)
    }

    /// Returns the longest content worth reading, in bytes.
    pub const fn max_bytes(&self) -> usize {
        match self {
            Self::Spec(_) => crate::chain::spec::MAX_SPEC,
            Self::Tip => MAX_TIP,
            Self::News => MAX_NEWS,
            Self::Header(_) => MAX_HEADER,
            Self::Checkpoint(_) | Self::Final(_) => MAX_CHECKPOINT,
            Self::Change(_) => MAX_CHANGE,
            Self::Span(_) => MAX_SPAN,
            Self::Body(_) => MAX_BODY_FILE,
            Self::Guardians(_) | Self::Validators(_) => MAX_SET,
        }
    }
}

/// A checkpoint's header with the guardians' certificate.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Checkpoint {
    /// The header at a multiple of the interval.
    pub header: Header,
    /// Who finalised it.
    pub certificate: FinalityCertificate,
}

/// The checkpoint that ends a guardian set, with the set that it elects: one step of the walk over changes (A7.2).
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Change {
    /// Signed by the old set, committing the new.
    pub checkpoint: Checkpoint,
    /// The new set.
    pub elected: GuardianSet,
}

/// Where the chain stands, by name. A hint: everything it names is fetched and checked.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Tip {
    /// Height of the newest final checkpoint, 0 before the first.
    pub final_height: Height,
    /// Its id; all zero before the first.
    pub final_block: BlockId,
    /// Ids of the blocks above it on the preferred branch, lowest first.
    pub chain: Bounded<BlockId, MAX_TIP_BLOCKS>,
    /// The highest certificate known: of a block in `chain`, or the genesis certificate.
    pub certificate: Certificate,
}

/// A tip with headers of the newest blocks that it names, lowest first: who looks often fetches none by itself.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct News {
    /// What the tip says.
    pub tip: Tip,
    /// The newest headers, as far as they are few bytes.
    pub headers: Bounded<Header, MAX_NEWS_HEADERS>,
}

impl News {
    /// Returns the news of a tip, with as many of these headers, lowest first, as it names and news bring: the newest.
    pub fn new(tip: Tip, headers: impl DoubleEndedIterator<Item = Header>) -> Self {
        let mut bytes = 0_usize;
        let fits = |header: &Header| {
            let is_first = bytes == 0;
            bytes = bytes.saturating_add(codec::encode(header).len());
            is_first || bytes <= NEWS_HEADERS_BYTES
        };
        let named = headers.rev().filter(|header| tip.chain.contains(&header.id()));
        let mut newest: Vec<Header> = named.take(MAX_NEWS_HEADERS).take_while(fits).collect();
        newest.reverse();
        Self { headers: Bounded::try_from(newest).unwrap_or_default(), tip }
    }
}
