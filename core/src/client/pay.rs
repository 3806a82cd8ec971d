//! Pays peers for their chunks, from the pool of the stream that plays.

use super::{Client, Now, Output, neighbours::Peer};
use crate::{
    amount::Amount,
    codec::{self, Bounded},
    crypto::Signed,
    delivery::chunk::ChunkId,
    id::{Address, PeerId, PoolId},
    payment::{
        payer::{Paid, PayError},
        voucher::Voucher,
    },
    peer::frames::{Frame, Request},
    time::Moment,
};
use alloc::vec::Vec;
use core::time::Duration;

/// How long a payment waits for something to ride on: a request, a chunk, news. Chosen here: shorter than a chunk of audio lasts.
const PAYMENT_PATIENCE: Duration = Duration::from_millis(150);

/// A question that is older is answered too late to say how near a peer is. Chosen here: far above any round trip.
const PROBE_PATIENCE: Duration = Duration::from_secs(5);

/// Payees that are owed something. Chosen here: beyond the peers that a swarm meets in an hour.
const MAX_DEBTS: usize = 1024;

impl Client {
    /// Owes a peer for one verified chunk, and pays if there is a pool to pay from.
    pub(super) fn owe(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let price = self.stream.as_ref().map_or(Amount::ZERO, |stream| stream.info.price);
        let payee = self.peers.get(&peer).and_then(|peer| peer.payee);
        let Some(target) = payee.filter(|_| !price.is_zero()) else { return };
        self.dealings.count_chunk(target);
        self.add_debt(target, price);
        self.pay_debts(now, out);
    }

    /// The debt is the payee's, not the link's: it outlives a link that breaks.
    pub(super) fn add_debt(&mut self, target: Address, price: Amount) {
        if self.debts.len() >= MAX_DEBTS && !self.debts.contains_key(&target) {
            self.debts.pop_first();
        }
        let debt = self.debts.entry(target).or_default();
        *debt = debt.checked_add(price).unwrap_or(*debt);
    }

    /// Tells every linked peer which pool pays, and pays every debt that it covers. A voucher does not name its pool, so none
    /// leaves before.
    pub(super) fn pay_debts(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(pool) = self.paying_pool() else { return };
        // What is promised from another one leaves before anybody hears of this one.
        if self.purse.as_ref().is_some_and(|purse| purse.payer.is_writing_of_another(pool)) {
            return;
        }
        self.tell_pool(now, pool, out);
        for (target, debt) in self.debts.clone() {
            match self.pay_debt(now, (pool, target, debt), out) {
                Ok(paid) => self.note_paid(now, (target, debt), paid),
                Err(error) => self.trouble(error.code(), out),
            }
        }
    }

    /// Pays a payee: by ticks, if it takes them.
    fn pay_debt(
        &mut self,
        now: Now,
        (pool, target, debt): (PoolId, Address, Amount),
        out: &mut Vec<Output>,
    ) -> Result<Paid, PayError> {
        let price = self.stream.as_ref().map_or(Amount::ZERO, |stream| stream.info.price);
        let takes_ticks = self.payees(target).any(|peer| peer.takes_ticks);
        let Some(purse) = &mut self.purse else { return Ok(Paid::default()) };
        let mut lifted = Vec::new();
        let paid = if takes_ticks {
            purse.payer.pay_chunks(pool, target, (price, debt), &mut lifted)
        } else {
            let paid = purse.payer.pay(pool, target, debt, &mut lifted);
            paid.map(|_| Paid { amount: debt, tick: None })
        };
        self.lift_payer(now, lifted, out);
        paid
    }

    fn note_paid(&mut self, now: Now, (target, debt): (Address, Amount), paid: Paid) {
        let left = debt.saturating_sub(paid.amount);
        if !paid.amount.is_zero() {
            self.dealings.note_paid(target);
        }
        if left.is_zero() {
            self.debts.remove(&target);
        } else {
            self.debts.insert(target, left);
        }
        for peer in self.payees(target) {
            peer.paid = peer.paid.checked_add(paid.amount).unwrap_or(peer.paid);
            if paid.tick.is_some() {
                peer.tick = paid.tick;
                peer.payment_due.get_or_insert(now.at.after(PAYMENT_PATIENCE));
            }
        }
    }

    /// A voucher may be given to its payee.
    pub(super) fn voucher_made(&mut self, now: Now, target: Address, voucher: &Signed<Voucher>) {
        let bytes = Bounded::try_from(codec::encode(&voucher.to_compact()));
        for peer in self.payees(target) {
            // It is worth more than every tick of the one before.
            (peer.voucher, peer.tick) = (bytes.clone().ok(), None);
            peer.payment_due.get_or_insert(now.at.after(PAYMENT_PATIENCE));
        }
    }

