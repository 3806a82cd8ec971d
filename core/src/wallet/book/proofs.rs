//! Proofs: one question a head, checked under that head's root, entered level by level.

use super::{AskId, Book, MAX_WATCHED, Output, PoolProof, Query, Shown};
use crate::{
    chain::{
        Level,
        proof::{MAX_PROOFS, StateProofs, verify_all},
        spec::Token,
        state::{Account, MAX_VALUE, StateKey},
    },
    codec::{self, Bounded, DecodeError},
    crypto::Hash,
    id::{Height, PoolId},
    payment::reservation::{PaidState, PoolState, PoolStatus},
    time::UnixMillis,
};
use alloc::{boxed::Box, vec::Vec};
use borsh::{BorshDeserialize, BorshSerialize};

/// A pool's state, if it exists, and what it paid to the owner.
type Row = (Option<PoolState>, PaidState);

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
    Proofs { level: Level, at: At, pools: Vec<PoolId> },
    /// A transaction.
    Submission,
    /// Tokens from the faucet.
    Faucet,
}

impl Book {
    /// Asks for proofs under each head that moved far enough.
    ///
    /// Final heads always; the others at once while something is awaited, else every inclusion margin (A5.14).
    pub(super) fn ask_proofs(&mut self, out: &mut Vec<Output>) {
        for level in [Level::Final, Level::Settled, Level::Included] {
            let Some(at) = self.at(level) else { continue };
            let height = at.height;
            let last = self.asked_height.get(level).copied();
            let is_waiting = self.asked.values().any(|asked| asked.is_at(level));
            let is_pressing = level == Level::Final || self.is_awaiting();
            let step = if is_pressing { 1 } else { self.inclusion_margin.max(1) };
            let is_due = |last: Height| height >= last.plus(if self.is_urgent { 0 } else { step });
            if is_waiting || !last.is_none_or(is_due) {
                continue;
            }
            self.asked_height.set(level, height);
            let pools: Vec<_> = self.watched.keys().copied().take(MAX_WATCHED).collect();
            let keys = Bounded::<_, { crate::chain::proof::MAX_KEYS }>::try_from(self.keys(&pools));
            let Ok(keys) = keys else { continue };
            let id = self.next_ask();
            let query = Query::Prove { height: height.0, keys: codec::encode(&keys) };
            self.asked.insert(id, Asked::Proofs { level, at, pools });
            out.push(Output::Ask(id, query));
        }
        self.is_urgent = false;
    }

    /// Whether something is expected to happen: a transaction, a settlement, a pool never seen.
    fn is_awaiting(&self) -> bool {
        let unsure = |level: &Option<Level>| level.is_none_or(|level| level < Level::Settled);
        self.is_busy()
            || self.gift_before.is_some()
            || self.settlements.iter().any(|settlement| unsure(&settlement.level))
            || self
                .watched
                .values()
                .any(|rows| rows.at_least(Level::Included).all(|row| row.state.is_none()))
            || self.account(Level::Included).is_none()
    }

    pub(super) fn answered(&mut self, id: AskId, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(Asked::Proofs { level, at, pools }) = self.asked.remove(&id) else {
            // A submission or the faucet: accepted, which proves nothing yet.
            return;
        };
        match self.read(bytes, &at.root, &pools) {
            Ok(values) => self.enter(level, at, &pools, values, out),
            // Nobody vouches for an included block: its branch may be gone by now, and nothing was claimed.
            Err(_) if level == Level::Included => {}
            Err(code) => out.push(Output::Trouble(code)),
        }
    }

    fn keys(&self, pools: &[PoolId]) -> Vec<StateKey> {
        let mut keys = alloc::vec![StateKey::account(self.state_chain, &self.address)];
        for pool in pools {
            keys.push(StateKey::pool(self.state_chain, pool));
            keys.push(StateKey::paid(self.state_chain, pool, &self.address));
        }
        keys
    }

    /// Verifies an answer and decodes its values, or says by code what is wrong with it.
    fn read(
        &self,
        bytes: &[u8],
        root: &Hash,
        pools: &[PoolId],
    ) -> Result<(Account, Vec<Row>), &'static str> {
        let proofs: StateProofs = codec::decode(bytes, MAX_PROOFS).map_err(|e| e.code())?;
        let values = verify_all(&proofs, root, &self.keys(pools)).map_err(|e| e.code())?;
        let mut values = values.into_iter();
        let account = value(values.next().flatten())?.unwrap_or_default();
        let mut rows = Vec::new();
        while let (Some(state), Some(paid)) = (values.next(), values.next()) {
            rows.push((value(state)?, value(paid)?.unwrap_or_default()));
        }
        Ok((account, rows))
    }

    fn enter(
        &mut self,
        level: Level,
        At { height, root, time }: At,
        pools: &[PoolId],
        (account, rows): (Account, Vec<Row>),
        out: &mut Vec<Output>,
    ) {
        if self.gift_before.is_some_and(|before| before < account.balance(Token::Operational)) {
            self.gift_before = None;
        }
        self.account.set(level, Shown { value: account, level, height, root, time });
        for (pool, (state, paid)) in pools.iter().zip(rows) {
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
