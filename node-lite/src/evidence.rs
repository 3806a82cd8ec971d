//! Evidence as a file that anyone can check, without a node and without trust in whoever made it.
//!
//! ```text
//! "antiphon-evidence" | version u8 = 1 | chain 32 | what it is of u8 | body (borsh)
//! ```
//!
//! | kind | what it shows | what a check needs beside it |
//! |---|---|---|
//! | offence | O1 to O5: a staker signed twice | for two checkpoints the chain's spec |
//! | field | of a payment field: a state that all signed, or two words of one key that exclude each other | that the keys are the members', or the leader's, the field's row says |
//! | field | one payment of a field that a block closed | that a block has that field root: it is printed, and a page or any light client looks it up |
//! | overdraft | O6: a pool's creator promised more than the deposit | what the deposit is and what was paid is stated, not proven: the chain compares it with its own |
//!
//! Source: PROTOCOL A4.1, A5.10. A new kind is a variant of [`Exhibit`] at the end, and an arm of [`File::check`].

use crate::offence::{MAX_SEEN, Offender, Seen};
use antiphon_core::{
    amount::Amount,
    chain::{
        offence::{Accused, Evidence, EvidenceError, Known, Shown},
        spec::ChainSpec,
    },
    codec::{self, Bounded, DecodeError},
    crypto::bls::BlsPublicKey,
    id::{Address, ChainId, PoolId},
    payment::{
        field::{EVIDENCE_BEGINNING, FieldEvidence, FieldFileError, FieldShown, Paid},
        reservation::{
            MAX_PROMISES, Overdraft, PaidState, PoolRules, PoolState, PoolStatus, ReportError,
            pool_id,
        },
    },
};
use borsh::{BorshDeserialize, BorshSerialize};

/// What every such file begins with.
const BEGINNING: &[u8] = EVIDENCE_BEGINNING;
/// Longest file, in bytes.
pub const MAX_FILE: usize = BEGINNING.len() + 33 + MAX_SEEN;

/// Evidence and the chain that it is of.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct File {
    /// On which everything in it is signed, or on one whose state that one went on with.
    pub chain: ChainId,
    /// What is shown.
    pub exhibit: Exhibit,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Exhibit {
    /// O1 to O5.
    Offence(Box<Seen>),
    /// O6.
    Overdraft(Box<Stated>),
    /// Of a payment field (A6.9, A6.10).
    Field(Box<FieldEvidence>),
}

/// Promises beyond a deposit, with the state of the pool as whoever made the file read it on the chain.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Stated {
    /// The nonce of the pool: with the creator's key it makes the pool's id.
    pub nonce: u64,
    /// The pool.
    pub state: PoolState,
    /// What each target was paid, in the order of the promises.
    pub rows: Bounded<PaidState, MAX_PROMISES>,
    /// The promises.
    pub overdraft: Overdraft,
}

/// What evidence shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// These keys did that, at that height.
    Offence(Shown, Vec<Offender>),
    /// These keys signed that of a field: by the name of its kind.
    Field(&'static str, FieldShown),
    /// This was paid in a field that a block closed.
    Payment(FieldShown, Paid),
    /// This creator promised so much of that pool.
    Overdraft {
        /// The pool.
        pool: PoolId,
        /// Whose it is.
        creator: Address,
        /// How many targets were promised something.
        targets: usize,
        /// What was promised and paid together; all money there is, if it is more than that.
        promised: Amount,
        /// What the pool was to pay at most, as stated.
        deposit: Amount,
    },
}

/// Why evidence shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// It does not begin like one.
    #[error("this is no file of evidence, or one of a newer version")]
    NotEvidence,
    /// What follows is none.
    #[error("the file is damaged: {0}")]
    Malformed(DecodeError),
    /// The spec is another chain's.
    #[error("the evidence is of chain {found}, not of {asked}")]
    OtherChain {
        /// The evidence's.
        found: ChainHex,
        /// The spec's.
        asked: ChainHex,
    },
    /// Whether one checkpoint descends from another depends on the chain's spec.
    #[error("two checkpoints can only be compared with the chain file: give --chain")]
    NeedsChain,
    /// A set of guardians came along, with keys of which nobody can say here whether they were proven to be anybody's: a
    /// key that cancels another's would frame it (A2.14).
    #[error(
        "a set in the evidence has keys that the chain file does not know; only the chain can judge it"
    )]
    UnknownKeys,
    /// Nobody is accused.
    #[error("nobody is accused")]
    NoOffender,
    /// The offence is not shown, or not of everybody who is accused.
    #[error("no offence is shown: {0}")]
    Offence(EvidenceError),
    /// The pool is not its creator's, or not open as stated.
    #[error("the pool's id is not that of its creator and nonce, or the pool is not open")]
    WrongPool,
    /// The overdraft is not shown.
    #[error("no overdraft is shown: {0}")]
    Overdraft(ReportError),
    /// Nothing of a field is shown.
    #[error("nothing of a field is shown: {0}")]
    Field(FieldFileError),
}

/// A chain's id that is written in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHex(pub ChainId);

