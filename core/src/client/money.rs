//! Routes between the chain's proofs, the payer, the payee, and the peers they deal with.

use super::{Asker, Client, CommandError, Kept, Notice, Now, Output};
use crate::{
    amount::Amount,
    chain::Level,
    id::{Height, PoolId},
    payment::{
        gift, member, payee,
        payer::{self, AdoptError},
        reservation::{PoolTerms, Window},
    },
    wallet::book::{self, Book, BookError, Interest, PoolProof},
};
use alloc::{boxed::Box, vec::Vec};

/// Blocks that a pool lives, within what the chain allows. Chosen here: an hour of one-second blocks.
const POOL_BLOCKS: u64 = 3600;

impl Client {
    pub(super) fn feed_book(&mut self, now: Now, input: book::Input, out: &mut Vec<Output>) {
        let Some(purse) = &mut self.purse else { return };
        let mut lifted = Vec::new();
        purse.book.handle(now.at, input, &mut lifted);
        self.lift_book(now, lifted, out);
    }

    pub(super) fn feed_payer(&mut self, now: Now, input: payer::Input, out: &mut Vec<Output>) {
        let Some(purse) = &mut self.purse else { return };
        let mut lifted = Vec::new();
        purse.payer.handle(now.at, input, &mut lifted);
        self.lift_payer(now, lifted, out);
    }

    pub(super) fn feed_payee(&mut self, now: Now, input: payee::Input, out: &mut Vec<Output>) {
        let Some(payee) = self.purse.as_mut().and_then(|purse| purse.payee.as_mut()) else {
            return;
        };
        let mut lifted = Vec::new();
        payee.handle(now.at, input, &mut lifted);
        self.lift_payee(now, lifted, out);
    }

    pub(super) fn tip_moved(&mut self, now: Now, height: Height, out: &mut Vec<Output>) {
        self.feed_payer(now, payer::Input::Tip(height), out);
        self.feed_payee(now, payee::Input::Tip(height), out);
        self.feed_fields(now, member::Input::Tip(height), out);
        self.feed_gifts(now, gift::Input::Tip(height), out);
    }

    pub(super) fn lift_book(
        &mut self,
        now: Now,
        outputs: Vec<book::Output>,
        out: &mut Vec<Output>,
    ) {
        for output in outputs {
            match output {
                book::Output::Ask(id, query) => self.ask_node(Asker::Book(id), query, out),
                book::Output::Pool(proof) => {
                    let gift = self.gift_proof(now, &proof);
                    self.pool_proven(now, *proof, out);
                    // The payer knows it by now: what is proven reserved may be promised.
                    if let Some(gift) = gift {
                        self.feed_gifts(now, gift, out);
                    }
                }
                book::Output::Field(shown) => self.field_proven(now, *shown, out),
                book::Output::Trouble(code) => self.trouble(code, out),
                book::Output::PoolRefused(pool, code) => self.pool_refused(pool, code, out),
                book::Output::Changed => self.changed = true,
            }
        }
    }

    /// A proof of a pool goes to the side that asked: ours to the payer, others' to the payee.
    fn pool_proven(&mut self, now: Now, proof: PoolProof, out: &mut Vec<Output>) {
        let Some(purse) = &mut self.purse else { return };
        if proof.level < Level::Settled {
            return;
        }
        let PoolProof { pool, state, paid, level, height, .. } = proof;
        if !purse.payer.has(pool) {
            if let Some(state) = state {
                let proof = payee::Proof { state, paid, height, level };
                self.feed_payee(now, payee::Input::Proven(pool, Box::new(proof)), out);
            }
            return;
        }
        let mut lifted = Vec::new();
        let adopted = match state {
            Some(state) => purse.payer.adopt(pool, state, height, &mut lifted),
            // Its transaction may still be on its way.
            None if purse.book.is_undecided(height) => Ok(()),
            None => {
                purse.payer.absent(pool, &mut lifted);
                Ok(())
            }
        };
        self.lift_payer(now, lifted, out);
        match adopted {
            Ok(()) | Err(AdoptError::Stale | AdoptError::Closed) => {}
            // It is the same under every head, and said once.
            Err(error) if self.troubles.contains_key(error.code()) => {}
            Err(error) => self.trouble(error.code(), out),
        }
        self.pay_debts(now, out);
    }

    /// Tells the payer, and the application once.
    fn pool_refused(&mut self, pool: PoolId, code: &'static str, out: &mut Vec<Output>) {
        if let Some(purse) = &mut self.purse {
            purse.payer.refuse(pool, code);
        }
        self.trouble(code, out);
    }

    pub(super) fn lift_payer(
        &mut self,
        now: Now,
        outputs: Vec<payer::Output>,
        out: &mut Vec<Output>,
    ) {
        for output in outputs {
            match output {
                payer::Output::Store(token, name, row) => {
                    self.store(Kept::Payer(token), name, row, out);
                }
                payer::Output::Create(terms) => {
                    let Some(purse) = &mut self.purse else { return };
                    let (pool, mut lifted) = (terms.id(self.config.chain), Vec::new());
                    let created = purse.book.create_pool(now.at, terms, &mut lifted);
                    self.lift_book(now, lifted, out);
                    match created {
                        Ok(()) => {}
                        // Its turn comes when the next proof shows that the pool is not there.
                        Err(BookError::NotReady | BookError::QueueFull) => {}
                        Err(error) => self.pool_refused(pool, error.code(), out),
                    }
                }
                payer::Output::Voucher(target, voucher) => {
                    let mut is_gift = false;
                    self.with_gifts(now, out, |gifts, lifted| {
                        is_gift = gifts.promised(&voucher, lifted);
                    });
                    if is_gift {
                        continue;
                    }
                    self.voucher_made(now, target, &voucher);
                }
            }
        }
    }

