//! Which pools peers say that they pay from. Names cost nothing: each peer has one, and the table is bounded.

use super::{Fault, MAX_BOOKS, Output, Payee, account::Account, book::Book};
use crate::id::{PeerId, PoolId};
use alloc::vec::Vec;

impl Payee {
    /// Returns whether something of a pool is promised to us, for all that is known.
    pub fn holds(&self, pool: PoolId) -> bool {
        self.books.get(&pool).is_some_and(|book| !book.is_empty())
    }

    /// Returns whether a peer that is here says that it pays from this pool.
    pub fn is_offered(&self, pool: PoolId) -> bool {
        self.books.contains_key(&pool) && self.accounts.pay_from(pool)
    }

    pub(super) fn offered(&mut self, peer: PeerId, pool: PoolId, out: &mut Vec<Output>) {
        self.drop_former(peer, pool);
        if !self.books.contains_key(&pool) && self.books.len() >= MAX_BOOKS {
            let mut books = self.books.iter();
            let unused = books.find(|(id, book)| book.is_empty() && !self.accounts.pay_from(**id));
            let Some(unused) = unused.map(|(id, _)| *id) else {
                out.push(Output::Fault(peer, Fault::TooManyPools));
                return;
            };
            self.books.remove(&unused);
        }
        let Some(account) = self.accounts.come(peer) else { return };
        account.offer(pool);
        let height = self.tip.map(|tip| tip.height);
        let book = self.books.entry(pool).or_default();
        if book.proof().is_none() && book.ask(height) {
            out.push(Output::NeedPool(pool));
        }
    }

    /// Forgets the pool that a peer named before, if nothing was promised of it: names cost nothing, so each peer has one.
    fn drop_former(&mut self, peer: PeerId, pool: PoolId) {
        let former = self.accounts.get(&peer).and_then(Account::pool);
        let Some(former) = former.filter(|former| *former != pool) else { return };
        let is_empty = self.books.get(&former).is_some_and(Book::is_empty);
        if is_empty && !self.accounts.others_pay_from(former, peer) {
            self.books.remove(&former);
        }
    }
}