    /// A peer that came back gets the newest voucher and tick again: it may have missed the last.
    pub(super) fn renew_payment(&mut self, now: Now, peer: PeerId) {
        let (Some(entry), Some(purse)) = (self.peers.get_mut(&peer), &self.purse) else { return };
        let Some((pool, target)) = entry.pool.zip(entry.payee) else { return };
        if let Some(voucher) = purse.payer.latest(pool, target) {
            entry.voucher = codec::encode(&voucher.to_compact()).try_into().ok();
            entry.tick = purse.payer.latest_tick(pool, target);
            entry.payment_due = Some(now.at);
        }
    }

    /// Asks a peer for a chunk. What it is to be paid goes with the request, or before it.
    pub(super) fn ask_peer(&mut self, now: Now, peer: PeerId, id: ChunkId, out: &mut Vec<Output>) {
        let is_ticking = self.peers.get(&peer).is_some_and(|entry| entry.tick.is_some());
        if is_ticking {
            self.send_payment(now, peer, out);
        }
        let entry = self.peers.get_mut(&peer);
        let voucher = entry.and_then(|entry| {
            entry.payment_due = None;
            if entry.probe.is_none_or(|(_, since)| since.after(PROBE_PATIENCE) <= now.at) {
                entry.probe = Some((id, now.at));
            }
            entry.voucher.take()
        });
        self.send(now, peer, Frame::Request(Request { id, voucher }), out);
    }

    /// Sends what a peer is to be paid: a tick is of the voucher that was sent before it.
    pub(super) fn send_payment(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let Some(entry) = self.peers.get_mut(&peer) else { return };
        entry.payment_due = None;
        let (voucher, tick) = (entry.voucher.take(), entry.tick.take());
        if let Some(voucher) = voucher {
            self.send(now, peer, Frame::Voucher(voucher), out);
        }
        if let Some(tick) = tick {
            self.send(now, peer, Frame::Tick(tick), out);
        }
    }

    fn payees(&mut self, target: Address) -> impl Iterator<Item = &mut Peer> {
        self.peers.values_mut().filter(move |peer| peer.payee == Some(target))
    }

    /// Returns the pool that pays for this stream: proven, not frozen, far enough from its end if there is such a one, the one that
    /// peers were told of while it covers what is owed, else the one with most left.
    pub(super) fn paying_pool(&self) -> Option<PoolId> {
        let (purse, stream) = (self.purse.as_ref()?, self.stream.as_ref()?);
        let usable =
            purse.payer.pools().filter(|(_, freeze)| freeze.is_none()).filter_map(|(id, _)| {
                let (terms, proven) = purse.payer.pool(id)?;
                proven.filter(|_| terms.resource == stream.id && terms.only.is_none())?;
                let left = terms.deposit.saturating_sub(purse.payer.agreed(id));
                // Near its end it is the last choice, and taken where there is no other: so it is said why nothing is paid.
                let is_over = purse.payer.is_too_near(terms.end_height);
                Some((if is_over { left.min(Amount::from_units(1)) } else { left }, id))
            });
        let owed = self.debts.values().max().copied().unwrap_or_default().max(stream.info.price);
        let told = |id: &PoolId| self.peers.values().any(|peer| peer.pool == Some(*id));
        let usable = usable.filter(|(left, _)| !left.is_zero());
        usable.max_by_key(|(left, id)| (told(id) && *left >= owed, *left, *id)).map(|(_, id)| id)
    }

    fn tell_pool(&mut self, now: Now, pool: PoolId, out: &mut Vec<Output>) {
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
    }

    /// Tells the payee what a peer is served and at what price.
    pub(super) fn set_terms(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        let (Some(purse), Some(stream)) = (&mut self.purse, &self.stream) else { return };
        let Some(payee) = &mut purse.payee else { return };
        if let Err(error) = payee.set_terms(peer, stream.id, stream.info.price) {
            self.trouble(error.code(), out);
        }
    }

    /// Sends the payments that found nothing to ride on.
    pub(super) fn flush_payments(&mut self, now: Now, out: &mut Vec<Output>) {
        let due: Vec<_> = (self.peers.iter())
            .filter(|(_, peer)| peer.payment_due.is_some_and(|due| due <= now.at))
            .map(|(id, _)| *id)
            .collect();
        for peer in due {
            self.send_payment(now, peer, out);
        }
    }

    pub(super) fn payment_deadline(&self) -> Option<Moment> {
        self.peers.values().filter_map(|peer| peer.payment_due).min()
    }
}