    fn lift_payee(&mut self, now: Now, outputs: Vec<payee::Output>, out: &mut Vec<Output>) {
        let mut promises = Vec::new();
        for output in outputs {
            match output {
                payee::Output::NeedPool(pool) => self.watch_pool(now, pool, out),
                payee::Output::Store(token, name, row) => {
                    self.store(Kept::Payee(token), name, row, out);
                }
                payee::Output::Credit(peer, _) => self.refresh_credit(now, peer, out),
                payee::Output::Fault(_, fault) => self.trouble(fault.code(), out),
                payee::Output::Settle(promise) => promises.push(promise),
                payee::Output::Collect(pool) => {
                    self.ask_book(now, |book, out| book.collect(now.at, pool, out), out);
                }
                payee::Output::Insolvent(..) => self.trouble("payee/pool-insolvent", out),
                payee::Output::Settled(..) => self.changed = true,
                payee::Output::Lost(..) => self.trouble("payee/lost", out),
            }
        }
        if !promises.is_empty() {
            self.ask_book(now, |book, out| book.settle_all(now.at, promises, out), out);
        }
    }

    pub(super) fn watch_pool(&mut self, now: Now, pool: PoolId, out: &mut Vec<Output>) {
        let Some(purse) = &mut self.purse else { return };
        let mut lifted = Vec::new();
        let interest = purse.interest(pool).unwrap_or(Interest::Named);
        purse.book.watch(pool, interest, &mut lifted);
        self.lift_book(now, lifted, out);
    }

    /// Asks the book for a transaction, and says so where it refuses.
    pub(super) fn ask_book(
        &mut self,
        now: Now,
        ask: impl FnOnce(&mut Book, &mut Vec<book::Output>) -> Result<(), BookError>,
        out: &mut Vec<Output>,
    ) {
        let Some(purse) = &mut self.purse else { return };
        let mut lifted = Vec::new();
        let queued = ask(&mut purse.book, &mut lifted);
        self.lift_book(now, lifted, out);
        if let Err(error) = queued {
            self.trouble(error.code(), out);
        }
    }

    /// Opens a pool of this deposit for the stream that plays.
    pub(super) fn open_pool(
        &mut self,
        now: Now,
        deposit: Amount,
        out: &mut Vec<Output>,
    ) -> Result<(), CommandError> {
        let stream = self.stream.as_ref().ok_or(CommandError::NoStream)?.id;
        self.check_fresh(now)?;
        let settled = self.light.head(Level::Settled).ok_or(CommandError::NotReady)?;
        let rules = self.light.spec().ok_or(CommandError::NotReady)?.pool;
        let purse = self.purse.as_mut().ok_or(CommandError::NotReady)?;
        let terms = PoolTerms {
            creator: self.config.key.public(),
            nonce: now.clock.0,
            resource: stream,
            deposit,
            collateral: rules.min_collateral(deposit).ok_or(CommandError::OutOfRange)?,
            end_height: rules.end_of(settled.header.height, POOL_BLOCKS),
            only: None,
        };
        purse.book.check_pool(&terms).map_err(CommandError::Book)?;
        let mut lifted = Vec::new();
        let opened = purse.payer.open(terms, &mut lifted);
        self.lift_payer(now, lifted, out);
        opened.map(|_| ()).map_err(CommandError::Open)
    }

    /// Orders the settlement of every voucher held.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Output>) -> Result<(), CommandError> {
        let purse = self.purse.as_mut().ok_or(CommandError::NotReady)?;
        let payee = purse.payee.as_mut().ok_or(CommandError::NoStream)?;
        let mut lifted = Vec::new();
        payee.settle(&mut lifted);
        if lifted.is_empty() {
            return Err(CommandError::NothingToSettle);
        }
        self.lift_payee(now, lifted, out);
        out.push(Output::Notify(Notice::Changed));
        Ok(())
    }

    /// Orders the release of every pool whose freeze has passed.
    pub(super) fn release(&mut self, now: Now, out: &mut Vec<Output>) -> Result<(), CommandError> {
        let settled = self.light.head(Level::Settled).ok_or(CommandError::NotReady)?.header.height;
        let rules = self.light.spec().ok_or(CommandError::NotReady)?.pool;
        let purse = self.purse.as_mut().ok_or(CommandError::NotReady)?;
        let is_over = |(id, _): &(PoolId, _)| {
            // What is insolvent never comes back (A5.11).
            let proven = purse.payer.proven(*id);
            proven.is_some_and(|state| state.window(&rules, settled) == Window::Release)
        };
        let over: Vec<_> = purse.payer.pools().filter(is_over).map(|(id, _)| id).collect();
        if over.is_empty() {
            return Err(CommandError::NothingToRelease);
        }
        let mut lifted = Vec::new();
        for pool in over {
            purse.book.release(now.at, pool, &mut lifted).map_err(CommandError::Book)?;
        }
        self.lift_book(now, lifted, out);
        Ok(())
    }
}
