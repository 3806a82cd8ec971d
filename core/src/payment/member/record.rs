//! The rows that a member stores, and their names.
//!
//! ```text
//! member/<field hex>              device 16 | terms | a version's first state | the rounds before it
//! member/<field hex>/amendment    device 16 | the amendment that was signed, until it is decided
//! member/<field hex>/log/<n>      device 16 | what was signed or receipted in the running round, in order
//! member/<field hex>/round/<r>    device 16 | version | payments of a round in order
//! member/<field hex>/sealed       device 16 | terms | a state that all signed
//! member/<field hex>/sealed/2     device 16 | terms | another one: the newest, or what counts if the chain annuls that
//! ```

use super::wire::{Ordered, RoundId};
use crate::{
    amount::Amount,
    codec::{self, Bounded},
    crypto::{Hash, Signature},
    id::{ChainId, FieldId},
    payment::{
        field::{Amendment, FieldTerms, RoundState, Rounds, SealedState},
        payer::DeviceId,
    },
    row::Damaged,
};
use alloc::{boxed::Box, format, string::String, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Longest row without its digest, in bytes: a full round of the longest payments.
const MAX_ROW: usize = super::MAX_ROUND * 85 + 64;
/// Most entries in one row of the log. Chosen here: what comes while a disk writes once.
pub(super) const MAX_ENTRIES: usize = 512;

/// The row of a field.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct SeatRecord {
    /// Which device joined.
    pub(super) device: DeviceId,
    /// Where the present version begins.
    pub(super) base: Base,
}

/// Where a version of a field begins.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct Base {
    /// What was signed, with the members of this version.
    pub(super) terms: FieldTerms,
    /// The version's first state.
    pub(super) state: RoundState,
    /// The rounds before it.
    pub(super) rounds: Rounds,
}

/// The row of an amendment that we signed: nothing else of this version is signed until it is decided.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct AmendmentRecord {
    /// Which device signed it.
    pub(super) device: DeviceId,
    /// The amendment.
    pub(super) amendment: Amendment,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct LogRecord {
    /// Which device wrote it.
    pub(super) device: DeviceId,
    /// In order.
    pub(super) entries: Bounded<Entry, MAX_ENTRIES>,
}

/// The row of a round.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct RoundRecord {
    /// Which device wrote it.
    pub(super) device: DeviceId,
    /// Version of the round.
    pub(super) version: u32,
    /// Its payments.
    pub(super) items: Bounded<Ordered, { super::MAX_ROUND }>,
}

/// The row of a sealed state.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct SealedRecord {
    /// Which device wrote it.
    pub(super) device: DeviceId,
    /// What was signed, once more: with either row the field can be closed.
    pub(super) terms: FieldTerms,
    /// The state.
    pub(super) sealed: SealedState,
}

/// What a member signs or is given in a round, and must not forget.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) enum Entry {
    /// A payment that we signed.
    Paid(OwnRecord),
    /// A payment that we, leading, have ordered next.
    Ordered(RoundId, Ordered),
    /// A payment of ours or to us with the leader's receipt.
    Receipted(ReceiptRecord),
    /// The state that we signed: the only one of its round, for ever.
    Signed(Box<RoundState>),
}

/// A payment that we signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct OwnRecord {
    /// In which round.
    pub(super) round: RoundId,
    /// With which sequence.
    pub(super) sequence: u64,
    /// To whom.
    pub(super) payee: u8,
    /// How much.
    pub(super) amount: Amount,
    /// Ours.
    pub(super) signature: Signature,
}

/// A payment with the leader's receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub(super) struct ReceiptRecord {
    /// In which round.
    pub(super) round: RoundId,
    /// Where it stands.
    pub(super) index: u32,
    /// Its sequence among its payer's.
    pub(super) sequence: u64,
    /// The payment.
    pub(super) item: Ordered,
    /// The leader's signature of the receipt.
    pub(super) signature: Signature,
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    /// A field.
    Seat,
    /// A sealed state.
    Sealed(Slot),
    /// An amendment that was signed.
    Amendment,
    /// A round's payments.
    Round(u32),
    /// A part of the log.
    Log(u64),
}

