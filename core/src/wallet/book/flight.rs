//! Transactions: one on its way at a time, sent again until its sequence is proven or its life is over.

use super::{AskId, Asked, Book, BookError, MAX_QUEUE, Output, Query};
use crate::{
    chain::{
        Level,
        transaction::{LIFETIME, MAX_MESSAGES, Message, SignedTransaction, Transaction},
    },
    codec::{self, Bounded, Text},
    crypto::Signer as _,
    id::Height,
    time::Moment,
};
use alloc::{vec, vec::Vec};
use core::time::Duration;

/// How long until an unanswered submission is sent again; doubled each time, [`MAX_DOUBLINGS`] times at most. Chosen
/// here: a restarted node is back by then, and one that stays away is asked about once a minute.
const SUBMIT_PATIENCE: Duration = Duration::from_secs(3);
/// See [`SUBMIT_PATIENCE`]: 48 s.
const MAX_DOUBLINGS: u32 = 4;

/// The node's answer that it cannot tell now (`rpc/unavailable`): as good as none.
pub(super) const UNAVAILABLE: i32 = -32001;
/// Code of the trouble that the node refused a transaction.
pub(super) const TRANSACTION_REFUSED: &str = "node/transaction-refused";

/// A transaction on its way.
#[derive(Debug)]
pub(super) struct Flight {
    transaction: SignedTransaction,
    /// When it is sent again, unless an answer is awaited.
    pub(super) again_at: Option<Moment>,
    /// How often nobody answered.
    silences: u32,
    /// Whether it is made anew once its life is over, or of each message by itself once it was refused.
    again: bool,
}

impl Book {
    /// Returns whether this message waits or is on its way. Equal messages have equal bytes.
    pub(super) fn is_known(&self, message: &Message) -> bool {
        let (bytes, flight) = (codec::encode(message), self.flight.iter());
        let flying = flight.flat_map(|flight| flight.transaction.body.messages.iter());
        self.queue.iter().chain(flying).any(|known| codec::encode(known) == bytes)
    }

    /// Takes over a transaction that a book before this one has sent. It is not sent again: a node that has it already would
    /// refuse it.
    pub fn resume(&mut self, transaction: SignedTransaction) {
        if transaction.body.sender == self.key.account_key() && self.flight.is_none() {
            self.flight = Some(Flight { transaction, again_at: None, silences: 0, again: true });
        }
    }

    pub(super) fn enqueue(
        &mut self,
        now: Moment,
        message: Message,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.check_queue()?;
        self.queue.push(message);
        self.fly(now, out);
        Ok(())
    }

    pub(super) const fn check_queue(&self) -> Result<(), BookError> {
        if self.queue.len() >= MAX_QUEUE { Err(BookError::QueueFull) } else { Ok(()) }
    }

    /// Lands what is proven done, revives what died, sends what is due.
    pub(super) fn fly(&mut self, now: Moment, out: &mut Vec<Output>) {
        self.land(out);
        if let Some(flight) = &mut self.flight {
            if flight.again_at.is_some_and(|due| due <= now) {
                flight.again_at = None;
                let bytes = flight.transaction.to_bytes();
                self.submit(bytes, out);
            }
            return;
        }
        if !self.queue.is_empty() && self.can_launch() {
            let messages = self.next_messages();
            self.launch(messages, true, out);
        }
    }

    /// Returns whether there is a head to refer to and a proven sequence.
    pub(super) fn can_launch(&self) -> bool {
        self.account(Level::Included).is_some()
            && self.heads.at_least(Level::Settled).next().is_some()
    }

    /// Makes the next transaction and sends it, [`again`](Flight::again) if its life ends before it is done.
    pub(super) fn launch(&mut self, messages: Vec<Message>, again: bool, out: &mut Vec<Output>) {
        let heads = self.heads.at_least(Level::Settled);
        let Some(settled) = heads.max_by_key(|head| head.header.height) else { return };
        let (reference_height, reference_block) = (settled.header.height, settled.block);
        let Some(account) = self.account(Level::Included) else { return };
        let sequence = account.value.sequence.saturating_add(1);
        let Ok(scope) = Text::try_from("") else { return };
        let mut body = Transaction {
            sender: self.key.account_key(),
            sequence,
            reference_height,
            reference_block,
            scope,
            max_fee: self.fee,
            cosigners: Bounded::new(),
            messages: Bounded::try_from(messages).unwrap_or_default(),
        };
        // What brings signatures of others pays for each of them, and ticks where many are to be checked (T8).
        body.max_fee = body.fee(self.each).unwrap_or(self.fee);
        let transaction = SignedTransaction::new(&self.key, self.chain, body);
        let bytes = transaction.to_bytes();
        self.sent_as(&transaction);
        self.flight = Some(Flight { transaction, again_at: None, silences: 0, again });
        self.submit(bytes, out);
    }

