//! The rows of the state, typed: what each holds of the two tokens is all that [`super::conserve`] has to know.

use antiphon_core::{
    amount::Amount,
    chain::{
        delayed::{Delayed, DuePage},
        lottery::Draw,
        spec::{TOKENS, Token},
        stake::{Bond, RosterPage, Staker},
        state::{Account, StateKey, Supply},
        upgrade::Upgrade,
    },
    codec,
    crypto::Hash,
    id::Address,
    payment::{
        field::escrow::{FieldKeys, FieldState},
        reservation::{PaidState, PoolState},
    },
};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;

/// Every row that was read or written.
pub(super) type Cells = BTreeMap<StateKey, Cell>;

/// A row as it was read first, and as it is now; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) before: Option<Row>,
    pub(super) now: Option<Row>,
}

impl Cell {
    /// Returns whether the row is another than it was.
    pub(super) fn is_changed(&self) -> bool {
        self.before != self.now
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Account(Account),
    Pool(PoolState),
    Paid(PaidState),
    Field(Box<FieldState>),
    /// Who the members of a field are.
    FieldKeys(FieldKeys),
    Staker(Box<Staker>),
    Bond(Bond),
    Roster(RosterPage),
    /// Who registered a key.
    Owner(Address),
    Supply(Supply),
    Delayed(Delayed),
    /// What is due at a height.
    Due(DuePage),
    /// The mix of the beacon.
    Mix(Hash),
    Draw(Draw),
    Upgrade(Box<Upgrade>),
}

impl Row {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Account(account) => codec::encode(account),
            Self::Pool(pool) => codec::encode(pool),
            Self::Paid(paid) => codec::encode(paid),
            Self::Field(field) => codec::encode(field.as_ref()),
            Self::FieldKeys(keys) => codec::encode(keys),
            Self::Staker(staker) => codec::encode(staker.as_ref()),
            Self::Bond(bond) => codec::encode(bond),
            Self::Roster(page) => codec::encode(page),
            Self::Owner(address) => codec::encode(address),
            Self::Supply(supply) => codec::encode(supply),
            Self::Delayed(delayed) => codec::encode(delayed),
            Self::Due(page) => codec::encode(page),
            Self::Mix(mix) => codec::encode(mix),
            Self::Draw(draw) => codec::encode(draw),
            Self::Upgrade(upgrade) => codec::encode(upgrade.as_ref()),
        }
    }

    /// Returns what this row holds of each token; what was burned is held by nobody for ever. `None` on overflow.
    pub(super) fn held(&self) -> Option<[Amount; TOKENS]> {
        Some(match self {
            Self::Account(account) => account.balances,
            Self::Pool(pool) => [Amount::ZERO, pool.held()],
            Self::Field(field) => [Amount::ZERO, field.held()?],
            Self::Staker(staker) => [Amount::ZERO, staker.unclaimed],
            Self::Bond(bond) => [bond.held()?, Amount::ZERO],
            Self::Supply(supply) => supply.burned,
            Self::Delayed(delayed) => match delayed.token {
                Token::Staking => [delayed.held(), Amount::ZERO],
                Token::Operational => [Amount::ZERO, delayed.held()],
            },
            // A pot is no money until it is minted.
            Self::Paid(_)
            | Self::FieldKeys(_)
            | Self::Roster(_)
            | Self::Owner(_)
            | Self::Due(_)
            | Self::Mix(_)
            | Self::Draw(_)
            | Self::Upgrade(_) => [Amount::ZERO; TOKENS],
        })
    }

    /// Returns what this row says was minted of each token.
    pub(super) const fn minted(&self) -> [Amount; TOKENS] {
        match self {
            Self::Supply(supply) => supply.minted,
            Self::Account(_)
            | Self::Pool(_)
            | Self::Paid(_)
            | Self::Field(_)
            | Self::FieldKeys(_)
            | Self::Staker(_)
            | Self::Bond(_)
            | Self::Roster(_)
            | Self::Owner(_)
            | Self::Delayed(_)
            | Self::Due(_)
            | Self::Mix(_)
            | Self::Draw(_)
            | Self::Upgrade(_) => [Amount::ZERO; TOKENS],
        }
    }
}

/// What a row can hold.
pub(super) trait Value: BorshSerialize + BorshDeserialize + Clone {
    /// Makes a row of it.
    fn row(self) -> Row;
    /// Returns it, if the row is of this kind.
    fn of(row: &Row) -> Option<&Self>;
}

macro_rules! values {
    ($($type:ty => $kind:ident),* $(,)?) => {$(
        impl Value for $type {
            fn row(self) -> Row {
                Row::$kind(self.into())
            }

            fn of(row: &Row) -> Option<&Self> {
                if let Row::$kind(value) = row { Some(value) } else { None }
            }
        }
    )*};
}

values! {
    Account => Account,
    PoolState => Pool,
    PaidState => Paid,
    FieldState => Field,
    FieldKeys => FieldKeys,
    Staker => Staker,
    Bond => Bond,
    RosterPage => Roster,
    Address => Owner,
    Supply => Supply,
    Delayed => Delayed,
    DuePage => Due,
    Hash => Mix,
    Draw => Draw,
    Upgrade => Upgrade,
}
