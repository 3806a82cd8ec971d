//! Proofs: one question a head, checked under that head's root, entered level by level.

use super::{AskId, Book, Output, PoolProof, Query, Shown};
use crate::{
    chain::{
        Level,
        proof::{MAX_PROOFS, StateProofs, verify_all},
        spec::Token,
        state::{Account, MAX_VALUE, StateKey},
    },
    codec::{self, Bounded, DecodeError},
    crypto::Hash,
    id::{FieldId, Height, PoolId},
    payment::{
        field::escrow::FieldState,
        reservation::{PaidState, PoolState, PoolStatus},
    },
    time::UnixMillis,
};
use alloc::{boxed::Box, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// Pools in one question: two keys each. With the account and the fields they are [`MAX_KEYS`](crate::chain::proof::MAX_KEYS).
pub(super) const POOLS_A_TURN: usize = 24;
/// How many of them may have been only named, where those that are ours fill the rest. Chosen here: a third.
pub(super) const NAMED_A_TURN: usize = 8;
/// Fields in one question: one key each.
pub(super) const FIELDS_A_TURN: usize = 15;

/// A pool's state, if it exists, and what it paid to the owner.
type Row = (Option<PoolState>, PaidState);

/// What proofs are asked of.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    pools: Vec<PoolId>,
    fields: Vec<FieldId>,
}

/// What an answer proves: the account, and a row for each that was asked of.
struct Values {
    account: Account,
    pools: Vec<Row>,
    fields: Vec<Option<FieldState>>,
}

/// Which head a question is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) height: Height,
    pub(super) root: Hash,
    pub(super) time: UnixMillis,
}

/// What a query was for.
#[derive(Debug)]
pub(super) enum Asked {
    /// Proofs under one head.
    Proofs { level: Level, at: At, rows: Rows },
    /// A transaction.
    Submission,
    /// Tokens from the faucet.
    Faucet,
}

impl Book {
    /// Asks for proofs under each head that moved far enough.
    ///
    /// Final heads always; the others at once while something is awaited or more is watched than one question asks, else
    /// every inclusion margin (A5.14).
    pub(super) fn ask_proofs(&mut self, out: &mut Vec<Output>) {
        for level in [Level::Final, Level::Settled, Level::Included] {
            let Some(at) = self.at(level) else { continue };
            let height = at.height;
            let last = self.asked_height.get(level).copied();
            let is_waiting = self.asked.values().any(|asked| asked.is_at(level));
            let is_crowded = self.watched.len() > POOLS_A_TURN || self.fields.len() > FIELDS_A_TURN;
            let is_pressing = level == Level::Final || is_crowded || self.is_awaiting();
            let step = if is_pressing { 1 } else { self.inclusion_margin.max(1) };
            let is_due = |last: Height| height >= last.plus(if self.is_urgent { 0 } else { step });
            if is_waiting || !last.is_none_or(is_due) {
                continue;
            }
            self.asked_height.set(level, height);
            let pools = self.watched.turn(level, (POOLS_A_TURN, NAMED_A_TURN));
            let fields = self.fields.turn(level, (FIELDS_A_TURN, 0));
            let rows = Rows { pools, fields };
            let keys = Bounded::<_, { crate::chain::proof::MAX_KEYS }>::try_from(self.keys(&rows));
            let Ok(keys) = keys else { continue };
            let id = self.next_ask();
            let query = Query::Prove { height: height.0, keys: codec::encode(&keys) };
            self.asked.insert(id, Asked::Proofs { level, at, rows });
            out.push(Output::Ask(id, query));
        }
        self.is_urgent = false;
    }

    /// Returns whether the next head is wanted soon: something is expected to happen, or a field is open.
    pub fn is_waiting(&self) -> bool {
        self.is_awaiting() || self.fields.len() > 0
    }

    /// Whether something is expected to happen: a transaction, a settlement, a pool never seen.
    fn is_awaiting(&self) -> bool {
        let unsure = |level: &Option<Level>| level.is_none_or(|level| level < Level::Settled);
        // What has landed in a block is to be settled, too.
        let settled = self.account(Level::Settled).map(|shown| shown.height);
        self.is_busy()
            || settled.is_some_and(|height| height < self.landed_at)
            || self.gift_before.is_some()
            || self.settlements.iter().any(|settlement| unsure(&settlement.level))
            || self
                .watched
                .values()
                .any(|rows| rows.at_least(Level::Included).all(|row| row.state.is_none()))
            || self.account(Level::Included).is_none()
    }

