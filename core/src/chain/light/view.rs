//! What a light client knows, for whoever asks it.

use super::{ForkProof, Light};
use crate::{
    chain::{Level, header::Header, spec::ChainSpec},
    id::{BlockId, Height},
    table::Table,
    time::UnixMillis,
};

/// Whether a client can go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It follows its chain.
    #[default]
    Good,
    /// What it trusts is older than the trusting period: it needs a newer anchor (A7.1).
    Expired,
    /// The chain has split; it has stopped (A7.5).
    Split,
}

/// A head of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its header.
    pub header: Header,
    /// Its id.
    pub block: BlockId,
    /// How far it is believed.
    pub level: Level,
}

impl Head {
    /// Returns how long ago its header was dated, in milliseconds; zero for a date that lies ahead.
    pub const fn age(&self, clock: UnixMillis) -> u64 {
        clock.since(self.header.time)
    }
}

impl Light {
    /// Returns the spec, once it is known and hashes to the chain id.
    pub const fn spec(&self) -> Option<&ChainSpec> {
        self.spec.as_ref()
    }

    /// Returns the headers that the newest tip names, as far as they are here; each hashes to its id, and no more.
    pub const fn headers(&self) -> &Table<BlockId, Header> {
        &self.headers
    }

    /// Returns whether this client can go on.
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// Returns the proof that the chain has split.
    pub const fn fork(&self) -> Option<&ForkProof> {
        self.fork.as_ref()
    }

    /// Returns whether many refer to blocks that this client's chain does not have. A hint (AELF-28).
    pub fn is_alarmed(&self) -> bool {
        self.alarm.is_raised()
    }

    /// Returns the height up to which a witness has the same chain.
    pub const fn witnessed(&self) -> Option<Height> {
        self.comparison.witnessed
    }

    /// Returns whether what is believed at this height rests on a checkpoint that a witness has, too (A7.5).
    pub fn is_witnessed(&self, height: Height) -> bool {
        let Some(witnessed) = self.comparison.witnessed else { return false };
        let trusted = self.trusted.as_ref().map_or(Height(0), |trusted| trusted.height);
        height <= witnessed || witnessed == trusted
    }

    /// Returns the newest header believed at least to `level`.
    pub fn head(&self, level: Level) -> Option<Head> {
        let finalised = self.trusted.as_ref().and_then(|trusted| trusted.header.as_ref());
        let settled =
            self.settled.as_ref().filter(|s| finalised.is_none_or(|f| f.height < s.height));
        let included = self
            .included
            .as_ref()
            .filter(|i| settled.or(finalised).is_none_or(|s| s.height < i.height));
        let (header, level) = match (level, included, settled, finalised) {
            (Level::Included, Some(header), ..) => (header, Level::Included),
            (Level::Included | Level::Settled, _, Some(header), _) => (header, Level::Settled),
            (_, _, _, Some(header)) => (header, Level::Final),
            _ => return None,
        };
        Some(Head { header: header.clone(), block: header.id(), level })
    }

    /// Returns how many guardians signed the newest final checkpoint, and how many there are.
    pub fn signers(&self) -> (u32, u32) {
        self.trusted.as_ref().map_or((0, 0), |trusted| trusted.signers)
    }
}
