//! Pays a payee ahead that remembers a debt which we forgot.
//!
//! A chunk that was verified and not yet paid is known to this life alone, and one that was lost with its link only to who sent
//! it. The payee counts both, by key, and refuses for good at its limit. One price brings it below, and it serves again. One
//! that cheats gains one price, as A5.15 allows, and then one more for every [`CHUNKS_AHEAD`] chunks that it sold.
//!
//! Who was only just paid may not have proven the pool yet: it is given time to.

use super::{Client, Now, Output};
use crate::{
    amount::Amount,
    id::{Address, PeerId},
    table::Table,
    time::Moment,
};
use alloc::vec::Vec;
use core::time::Duration;

/// Chunks that a payee sells before another price is paid ahead. Chosen here: what a payee lets be unpaid.
const CHUNKS_AHEAD: u64 = 8;

/// How long a payee must have refused, with nothing paid to it or sold by it meanwhile. Chosen here: a pool is proven to it within.
const PATIENCE: Duration = Duration::from_secs(15);

/// Payees whose dealings are counted; more are paid nothing ahead. Chosen here: beyond the peers that a swarm meets in an hour.
const MAX_DEALINGS: usize = 1024;

/// Payees that refuse, and have sold nothing in this life, to whom something may be paid ahead. Chosen here: names cost nothing, and
/// many of them shall neither gain a price each nor fill the table.
const MAX_STRANGERS: u32 = 16;

/// What each payee sold in this life, and what it got ahead.
#[derive(Debug, Default)]
pub(super) struct Dealings {
    of: Table<Address, Dealing>,
    /// How many of them came by a refusal.
    strangers: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Dealing {
    chunks: u64,
    ahead: u64,
    /// The first refusal since the last chunk or payment.
    refused_since: Option<Moment>,
}

impl Dealings {
    pub(super) fn count_chunk(&mut self, payee: Address) {
        let has_room = self.of.len() < MAX_DEALINGS || self.of.contains_key(&payee);
        if has_room {
            let dealing = self.of.entry(payee).or_default();
            dealing.chunks = dealing.chunks.saturating_add(1);
            dealing.refused_since = None;
        }
    }

    pub(super) fn note_paid(&mut self, payee: Address) {
        if let Some(dealing) = self.of.get_mut(&payee) {
            dealing.refused_since = None;
        }
    }

    /// Notes a refusal. Returns whether a price may be paid ahead now, and counts it.
    fn take_ahead(&mut self, now: Moment, payee: Address) -> bool {
        if !self.of.contains_key(&payee) {
            if self.strangers >= MAX_STRANGERS || self.of.len() >= MAX_DEALINGS {
                return false;
            }
            self.strangers = self.strangers.saturating_add(1);
        }
        let dealing = self.of.entry(payee).or_default();
        let since = *dealing.refused_since.get_or_insert(now);
        let is_earned = dealing.ahead.saturating_mul(CHUNKS_AHEAD) <= dealing.chunks;
        let is_due = is_earned && since.after(PATIENCE) <= now;
        if is_due {
            dealing.ahead = dealing.ahead.saturating_add(1);
        }
        is_due
    }
}

impl Client {
    /// A peer refuses for want of credit. If all that we know of is paid and sent, there is something that we do not know of.
    pub(super) fn refused_for_credit(&mut self, now: Now, peer: PeerId, out: &mut Vec<Output>) {
        let price = self.stream.as_ref().map_or(Amount::ZERO, |stream| stream.info.price);
        let Some(entry) = self.peers.get(&peer) else { return };
        let is_sent = entry.voucher.is_none() && entry.tick.is_none();
        let Some(payee) = entry.payee.filter(|_| is_sent && !price.is_zero()) else { return };
        let owes = self.debts.contains_key(&payee);
        if !owes && self.paying_pool().is_some() && self.dealings.take_ahead(now.at, payee) {
            self.add_debt(payee, price);
            self.pay_debts(now, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_names_that_only_refuse_gain_a_few_prices_and_keep_nobody_from_the_table() {
        let mut dealings = Dealings::default();
        let at = |seconds| Moment::ZERO.after(Duration::from_secs(seconds));
        let name = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let mut bytes = [9; 20];
            (bytes[0], bytes[1]) = (high, low);
            Address(bytes)
        };
        let mut paid = 0;
        for number in 0..5000 {
            dealings.take_ahead(at(0), name(number));
            paid += u32::from(dealings.take_ahead(at(60), name(number)));
        }
        assert_eq!(paid, MAX_STRANGERS);
        let honest = name(6000);
        dealings.count_chunk(honest);
        assert!(!dealings.take_ahead(at(60), honest));
        assert!(dealings.take_ahead(at(75), honest), "who sold something is served");
    }
}
