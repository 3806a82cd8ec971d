//! The transfers of the load: each account sends to the next.

use antiphon_core::amount::Amount;
use antiphon_core::chain::spec::Token;
use antiphon_core::chain::transaction::{Message, SignedTransaction, Transaction};
use antiphon_core::codec::{self, Bounded, Text};
use antiphon_core::crypto::SecretKey;
use antiphon_core::id::{Address, BlockId, ChainId, Height};
use anyhow::{Context as _, Result};

use crate::network::{FEE, Network};

/// The block from which a transaction lives.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reference {
    pub(crate) height: Height,
    pub(crate) block: BlockId,
}

/// An account, to whom it sends, and its newest sequence.
#[derive(Debug)]
pub(crate) struct Sender<'a> {
    key: &'a SecretKey,
    to: Address,
    sequence: u64,
}

/// Returns all senders of the network.
pub(crate) fn senders(network: &Network) -> Vec<Sender<'_>> {
    let next = network.senders.iter().cycle().skip(1);
    let sender = |(key, next): (_, &SecretKey)| {
        let to = Address::of(&next.public());
        Sender { key, to, sequence: 0 }
    };
    network.senders.iter().zip(next).map(sender).collect()
}

/// Returns the bytes of one transfer as nodes send it.
pub(crate) fn size(network: &Network) -> Result<usize> {
    let mut sender = senders(network).into_iter().next().context("no account sends")?;
    Ok(codec::encode(&sender.next(network.chain, Reference::default())?).len())
}

impl Sender<'_> {
    /// Signs the account's next transfer.
    pub(crate) fn next(
        &mut self,
        chain: ChainId,
        reference: Reference,
    ) -> Result<SignedTransaction> {
        self.sequence += 1;
        let (token, amount) = (Token::Operational, Amount::from_units(5));
        let message = Message::Transfer { token, to: self.to, amount };
        let body = Transaction {
            sender: self.key.public().into(),
            sequence: self.sequence,
            reference_height: reference.height,
            reference_block: reference.block,
            scope: Text::try_from("")?,
            max_fee: Amount::from_units(FEE),
            cosigners: Bounded::new(),
            messages: Bounded::try_from(vec![message])?,
        };
        Ok(SignedTransaction::new(self.key, chain, body))
    }
}