    /// Takes the next message out of the queue; with a settlement go all others that wait, for one fee (AME-24).
    fn next_messages(&mut self) -> Vec<Message> {
        let is_one_of_many =
            |message: &Message| matches!(message, Message::Settle(_) | Message::Collect { .. });
        let is_alone = self.alone > 0 || !self.queue.first().is_some_and(is_one_of_many);
        self.alone = self.alone.saturating_sub(1);
        if is_alone {
            return vec![self.queue.remove(0)];
        }
        self.queue.extract_if(.., |message| is_one_of_many(message)).take(MAX_MESSAGES).collect()
    }

    /// The node refused: a proof can be had later, a transaction will not be taken.
    pub(super) fn refused(&mut self, now: Moment, id: AskId, code: i32, out: &mut Vec<Output>) {
        if code == UNAVAILABLE {
            self.unreachable(now, id);
            return;
        }
        match self.asked.remove(&id) {
            Some(Asked::Submission) => {
                match self.flight.take() {
                    Some(flight) if !flight.again => out.push(Output::Trouble(TRANSACTION_REFUSED)),
                    flight => {
                        let messages = flight.map(|f| f.transaction.body.messages.into_vec());
                        self.part(messages.unwrap_or_default(), out);
                    }
                }
                out.push(Output::Changed);
            }
            Some(Asked::Faucet) => out.push(Output::Trouble("node/faucet-refused")),
            Some(Asked::Proofs { level: Level::Included, .. }) | None => {}
            Some(Asked::Proofs { .. }) => out.push(Output::Trouble("node/proof-refused")),
        }
    }

    /// The node did not answer: proofs and the faucet are asked again at the next head, a transaction after a while.
    pub(super) fn unreachable(&mut self, now: Moment, id: AskId) {
        match self.asked.remove(&id) {
            Some(Asked::Submission) => {
                if let Some(flight) = &mut self.flight {
                    let factor = 2_u32.saturating_pow(flight.silences.min(MAX_DOUBLINGS));
                    flight.again_at = Some(now.after(SUBMIT_PATIENCE.saturating_mul(factor)));
                    flight.silences = flight.silences.saturating_add(1);
                }
            }
            Some(Asked::Faucet) => self.is_gift_lost = true,
            Some(Asked::Proofs { .. }) | None => {}
        }
    }

    /// One of several messages was refused, and so all were: each is sent by itself now.
    fn part(&mut self, messages: Vec<Message>, out: &mut Vec<Output>) {
        if messages.len() > 1 {
            self.alone = messages.len();
            self.queue.splice(0..0, messages);
        } else {
            self.lose(messages.into_iter().next(), out);
        }
    }

    /// What was asked for will not happen. Who opened a pool must know which; the rest is told once.
    fn lose(&mut self, message: Option<Message>, out: &mut Vec<Output>) {
        match message {
            Some(Message::CreatePool(terms)) => {
                out.push(Output::PoolRefused(terms.id(self.chain), TRANSACTION_REFUSED));
                return;
            }
            Some(Message::Settle(promise)) => {
                let (pool, cum) = (promise.voucher.body.pool, promise.worth().unwrap_or_default());
                self.settlements.retain(|s| (s.pool, s.cum) != (pool, cum) || s.level.is_some());
            }
            Some(transfer @ Message::Transfer { .. }) => {
                self.sent_in_vain(&transfer, TRANSACTION_REFUSED);
            }
            Some(
                Message::Exchange(_)
                | Message::Delay(_)
                | Message::Cancel(_)
                | Message::Release(_)
                | Message::Field(_)
                | Message::Report(_)
                | Message::Collect { .. }
                | Message::Register(_)
                | Message::Bond { .. }
                | Message::Unbond { .. }
                | Message::Withdraw { .. }
                | Message::Rejoin
                | Message::Accuse { .. },
            )
            | None => {}
        }
        out.push(Output::Trouble(TRANSACTION_REFUSED));
    }

    /// Forgets the flight once its sequence is proven used, or revives its messages once its life is over.
    fn land(&mut self, out: &mut Vec<Output>) {
        let Some(flight) = &self.flight else { return };
        let body = &flight.transaction.body;
        let used = |level| self.account(level).map_or(0, |shown| shown.value.sequence);
        if used(Level::Included) >= body.sequence {
            let height = self.account(Level::Included).map(|shown| shown.height);
            self.landed_at = height.unwrap_or_default();
            self.flight = None;
            out.push(Output::Changed);
            return;
        }
        let proven_to = self.account(Level::Settled).map_or(Height(0), |shown| shown.height);
        if proven_to > body.reference_height.plus(LIFETIME) && used(Level::Settled) < body.sequence
        {
            let (id, messages, again) = (body.id(self.chain), body.messages.to_vec(), flight.again);
            self.flight = None;
            self.unsent(id);
            if again {
                self.queue.splice(0..0, messages);
            }
            out.push(Output::Trouble("wallet/transaction-expired"));
        }
    }

    fn submit(&mut self, bytes: Vec<u8>, out: &mut Vec<Output>) {
        let id = self.next_ask();
        self.asked.insert(id, Asked::Submission);
        out.push(Output::Ask(id, Query::Submit(bytes)));
    }
}
