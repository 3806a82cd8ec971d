//! Transfers that were asked for, and how far the chain is proven to have done them.

use super::Book;
use crate::{
    amount::Amount,
    chain::{
        Level,
        spec::Token,
        transaction::{Message, SignedTransaction},
    },
    id::{Address, TxId},
};

/// Transfers remembered for the application. Chosen here: as settlements.
pub const MAX_SENT: usize = super::MAX_SETTLEMENTS;

/// A transfer that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Which token.
    pub token: Token,
    /// To whom.
    pub to: Address,
    /// How much.
    pub amount: Amount,
    /// The transaction that does it, once there is one; another one when its life was over.
    pub id: Option<TxId>,
    /// The sequence of that transaction.
    sequence: Option<u64>,
    /// Why it will not happen, by stable code.
    pub refusal: Option<&'static str>,
}

impl Sent {
    pub(super) const fn new(token: Token, to: Address, amount: Amount) -> Self {
        Self { token, to, amount, id: None, sequence: None, refusal: None }
    }

    fn is(&self, message: &Message) -> bool {
        matches!(message, Message::Transfer { token, to, amount }
            if (*token, *to, *amount) == (self.token, self.to, self.amount))
    }
}

impl Book {
    /// Returns the transfers that were asked for, oldest first, each with how far the account's proven sequence shows it done.
    pub fn sent(&self) -> impl Iterator<Item = (&Sent, Option<Level>)> {
        self.sent.iter().map(|sent| (sent, sent.sequence.and_then(|number| self.done_to(number))))
    }

    /// How far a transaction of this sequence is proven to have happened: this one, as long as no other device signs with the
    /// same key. The proof does not say which took the place.
    fn done_to(&self, sequence: u64) -> Option<Level> {
        let is_done = |level: &Level| {
            self.account(*level).is_some_and(|shown| shown.value.sequence >= sequence)
        };
        Level::ALL.into_iter().filter(is_done).max()
    }

    pub(super) fn remember(&mut self, sent: Sent) {
        if self.sent.len() >= MAX_SENT {
            self.sent.remove(0);
        }
        self.sent.push(sent);
    }

    /// A transaction was made of the oldest that waits for one.
    pub(super) fn sent_as(&mut self, transaction: &SignedTransaction) {
        let body = &transaction.body;
        for message in body.messages.iter() {
            let waits = |sent: &&mut Sent| sent.id.is_none() && sent.refusal.is_none();
            let mut waiting = self.sent.iter_mut().filter(waits);
            if let Some(sent) = waiting.find(|sent| sent.is(message)) {
                sent.id = Some(body.id(self.chain));
                sent.sequence = Some(body.sequence);
            }
        }
    }

    /// The life of a transaction is over: what it was to do waits for another one.
    pub(super) fn unsent(&mut self, id: TxId) {
        for sent in self.sent.iter_mut().filter(|sent| sent.id == Some(id)) {
            (sent.id, sent.sequence) = (None, None);
        }
    }

    /// The node refused this transfer for good.
    pub(super) fn sent_in_vain(&mut self, message: &Message, code: &'static str) {
        let is_open = |sent: &&mut Sent| sent.refusal.is_none() && sent.is(message);
        // One transaction is on its way at a time, so it is the newest that has an id.
        let refused = self.sent.iter_mut().filter(is_open).filter(|sent| sent.id.is_some());
        if let Some(sent) = refused.last() {
            sent.refusal = Some(code);
        }
    }
}
