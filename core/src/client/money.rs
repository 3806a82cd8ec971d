//! Routes between the chain's proofs, the payer, the payee, and the peers they deal with.

use super::{Asker, Client, CommandError, Kept, Notice, Now, Output, Purse};
use crate::{
    amount::Amount,
    chain::Level,
    codec::{self, Bounded},
    id::{Height, PeerId, PoolId},
    payment::{
        payee::{self, Payee, PayeePolicy},
        payer::{self, AdoptError, Payer},
        reservation::{PoolTerms, Window},
    },
    peer::frames::Frame,
    time::Moment,
    wallet::book::{self, Book, BookError, PoolProof},
};
use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;

/// How long a voucher waits for a request to ride on. Chosen here: shorter than a chunk of audio lasts.
const VOUCHER_PATIENCE: Duration = Duration::from_millis(150);

/// Blocks that a pool lives, within what the chain allows. Chosen here: an hour of one-second blocks.
const POOL_BLOCKS: u64 = 3600;

/// Payees that are owed something. Chosen here: beyond the peers that a swarm meets in an hour.
const MAX_DEBTS: usize = 1024;

impl Client {
    /// Makes the money machines once the chain's spec is known, and the payee once a price is.
    pub(super) fn open_purse(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(spec) = self.light.spec().cloned() else { return };
        let (chain, rules, key) = (self.config.chain, spec.pool, &self.config.key);
        if self.purse.is_none() {
            let Some(device) = self.device else { return };
            let rows = self.stored.iter().filter(|(name, _)| Payer::owns(name)).cloned();
            let payer = Payer::new(chain, key.clone(), device, rules, rows);
            let mut book = Book::new(key.clone(), &spec);
            let mut lifted = Vec::new();
            for (pool, _) in payer.pools() {
                book.watch(pool, &mut lifted);
            }
            self.purse = Some(Purse { book, payer, payee: None });
            self.lift_book(now, lifted, out);
            self.changed = true;
        }
        let Some(stream) = &self.stream else { return };
        let Some(purse) = self.purse.as_mut().filter(|purse| purse.payee.is_none()) else { return };
        let policy = PayeePolicy::for_price(stream.info.price, spec.fee);
        let rows = self.stored.iter().filter(|(name, _)| Payee::owns(name)).cloned();
        purse.payee = Some(Payee::new(chain, purse.book.address(), rules, policy, rows));
        let height = self.light.head(Level::Settled).map(|head| head.header.height);
        let known: Vec<_> = self.peers.keys().copied().collect();
        if let Some(height) = height {
            self.tip_moved(now, height, out);
        }
        for peer in known {
            self.set_terms(peer, out);
        }
    }

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
                book::Output::Pool(proof) => self.pool_proven(now, *proof, out),
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
        if !purse.payer.pools().any(|(own, _)| own == pool) {
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
        self.offer_pool(now, out);
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
                    let bytes = Bounded::try_from(codec::encode(&voucher.to_compact()));
                    let payees = self.peers.values_mut().filter(|p| p.payee == Some(target));
                    for peer in payees {
                        peer.voucher = bytes.clone().ok();
                        peer.voucher_due.get_or_insert(now.at.after(VOUCHER_PATIENCE));
                    }
                }
            }
        }
    }

    fn lift_payee(&mut self, now: Now, outputs: Vec<payee::Output>, out: &mut Vec<Output>) {
        let mut promises = Vec::new();
        for output in outputs {
            match output {
                payee::Output::NeedPool(pool) => {
                    let Some(purse) = &mut self.purse else { return };
                    let mut lifted = Vec::new();
                    purse.book.watch(pool, &mut lifted);
                    self.lift_book(now, lifted, out);
                }
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

    /// Asks the book for a transaction, and says so where it refuses.
    fn ask_book(
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

    /// Owes a peer for one verified chunk, and pays if there is a pool to pay from.
    pub(super) fn owe(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let price = self.stream.as_ref().map_or(Amount::ZERO, |stream| stream.info.price);
        let payee = self.peers.get(&peer).and_then(|peer| peer.payee);
        let Some(target) = payee.filter(|_| !price.is_zero()) else { return };
        // The debt is the payee's, not the link's: it outlives a link that breaks.
        if self.debts.len() >= MAX_DEBTS && !self.debts.contains_key(&target) {
            self.debts.pop_first();
        }
        let debt = self.debts.entry(target).or_default();
        *debt = debt.checked_add(price).unwrap_or(*debt);
        self.pay_debts(now, out);
    }

    /// Pays every debt that the pool covers.
    pub(super) fn pay_debts(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(pool) = self.paying_pool() else { return };
        for (target, debt) in self.debts.clone() {
            let Some(purse) = &mut self.purse else { return };
            let mut lifted = Vec::new();
            match purse.payer.pay(pool, target, debt, &mut lifted) {
                Ok(_) => {
                    self.debts.remove(&target);
                    for peer in self.peers.values_mut().filter(|p| p.payee == Some(target)) {
                        peer.paid = peer.paid.checked_add(debt).unwrap_or(peer.paid);
                    }
                }
                Err(error) => self.trouble(error.code(), out),
            }
            self.lift_payer(now, lifted, out);
        }
    }

    /// Returns the pool that pays for this stream: proven, not frozen, the one with most left.
    pub(super) fn paying_pool(&self) -> Option<PoolId> {
        let (purse, stream) = (self.purse.as_ref()?, self.stream.as_ref()?);
        let usable =
            purse.payer.pools().filter(|(_, freeze)| freeze.is_none()).filter_map(|(id, _)| {
                let (terms, proven) = purse.payer.pool(id)?;
                proven.filter(|_| terms.resource == stream.id)?;
                Some((terms.deposit.saturating_sub(purse.payer.promised(id)), id))
            });
        usable.filter(|(left, _)| !left.is_zero()).max().map(|(_, id)| id)
    }

    /// Tells every linked peer which pool pays, and pays what is owed.
    pub(super) fn offer_pool(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(pool) = self.paying_pool() else { return };
        let told: Vec<_> = (self.peers.iter_mut())
            .filter(|(_, peer)| peer.payee.is_some() && peer.pool != Some(pool))
            .map(|(id, peer)| {
                peer.pool = Some(pool);
                *id
            })
            .collect();
        for peer in told {
            self.send(now, peer, Frame::PoolRef(pool), out);
        }
        self.pay_debts(now, out);
    }

    /// Tells the payee what a peer is served and at what price.
    pub(super) fn set_terms(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        let (Some(purse), Some(stream)) = (&mut self.purse, &self.stream) else { return };
        let Some(payee) = &mut purse.payee else { return };
        if let Err(error) = payee.set_terms(peer, stream.id, stream.info.price) {
            self.trouble(error.code(), out);
        }
    }

    /// Sends the vouchers that found no request to ride on.
    pub(super) fn flush_vouchers(&mut self, now: Now, out: &mut Vec<Output>) {
        let due: Vec<_> = (self.peers.iter_mut())
            .filter(|(_, peer)| peer.voucher_due.is_some_and(|due| due <= now.at))
            .filter_map(|(id, peer)| Some((*id, peer.take_voucher()?)))
            .collect();
        for (peer, voucher) in due {
            self.send(now, peer, Frame::Voucher(voucher), out);
        }
    }

    pub(super) fn voucher_deadline(&self) -> Option<Moment> {
        self.peers.values().filter_map(|peer| peer.voucher_due).min()
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
        let least = deposit.checked_add(rules.bounty);
        let collateral = least.and_then(|sum| sum.checked_add(Amount::from_units(1)));
        let life = POOL_BLOCKS
            .clamp(rules.min_duration.saturating_add(rules.settle_margin()), rules.max_duration);
        let terms = PoolTerms {
            creator: self.config.key.public(),
            nonce: now.clock.0,
            resource: stream,
            deposit,
            collateral: collateral.ok_or(CommandError::OutOfRange)?,
            end_height: settled.header.height.plus(life),
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
            let proven = purse.payer.pool(*id).and_then(|(_, proven)| proven);
            // What is insolvent never comes back (A5.11).
            proven.is_some_and(|(state, _)| state.window(&rules, settled) == Window::Release)
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