    pub(super) fn answered(&mut self, id: AskId, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(Asked::Proofs { level, at, rows }) = self.asked.remove(&id) else {
            // A submission or the faucet: accepted, which proves nothing yet.
            return;
        };
        match self.read(bytes, &at.root, &rows) {
            Ok(values) => self.enter(level, at, &rows, values, out),
            // Nobody vouches for an included block: its branch may be gone by now, and nothing was claimed.
            Err(_) if level == Level::Included => {}
            Err(code) => out.push(Output::Trouble(code)),
        }
    }

    fn keys(&self, rows: &Rows) -> Vec<StateKey> {
        let mut keys = alloc::vec![StateKey::account(self.state_chain, &self.address)];
        for pool in &rows.pools {
            keys.push(StateKey::pool(self.state_chain, pool));
            keys.push(StateKey::paid(self.state_chain, pool, &self.address));
        }
        keys.extend(rows.fields.iter().map(|field| StateKey::field(self.state_chain, field)));
        keys
    }

    /// Verifies an answer and decodes its values, or says by code what is wrong with it.
    fn read(&self, bytes: &[u8], root: &Hash, rows: &Rows) -> Result<Values, &'static str> {
        let proofs: StateProofs = codec::decode(bytes, MAX_PROOFS).map_err(|e| e.code())?;
        let values = verify_all(&proofs, root, &self.keys(rows)).map_err(|e| e.code())?;
        let mut values = values.into_iter();
        let account = value(values.next().flatten())?.unwrap_or_default();
        let mut pools = Vec::new();
        for _ in &rows.pools {
            let (state, paid) = (values.next().flatten(), values.next().flatten());
            pools.push((value(state)?, value(paid)?.unwrap_or_default()));
        }
        let fields = values.map(value).collect::<Result<_, _>>()?;
        Ok(Values { account, pools, fields })
    }

    fn enter(
        &mut self,
        level: Level,
        At { height, root, time }: At,
        rows: &Rows,
        values: Values,
        out: &mut Vec<Output>,
    ) {
        let Values { account, pools, fields } = values;
        if self.gift_before.is_some_and(|before| before < account.balance(Token::Operational)) {
            self.gift_before = None;
        }
        self.account.set(level, Shown { value: account, level, height, root, time });
        for (pool, (state, paid)) in rows.pools.iter().zip(pools) {
            // What an insolvent pool has not paid it never will: a claim is no settlement.
            if state.as_ref().is_some_and(|s| matches!(s.status, PoolStatus::Insolvent(_))) {
                self.settlements.retain(|s| s.pool != *pool || s.cum <= paid.cum);
            }
            let proof = PoolProof { pool: *pool, state, paid, level, height, root, time };
            for settlement in self.settlements.iter_mut().filter(|s| s.pool == *pool) {
                if paid.cum >= settlement.cum && settlement.level.is_none_or(|known| known < level)
                {
                    (settlement.level, settlement.height) = (Some(level), Some(height));
                    settlement.root = Some(root);
                }
            }
            if let Some(shown) = self.watched.get_mut(pool) {
                shown.set(level, proof.clone());
                out.push(Output::Pool(Box::new(proof)));
            }
        }
        let fields = rows.fields.iter().copied().zip(fields);
        self.enter_fields(level, At { height, root, time }, fields, out);
        out.push(Output::Changed);
    }
}

impl Asked {
    fn is_at(&self, wanted: Level) -> bool {
        matches!(self, Self::Proofs { level, .. } if *level == wanted)
    }
}

/// Decodes a proven value; the chain itself would have to hold nonsense for this to fail.
fn value<T: BorshDeserialize + BorshSerialize>(
    bytes: Option<&[u8]>,
) -> Result<Option<T>, &'static str> {
    bytes.map(|b| codec::decode(b, MAX_VALUE)).transpose().map_err(|e: DecodeError| e.code())
}
