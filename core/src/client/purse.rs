//! Makes the money machines of one key, from what was stored.

use super::{Client, Now, Output, Purse};
use crate::{
    chain::Level,
    id::PoolId,
    payment::{
        gift::{GiftPolicy, Gifts},
        member::{MemberConfig, MemberPolicy, Membership},
        payee::{Payee, PayeePolicy},
        payer::Payer,
    },
    wallet::book::{Book, Interest},
};
use alloc::vec::Vec;

impl Purse {
    /// Returns what a pool is to us: what we own or were promised is money, what others name may not even exist.
    pub(super) fn interest(&self, pool: PoolId) -> Option<Interest> {
        interest(&self.payer, self.payee.as_ref(), &self.gifts, pool)
    }

    /// Lets the book watch what matters, and nothing else.
    pub(super) fn review(&mut self) {
        let Self { book, payer, payee, gifts, .. } = self;
        book.review(|pool| interest(payer, payee.as_ref(), gifts, pool));
    }
}

fn interest(payer: &Payer, payee: Option<&Payee>, gifts: &Gifts, pool: PoolId) -> Option<Interest> {
    let is_ours = payer.has(pool) || gifts.holds(pool) || payee.is_some_and(|p| p.holds(pool));
    let is_named = || gifts.is_offered(pool) || payee.is_some_and(|p| p.is_offered(pool));
    match is_ours {
        true => Some(Interest::Ours),
        false => is_named().then_some(Interest::Named),
    }
}

impl Client {
    /// Makes the money machines once the chain's spec is known, and the payee once a price is.
    pub(super) fn open_purse(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(spec) = self.light.spec() else { return };
        let (chain, rules, fee, key) = (self.config.chain, spec.pool, spec.fee, &self.config.key);
        if self.purse.is_none() {
            let Some(device) = self.device else { return };
            let rows = self.stored.iter().filter(|(name, _)| Payer::owns(name)).cloned();
            let payer = Payer::new(chain, key.clone(), device, rules, rows);
            let mut book = Book::new(key.clone(), spec);
            if let Some(transaction) = self.flight.take() {
                book.resume(*transaction);
            }
            let mut lifted = Vec::new();
            for (pool, _) in payer.pools() {
                book.watch(pool, Interest::Ours, &mut lifted);
            }
            let rows = self.stored.iter().filter(|(name, _)| Membership::owns(name)).cloned();
            let fields = MemberConfig {
                chain,
                key: key.clone(),
                device,
                rules: spec.field,
                fee,
                policy: MemberPolicy::for_chain(rules.inclusion_margin),
            };
            let fields = Membership::new(fields, rows);
            if !fields.lost().is_empty() {
                self.trouble("member/rows-lost", out);
            }
            let rows = self.stored.iter().filter(|(name, _)| Gifts::owns(name)).cloned();
            let policy = GiftPolicy::for_fee(fee);
            let mut gifts = Gifts::new(chain, book.address(), rules, policy, rows);
            for pool in gifts.pools() {
                book.watch(pool, Interest::Ours, &mut lifted);
            }
            for (terms, _) in payer.pools().filter_map(|(pool, _)| payer.pool(pool)) {
                // There are no more pools than places for gifts.
                let _ = gifts.give(terms);
            }
            self.purse = Some(Purse { book, payer, payee: None, fields, gifts });
            self.lift_book(now, lifted, out);
            self.changed = true;
        }
        let Some(stream) = &self.stream else { return };
        let Some(purse) = self.purse.as_mut().filter(|purse| purse.payee.is_none()) else { return };
        let policy = PayeePolicy::for_price(stream.info.price, fee);
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
}
