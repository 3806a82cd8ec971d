//! Finds pools of this key that its rows do not know, as after a restore from words alone.
//!
//! ```text
//! FindPools --blocks, read downwards--> terms of every pool opened --each proven now--> those that hold money: frozen, watched
//! ```
//!
//! Another device may have signed vouchers for them, so nothing is signed here (A5.13). They are watched like all others, and
//! what is left is released when their time is over.
//!
//! Source: PROTOCOL A5.12, A5.13, A7.6.

use super::{Client, Found, LookupId, Now, Output, Question};
use crate::{
    chain::{
        Level,
        lookup::{LookupError, PoolFound, PoolsFound},
    },
    id::PoolId,
    payment::{
        payer::AdoptError,
        reservation::{PoolStatus, PoolTerms},
    },
};
use alloc::{boxed::Box, vec::Vec};

/// A search under way.
#[derive(Debug)]
pub(super) struct Search {
    /// Who waits for it.
    id: LookupId,
    /// What blocks say; its pools are those that are proven by now to hold money.
    found: Option<PoolsFound>,
    /// Whose state is not proven yet; the last is being asked about.
    left: Vec<(PoolId, PoolTerms)>,
}

impl Client {
    /// Begins a search, as [`Input::FindPools`](super::Input::FindPools) does.
    pub(super) fn find_pools(&mut self, id: LookupId, out: &mut Vec<Output>) {
        let busy = self.search.as_ref().map(|_| LookupError::Busy);
        let address = self.address().filter(|_| busy.is_none());
        let Some(address) = address else {
            let error = busy.unwrap_or(LookupError::NotReady);
            return out.push(Output::Lost(id, error.code()));
        };
        self.search = Some(Search { id, found: None, left: Vec::new() });
        self.look_up(id, Question::PoolsOf(address), out);
    }

    /// Returns the search that this look-up is a step of.
    pub(super) fn take_search(&mut self, id: LookupId) -> Option<Search> {
        self.search.take_if(|search| search.id == id)
    }

    /// A step of the search has its answer.
    pub(super) fn search_found(&mut self, mut search: Search, found: Found, out: &mut Vec<Output>) {
        if let Found::Pools(mut found) = found {
            let payer = self.purse.as_ref().map(|purse| &purse.payer);
            let is_new = |(pool, _): &(PoolId, _)| payer.is_some_and(|payer| !payer.has(*pool));
            // The oldest is asked about first.
            search.left = core::mem::take(&mut found.pools);
            search.left.retain(is_new);
            search.found = Some(found);
        } else if let Found::Pool(pool) = found {
            self.pool_found(&mut search, *pool, out);
        }
        let id = search.id;
        let Some(next) = search.left.last().map(|(pool, _)| *pool) else {
            let whole = search.found.map(|found| Output::Found(id, Box::new(Found::Pools(found))));
            return out.extend(whole);
        };
        self.search = Some(search);
        self.look_up(id, Question::Pool(next, Level::Settled), out);
    }

    /// What became of a pool is proven: what is closed or insolvent has nothing for its creator.
    fn pool_found(
        &mut self,
        search: &mut Search,
        PoolFound { state, .. }: PoolFound,
        out: &mut Vec<Output>,
    ) {
        let Some((pool, terms)) = search.left.pop() else { return };
        let is_open = state.is_some_and(|state| state.status == PoolStatus::Open);
        let (Some(purse), Some(found)) = (&mut self.purse, &mut search.found) else { return };
        if !is_open {
            return;
        }
        let now = Now { at: self.last, clock: self.clock };
        let mut lifted = Vec::new();
        match purse.payer.found(terms.clone(), &mut lifted) {
            Ok(true) => {
                // There are no more pools than places for gifts.
                let _ = purse.gifts.give(&terms);
                found.pools.push((pool, terms));
            }
            Ok(false) => {}
            Err(error) => {
                // There may be more than fit: another search, once some are over, takes the rest.
                found.is_whole &= error != AdoptError::TooManyPools;
                self.trouble(error.code(), out);
            }
        }
        self.lift_payer(now, lifted, out);
        self.watch_pool(now, pool, out);
    }
}