/// Which of the two rows of sealed states. The newest state goes where none is that may still be needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// Where a version's first round goes.
    First,
    /// The other one.
    Second,
}

impl Slot {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::First, Self::Second];

    /// Returns the other one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl Row {
    /// Returns its name for this field.
    pub(super) fn name(self, field: &FieldId) -> String {
        let field = field.0;
        match self {
            Self::Seat => format!("member/{field}"),
            Self::Sealed(Slot::First) => format!("member/{field}/sealed"),
            Self::Sealed(Slot::Second) => format!("member/{field}/sealed/2"),
            Self::Amendment => format!("member/{field}/amendment"),
            Self::Round(number) => format!("member/{field}/round/{number}"),
            Self::Log(number) => format!("member/{field}/log/{number}"),
        }
    }
}

/// Reads a name; `None` for anybody else's.
pub(super) fn parse_name(name: &str) -> Option<(FieldId, Row)> {
    let rest = name.strip_prefix("member/")?;
    let (field, rest) = rest.split_once('/').map_or((rest, None), |(id, rest)| (id, Some(rest)));
    let row = match rest {
        None => Row::Seat,
        Some("sealed") => Row::Sealed(Slot::First),
        Some("sealed/2") => Row::Sealed(Slot::Second),
        Some("amendment") => Row::Amendment,
        Some(rest) => match rest.split_once('/')? {
            ("round", number) => Row::Round(number.parse().ok()?),
            ("log", number) => Row::Log(number.parse().ok()?),
            _ => return None,
        },
    };
    let field = FieldId(Hash::from_hex(field)?);
    // One spelling a row, or two rows could claim to be the same.
    (row.name(&field) == name).then_some((field, row))
}

/// Reads stored bytes.
pub(super) fn read<T: BorshDeserialize + BorshSerialize>(bytes: &[u8]) -> Result<T, Damaged> {
    codec::decode(bytes, MAX_ROW).map_err(|_| Damaged)
}

/// Returns a list with its bound, without what is beyond it: callers never hand more.
pub(super) fn bounded<T, const MAX: usize>(mut items: Vec<T>) -> Bounded<T, MAX> {
    debug_assert!(items.len() <= MAX, "a list was made longer than its bound");
    items.truncate(MAX);
    Bounded::try_from(items).unwrap_or_default()
}

impl Base {
    /// Returns where a field begins that these terms open.
    pub(super) fn opened(chain: ChainId, terms: FieldTerms) -> Option<Self> {
        let state = terms.first_state(chain)?;
        Some(Self { terms, state, rounds: Rounds::default() })
    }

    /// Returns where the version begins that an amendment makes of this one.
    pub(super) fn amended(&self, chain: ChainId, amendment: &Amendment) -> Option<Self> {
        let Amendment { members, aggregate, until, .. } = amendment.clone();
        let terms = FieldTerms { members, aggregate, until, ..self.terms.clone() };
        let state = amendment.first_state(chain)?;
        Some(Self { terms, state, rounds: self.rounds.clone() })
    }

    /// Returns whether it can be the beginning of a version at all.
    pub(super) fn is_sound(&self, chain: ChainId) -> bool {
        let opens = self.terms.first_state(chain).as_ref() == Some(&self.state);
        (self.state.version > 0 || opens) && self.rounds.is_under(&self.state)
    }
}

impl Entry {
    /// Returns the round that it belongs to.
    pub(super) fn round(&self) -> RoundId {
        match self {
            Self::Paid(own) => own.round,
            Self::Ordered(round, _) => *round,
            Self::Receipted(receipt) => receipt.round,
            Self::Signed(state) => RoundId::of(state),
        }
    }
}