impl std::fmt::Display for ChainHex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.0.fmt(f)
    }
}

impl CheckError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEvidence => "evidence/not-evidence",
            Self::Malformed(error) => error.code(),
            Self::OtherChain { .. } => "evidence/other-chain",
            Self::NeedsChain => "evidence/needs-chain",
            Self::UnknownKeys => "evidence/unknown-keys",
            Self::NoOffender => "evidence/no-offender",
            Self::Offence(error) => error.code(),
            Self::WrongPool => "evidence/wrong-pool",
            Self::Overdraft(error) => error.code(),
            Self::Field(error) => error.code(),
        }
    }
}

impl File {
    /// Returns the bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [BEGINNING, &codec::encode(self)].concat()
    }

    /// Reads a file. Nothing in it is checked.
    ///
    /// # Errors
    /// [`CheckError::NotEvidence`], [`CheckError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckError> {
        let body = bytes.strip_prefix(BEGINNING).ok_or(CheckError::NotEvidence)?;
        codec::decode(body, MAX_FILE - BEGINNING.len()).map_err(CheckError::Malformed)
    }

    /// Checks what the file shows: every signature, and everything that follows from them. With a spec, that it is of that
    /// chain, too.
    ///
    /// # Errors
    /// [`CheckError`]: it shows nothing.
    pub fn check(&self, spec: Option<&ChainSpec>) -> Result<Finding, CheckError> {
        if let Some(asked) = spec.map(ChainSpec::chain_id).filter(|asked| *asked != self.chain) {
            let (found, asked) = (ChainHex(self.chain), ChainHex(asked));
            return Err(CheckError::OtherChain { found, asked });
        }
        match &self.exhibit {
            Exhibit::Offence(seen) => self.offence(seen, spec),
            Exhibit::Overdraft(stated) => self.overdraft(stated, spec),
            Exhibit::Field(evidence) => {
                let shown = evidence.verify(self.chain).map_err(CheckError::Field)?;
                Ok(match shown.paid {
                    Some(paid) => Finding::Payment(shown, paid),
                    None => Finding::Field(evidence.kind(), shown),
                })
            }
        }
    }

    fn offence(&self, seen: &Seen, spec: Option<&ChainSpec>) -> Result<Finding, CheckError> {
        if let Evidence::Checkpoints(branches) = &seen.evidence {
            let spec = spec.ok_or(CheckError::NeedsChain)?;
            let known = &spec.guardians.members;
            if !branches.carried().all(|key| known.iter().any(|member| member.key == *key)) {
                return Err(CheckError::UnknownKeys);
            }
        }
        let interval = spec.map_or(1, |spec| spec.checkpoint_interval);
        let guardians = spec.map(|spec| &spec.guardians);
        let known = Known { chain: self.chain, interval, guardians };
        // Who is accused as a validator is never asked for a guardian's key, nor the other way round.
        let nobody = BlsPublicKey([0; 96]);
        let mut shown = None;
        for offender in seen.offenders.iter() {
            let accused = match offender {
                Offender::Validator(key) => Accused { validator: Some(key), guardian: &nobody },
                Offender::Guardian(key) => Accused { validator: None, guardian: key },
            };
            shown = Some(seen.evidence.judge(known, accused).map_err(CheckError::Offence)?);
        }
        let shown = shown.ok_or(CheckError::NoOffender)?;
        Ok(Finding::Offence(shown, seen.offenders.to_vec()))
    }

    fn overdraft(&self, stated: &Stated, spec: Option<&ChainSpec>) -> Result<Finding, CheckError> {
        let Stated { nonce, state, rows, overdraft } = stated;
        let creator = Address::of(&state.creator);
        // The keys of the state name the first chain of the lineage, the ids of its pools the chain that opened them.
        let before = spec.iter().filter_map(|spec| spec.origin.as_ref());
        let before = before.flat_map(|origin| origin.lineage.iter().rev().copied());
        let chains: Vec<ChainId> = std::iter::once(self.chain).chain(before).collect();
        let is_its_own = |chain: &ChainId| pool_id(*chain, &creator, *nonce) == overdraft.pool;
        if !chains.iter().any(is_its_own) || state.status != PoolStatus::Open {
            return Err(CheckError::WrongPool);
        }
        let rules = spec.map_or_else(|| PoolRules::for_chain(1, 1), |spec| spec.pool);
        // When it is brought is the chain's to judge.
        let when = (&chains[..], state.end_height);
        let reported = state.report(&rules, rows, overdraft, when);
        reported.map_err(CheckError::Overdraft)?;
        let worth = overdraft.promises.iter().map(|promise| promise.worth().unwrap_or_default());
        let beyond = worth.zip(rows.iter()).map(|(worth, row)| worth.saturating_sub(row.cum));
        let promised = Amount::checked_sum(std::iter::once(state.paid_total).chain(beyond));
        Ok(Finding::Overdraft {
            pool: overdraft.pool,
            creator,
            targets: overdraft.promises.len(),
            promised: promised.unwrap_or(Amount::from_units(u128::MAX)),
            deposit: state.deposit,
        })
    }
}

#[cfg(test)]
mod tests;
