//! Which pools an account has opened, by reading blocks from the settled head down.
//!
//! ```text
//! head --account's sequence, proven--> how many transactions there are to be found
//!   '--parent--> block --parent--> block ...        each hangs on the one above, its transactions on its own root
//! ```
//!
//! The chain keeps no list of an account's pools, and nobody else's is believed. All are found once as many
//! transactions were seen as the account is proven to have sent; what nobody serves any more ends the way before.

use super::{Halt, LookupError, PoolsFound, Running, header::at_head, state::value};
use crate::{
    chain::{
        Level,
        header::Header,
        light::{File, Light},
        state::{Account, StateKey},
        transaction::{Message, SignedTransaction},
    },
    id::{Address, Height, PoolId},
    payment::reservation::PoolTerms,
};
use alloc::{vec, vec::Vec};

/// Blocks that one look-up reads. Chosen here: a day of one-second blocks, twice what a pool lives at most by default.
const MAX_READ: u64 = 86_400;
/// Pools that one look-up names. Chosen here: far more than one key may have open.
const MAX_OPENED: usize = 1024;

/// How far blocks were read.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The block that is read next; `None` before the first.
    at: Option<Header>,
    /// Transactions of the account so far.
    sent: u64,
    opened: Vec<(PoolId, PoolTerms)>,
}

impl Running {
    pub(super) fn pools_of(&mut self, light: &Light, address: Address) -> Result<PoolsFound, Halt> {
        let head = self.head(Level::Settled)?;
        let key = StateKey::account(self.base.state_chain, &address);
        let account: Option<Account> = value(self.prove(&head, vec![key])?.first())?;
        let wanted = account.unwrap_or_default().sequence;
        let lowest = head.header.height.0.saturating_sub(MAX_READ);
        let mut is_read = false;
        while !is_read && self.walk.sent < wanted && self.walk.opened.len() < MAX_OPENED {
            let at = self.walk.at.get_or_insert_with(|| head.header.clone()).clone();
            let below = match self.below(&at) {
                Ok(below) => below,
                Err(Halt::Lost(LookupError::Missing)) => None,
                Err(halt) => return Err(halt),
            };
            let Some(sent) = self.transactions(&at)? else {
                if at.height == head.header.height {
                    // The newest block is served a moment later: nothing is found yet, and it is asked again.
                    return Err(LookupError::Missing.into());
                }
                break;
            };
            self.note(&sent, address);
            self.facts.forget(&at);
            is_read = below.as_ref().is_none_or(|below| below.height.0 <= lowest);
            // Where nothing is to be had below, this was the last.
            let height = Height(at.height.0.saturating_sub(1));
            self.walk.at = Some(below.unwrap_or(Header { height, ..at }));
        }
        let next = self.walk.at.as_ref().map_or(head.header.height, |at| at.height);
        Ok(PoolsFound {
            proven: at_head(light, &head),
            from: next.plus(1),
            is_whole: self.walk.sent >= wanted,
            pools: core::mem::take(&mut self.walk.opened),
        })
    }

    /// Returns the header below; `None` below the first block.
    fn below(&self, header: &Header) -> Result<Option<Header>, Halt> {
        if header.height.0 <= 1 {
            return Ok(None);
        }
        if self.base.is_checkpoint(header.height) {
            self.facts.span(header.id())?;
        }
        self.facts.below(header, header.parent).map(Some)
    }

    fn note(&mut self, sent: &[SignedTransaction], address: Address) {
        for transaction in sent.iter().filter(|sent| sent.body.sender.address() == address) {
            self.walk.sent = self.walk.sent.saturating_add(1);
            for message in transaction.body.messages.iter() {
                let Message::CreatePool(terms) = message else { continue };
                if Address::of(&terms.creator) == address {
                    self.walk.opened.push((terms.id(self.base.chain), terms.clone()));
                }
            }
        }
    }
}

impl super::Facts {
    /// Drops what was read: the way is longer than all that may be kept.
    fn forget(&mut self, header: &Header) {
        let id = header.id();
        self.headers.remove(&id);
        for file in [File::Header(id), File::Span(id), File::Body(id)] {
            self.files.remove(&file);
        }
    }
}
