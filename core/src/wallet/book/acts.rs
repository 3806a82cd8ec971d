//! What the owner asks of the chain: each is checked against the proven balance and waits for its turn.

use super::{
    Asked, Book, BookError, Interest, MAX_QUEUE, MAX_SETTLEMENTS, Output, Query, Sent, Settlement,
};
use crate::{
    amount::Amount,
    chain::{
        Level,
        spec::Token,
        transaction::{Message, Registration},
    },
    id::{Address, PoolId},
    payment::{
        reservation::{PoolStatus, PoolTerms},
        voucher::Promise,
    },
    time::Moment,
};
use alloc::{boxed::Box, vec, vec::Vec};

impl Book {
    /// Asks a dev chain's faucet for operational tokens.
    pub fn ask_faucet(&mut self, out: &mut Vec<Output>) {
        let id = self.next_ask();
        let account = self.account(Level::Included).map(|shown| shown.value.clone());
        self.gift_before = Some(account.unwrap_or_default().balance(Token::Operational));
        self.asked.insert(id, Asked::Faucet);
        out.push(Output::Ask(id, Query::Faucet(self.address)));
    }

    /// Sends tokens.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn transfer(
        &mut self,
        now: Moment,
        token: Token,
        to: Address,
        amount: Amount,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        let fee = if token == Token::Operational { self.fee } else { Amount::ZERO };
        self.check_funds(token, amount.checked_add(fee))?;
        self.check_queue()?;
        self.remember(Sent::new(token, to, amount));
        self.enqueue(now, Message::Transfer { token, to, amount }, out)
    }

    /// Sends everything that the account holds in both tokens, less the fee, in one transaction (AME-69). What is bonded, delayed
    /// or locked in pools and fields stays. It is not made anew should its life end: there may be something else then.
    ///
    /// # Errors
    /// [`BookError`]; [`BookError::QueueFull`] while another transaction waits.
    pub fn send_all(
        &mut self,
        now: Moment,
        to: Address,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.fly(now, out);
        if self.is_busy() {
            return Err(BookError::QueueFull);
        }
        let account = self.account(Level::Included).filter(|_| self.can_launch());
        let account = account.ok_or(BookError::NotReady)?.value.clone();
        self.check_funds(Token::Operational, Some(self.fee))?;
        let rest = account.balance(Token::Operational).saturating_sub(self.fee);
        let all = [(Token::Staking, account.balance(Token::Staking)), (Token::Operational, rest)];
        let all = all.into_iter().filter(|(_, amount)| !amount.is_zero());
        let messages: Vec<_> =
            all.map(|(token, amount)| Message::Transfer { token, to, amount }).collect();
        if messages.is_empty() {
            let balance = account.balance(Token::Operational);
            let needed = self.fee.checked_add(Amount::from_units(1)).unwrap_or(self.fee);
            return Err(BookError::Insufficient { needed, balance });
        }
        self.launch(messages, false, out);
        Ok(())
    }

    /// Registers as a staker with a first bond of one's own (A2.11).
    ///
    /// # Errors
    /// [`BookError`].
    pub fn register(
        &mut self,
        now: Moment,
        registration: Registration,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.check_funds(Token::Staking, Some(registration.bond))?;
        self.order(now, Message::Register(Box::new(registration)), out)
    }

    /// Says that one's validator is back after it was silent for too long (ALZA-11).
    ///
    /// # Errors
    /// [`BookError`].
    pub fn rejoin(&mut self, now: Moment, out: &mut Vec<Output>) -> Result<(), BookError> {
        self.order(now, Message::Rejoin, out)
    }

    /// Bonds staking tokens with a staker: a delegation, or one's own bond (ALZA-12).
    ///
    /// # Errors
    /// [`BookError`].
    pub fn bond(
        &mut self,
        now: Moment,
        staker: Address,
        amount: Amount,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.check_funds(Token::Staking, Some(amount))?;
        self.order(now, Message::Bond { staker, amount }, out)
    }

    /// Lets a part of a bond leave; it can be withdrawn after the unbonding time (A4.4).
    ///
    /// # Errors
    /// [`BookError`].
    pub fn unbond(
        &mut self,
        now: Moment,
        staker: Address,
        amount: Amount,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.order(now, Message::Unbond { staker, amount }, out)
    }

    /// Takes what has left a bond, and rewards (ALZA-15).
    ///
    /// # Errors
    /// [`BookError`].
    pub fn withdraw(
        &mut self,
        now: Moment,
        staker: Address,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.order(now, Message::Withdraw { staker }, out)
    }

    /// Orders what costs nothing but the fee.
    fn order(
        &mut self,
        now: Moment,
        message: Message,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.check_funds(Token::Operational, Some(self.fee))?;
        self.enqueue(now, message, out)
    }

    /// Opens a pool.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn create_pool(
        &mut self,
        now: Moment,
        terms: PoolTerms,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.check_pool(&terms)?;
        self.watch(terms.id(self.chain), Interest::Ours, out);
        self.enqueue(now, Message::CreatePool(terms), out)
    }

    /// Checks that the proven balance covers a pool and its fee.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn check_pool(&self, terms: &PoolTerms) -> Result<(), BookError> {
        let locked = terms.deposit.checked_add(terms.collateral);
        self.check_funds(Token::Operational, locked.and_then(|sum| sum.checked_add(self.fee)))
    }

    /// Takes a promise to the chain, to be paid or to be claimed of an insolvent pool. One of the same pool that still waits
    /// is replaced.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn settle(
        &mut self,
        now: Moment,
        promise: Promise,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.settle_all(now, vec![promise], out)
    }

    /// Takes several promises to the chain, in as few transactions as possible (AME-24).
    ///
    /// # Errors
    /// [`BookError`] of the first that is refused; the others go nevertheless.
    pub fn settle_all(
        &mut self,
        now: Moment,
        promises: Vec<Promise>,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        let each = promises.into_iter().map(|promise| self.queue_settlement(promise, out));
        let queued = each.fold(Ok(()), Result::and);
        self.fly(now, out);
        queued
    }

    fn queue_settlement(
        &mut self,
        promise: Promise,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        let pool = promise.voucher.body.pool;
        let cum = promise.worth().unwrap_or_default();
        let proof = self.pool(pool, Level::Included);
        let paid = proof.map_or(Amount::ZERO, |proof| proof.paid.cum);
        let state = proof.and_then(|proof| proof.state.as_ref());
        let fee = promise.fee(self.fee);
        let is_claim = state.is_some_and(|s| matches!(s.status, PoolStatus::Insolvent(_)));
        // The fee is taken last, so what is settled may pay it. A claim brings nothing yet.
        let gain = if is_claim { Amount::ZERO } else { cum.saturating_sub(paid) };
        let account = self.account(Level::Included).ok_or(BookError::NotReady)?;
        let gained = account.value.balance(Token::Operational).checked_add(gain);
        if let Some(balance) = gained.filter(|sum| *sum < fee) {
            return Err(BookError::Insufficient { needed: fee, balance });
        }
        if self.settlements.iter().any(|known| (known.pool, known.cum) == (pool, cum)) {
            return Ok(());
        }
        self.watch(pool, Interest::Ours, out);
        let waits = |message: &Message| matches!(message, Message::Settle(waiting) if waiting.voucher.body.pool == pool);
        if let Some(place) = self.queue.iter().position(waits) {
            self.queue.remove(place);
            self.settlements.retain(|known| known.pool != pool || known.level.is_some());
        }
        if self.queue.len() >= MAX_QUEUE {
            return Err(BookError::QueueFull);
        }
        if !is_claim {
            if self.settlements.len() >= MAX_SETTLEMENTS {
                self.settlements.remove(0);
            }
            let before = self.settlements.iter().filter(|s| s.pool == pool).map(|s| s.cum).max();
            let gain = cum.saturating_sub(before.unwrap_or_default().max(paid));
            let (level, height, root) = (None, None, None);
            self.settlements.push(Settlement { pool, cum, gain, level, height, root });
        }
        self.queue.push(Message::Settle(Box::new(promise)));
        Ok(())
    }

    /// Collects this key's share of an insolvent pool (A5.11).
    ///
    /// # Errors
    /// [`BookError`].
    pub fn collect(
        &mut self,
        now: Moment,
        pool: PoolId,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.watch(pool, Interest::Ours, out);
        let message = Message::Collect { pool, target: self.address };
        if self.is_known(&message) {
            return Ok(());
        }
        self.enqueue(now, message, out)
    }

    /// Gives an ended pool's remainder back to its creator.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn release(
        &mut self,
        now: Moment,
        pool: PoolId,
        out: &mut Vec<Output>,
    ) -> Result<(), BookError> {
        self.watch(pool, Interest::Ours, out);
        self.enqueue(now, Message::Release(pool), out)
    }

    pub(super) fn check_funds(
        &self,
        token: Token,
        needed: Option<Amount>,
    ) -> Result<(), BookError> {
        let account = self.account(Level::Included).ok_or(BookError::NotReady)?;
        let balance = account.value.balance(token);
        let needed = needed.unwrap_or(Amount::from_units(u128::MAX));
        if needed > balance {
            return Err(BookError::Insufficient { needed, balance });
        }
        Ok(())
    }
}
