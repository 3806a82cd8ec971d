//! Block 0 as it is written to an empty store, after everything that makes a spec one a chain may have.

use super::{Elected, ExecuteError, reader, row::Value};
use crate::{
    bft::message::Block,
    storage::{SettledBlock, Settlement},
};
use antiphon_core::{
    amount::Amount,
    chain::{
        carried::Carried,
        certificate::Certificate,
        header::{Header, SignedHeader},
        set::MAX_TOTAL_WEIGHT,
        spec::ChainSpec,
        stake::{Bond, PAGE, RosterPage, StakeRulesError, Staker, elect},
        state::{Account, StateKey, Supply},
    },
    codec::Bounded,
    crypto::Signature,
    id::{ChainId, Height},
};
use std::{collections::BTreeMap, sync::Arc};

/// Why no chain may have this spec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GenesisError {
    /// The rules of staking contradict themselves.
    #[error(transparent)]
    Rules(#[from] StakeRulesError),
    /// There are stakers, but no rules for them.
    #[error("there are stakers, but the chain has no staking")]
    NoRules,
    /// The drawn order and the lottery need guardians' keys of validators, which only stakers have.
    #[error("a drawn order of proposers needs staking")]
    NoBeacon,
    /// By the rules of changing rules a minority could change them.
    #[error("the rules of changing rules let a minority change them, or nobody")]
    BadUpgrade,
    /// An account, a staker or a key is there twice.
    #[error("an account, a staker or a key is there twice")]
    Twice,
    /// More of the staking token than weights can count (A0.5).
    #[error("more of the staking token than weights can count")]
    TooHeavy,
    /// The sets are not what an election makes of the stakers.
    #[error("the sets are not what an election makes of the stakers")]
    WrongSets,
    /// The state is in a snapshot, not in the spec.
    #[error(
        "this chain begins with a snapshot: start with --snapshot FILE, or with --sync state where others have it"
    )]
    NeedsSnapshot,
    /// The state cannot be made.
    #[error(transparent)]
    State(#[from] ExecuteError),
}

type Rows = BTreeMap<StateKey, Vec<u8>>;

/// Genesis as it is written to an empty store.
///
/// # Errors
/// [`GenesisError`].
pub fn genesis(spec: &ChainSpec) -> Result<(Header, Settlement), GenesisError> {
    if spec.origin.is_some() {
        return Err(GenesisError::NeedsSnapshot);
    }
    let chain = spec.chain_id();
    let mut rows = Rows::new();
    // The tree is never empty, so that every root is a hash of something.
    put(&mut rows, StateKey::supply(chain), Supply::default())?;
    for endowed in spec.accounts.iter() {
        let account = Account { sequence: 0, balances: endowed.balances };
        put(&mut rows, StateKey::account(chain, &endowed.address), account)?;
    }
    put_stakers(spec, chain, &mut rows)?;
    check_weight(spec)?;
    let (root, batch) = reader::put(&reader::Empty, 0, &rows)?;
    let header = Header::genesis(spec, root);
    let id = header.id();
    let certificate = Certificate { block: id, ..Certificate::genesis() };
    let signed = SignedHeader { header: header.clone(), signature: Signature([0; 64]) };
    let block = Block { signed, carried: Carried::default(), body: Bounded::new() };
    let settled = SettledBlock { id, version: 0, block, certificate };
    let elected = Elected {
        validators: Some(spec.validators.clone()),
        guardians: Some(spec.guardians.clone()),
    };
    let batch = Arc::new(batch);
    Ok((header, Settlement { settled, batch, transactions: Vec::new(), elected }))
}

fn put<T: Value>(rows: &mut Rows, key: StateKey, value: T) -> Result<(), GenesisError> {
    let before = rows.insert(key, value.row().to_bytes());
    if before.is_some() { Err(GenesisError::Twice) } else { Ok(()) }
}

fn put_stakers(spec: &ChainSpec, chain: ChainId, rows: &mut Rows) -> Result<(), GenesisError> {
    if !spec.upgrade.is_none_or(|rules| rules.is_sound()) {
        return Err(GenesisError::BadUpgrade);
    }
    let Some(rules) = &spec.stake else {
        if spec.has_beacon() {
            return Err(GenesisError::NoBeacon);
        }
        return if spec.stakers.is_empty() { Ok(()) } else { Err(GenesisError::NoRules) };
    };
    rules.check(spec.pool.inclusion_margin)?;
    for staker in spec.stakers.iter() {
        let row = Staker {
            total: staker.bond,
            ..Staker::new(staker.guardian, staker.validator, Height(0))
        };
        let bond = Bond { amount: staker.bond, ..Bond::default() };
        put(rows, StateKey::staker(chain, &staker.owner), row)?;
        put(rows, StateKey::bond(chain, &staker.owner, &staker.owner), bond)?;
        put(rows, StateKey::guardian_key(chain, &staker.guardian), staker.owner)?;
        if let Some(key) = &staker.validator {
            put(rows, StateKey::validator_key(chain, key), staker.owner)?;
        }
    }
    let listed = spec.stakers.iter().filter(|staker| staker.bond >= rules.min_guardian);
    let listed: Vec<_> = listed.map(|staker| staker.owner).collect();
    for (number, page) in (0_u32..).zip(listed.chunks(PAGE)) {
        let page: RosterPage = Bounded::try_from(page.to_vec()).unwrap_or_default();
        put(rows, StateKey::roster(chain, number), page)?;
    }
    let candidates: Vec<_> = spec.stakers.iter().map(|staker| staker.candidate()).collect();
    let (validators, guardians) = elect(rules, Height(0), &candidates);
    let expected = (Some(&spec.validators), Some(&spec.guardians));
    if (validators.as_ref(), guardians.as_ref()) == expected {
        Ok(())
    } else {
        Err(GenesisError::WrongSets)
    }
}

/// A0.5: no election can make a set too heavy, because all units together are not.
fn check_weight(spec: &ChainSpec) -> Result<(), GenesisError> {
    let balances = spec.accounts.iter().map(|account| {
        let [staking, _] = account.balances;
        staking
    });
    let all = Amount::checked_sum(balances.chain(spec.stakers.iter().map(|staker| staker.bond)));
    let fits = all.is_some_and(|sum| sum.units() < u128::from(MAX_TOTAL_WEIGHT));
    if fits || spec.stake.is_none() { Ok(()) } else { Err(GenesisError::TooHeavy) }
}
