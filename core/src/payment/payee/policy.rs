//! What a payee risks.

use crate::amount::Amount;
use core::time::Duration;

/// What a payee risks. Its own choice, not the chain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayeePolicy {
    /// `e_max`: most that may be promised and not yet paid, a pool. All that a cheating creator can take (A5.15).
    pub max_exposure: Amount,
    /// Exposure at which a settlement is ordered, at most `max_exposure`: room to go on serving meanwhile.
    pub settle_at: Amount,
    /// `X`: exposure above which the pool must be proven under a final header (A5.14).
    pub final_above: Amount,
    /// What a settlement without ticks costs; less than a settlement costs is not worth one.
    pub fee: Amount,
    /// Chunks that a peer gets before its first voucher.
    pub free_chunks: u32,
    /// Chunks that a paying peer may be behind.
    pub unpaid_chunks: u32,
    /// Blocks from one pay day to the next: then everything that is owed and worth its fee is settled, by as few
    /// transactions as possible (AME-24). `None`: only when one of the other rules asks for it.
    pub settle_every: Option<u64>,
    /// Ticks that may be counted and not yet written: what a crash may cost, at most. The newest is written with every
    /// block, too.
    pub unsaved_ticks: u32,
    /// How long a settled tip may stay the same before the chain counts as withheld.
    pub tip_patience: Duration,
}

impl PayeePolicy {
    /// Returns the defaults for a price a chunk and a settlement fee. Chosen here, for 16 KiB chunks of 128 kbit/s
    /// audio, about one a second: a quarter of an hour at risk, settled at half of that, final after a minute.
    pub fn for_price(price: Amount, fee: Amount) -> Self {
        let chunks = |count| price.checked_mul(count).unwrap_or(Amount::from_units(u128::MAX));
        Self {
            max_exposure: chunks(1024),
            settle_at: chunks(512),
            final_above: chunks(64),
            fee,
            free_chunks: 4,
            unpaid_chunks: 8,
            settle_every: None,
            unsaved_ticks: 64,
            tip_patience: Duration::from_secs(30),
        }
    }
}
