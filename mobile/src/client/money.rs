//! What moves money, once by its key.

use super::Antiphon;
use crate::{
    call::CallView,
    error::AntiphonError,
    secretary::Request,
    text::{Address, Amount},
};
use antiphon_core::{
    chain::spec,
    client::{Command, journal::Act},
};

/// One of the two tokens of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Token {
    /// Is bonded.
    Staking,
    /// Pays for everything else.
    Operational,
}

#[uniffi::export]
impl Antiphon {
    /// Returns how far a call is.
    ///
    /// # Errors
    /// `call/unknown-key`; as `next_event`.
    pub async fn call(&self, key: String) -> Result<CallView, AntiphonError> {
        self.ask(move |reply| Request::Call(key, reply)).await
    }

    /// Returns every call that is remembered, the one that changed last at the end.
    ///
    /// # Errors
    /// As `next_event`.
    pub async fn calls(&self) -> Result<Vec<CallView>, AntiphonError> {
        self.ask(Request::Calls).await
    }

    /// Sends `amount` smallest units to an address.
    ///
    /// # Errors
    /// Why the client refuses: nothing was done, and the key is free. `call/key-reused`.
    pub async fn transfer(
        &self,
        key: String,
        to: Address,
        amount: Amount,
        token: Token,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Transfer { token: token.into(), to: to.0, amount: amount.0 }).await
    }

    /// Locks `deposit` smallest units on chain to pay for the stream that is listened to.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn open_pool(&self, key: String, deposit: Amount) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::OpenPool(deposit.0)).await
    }

    /// Reserves `amount` on the chain for one payee alone, for a purpose of at most 32 bytes. The payee is sure of it at once, if
    /// it is around; otherwise it waits, and comes back when its period is over. Watch `snapshot().gifts`.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn give(
        &self,
        key: String,
        to: Address,
        amount: Amount,
        purpose: String,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Give { to: to.0, amount: amount.0, purpose }).await
    }

    /// Bonds `amount` smallest units of the staking token with a staker.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn bond(
        &self,
        key: String,
        staker: Address,
        amount: Amount,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Bond(staker.0, amount.0)).await
    }

    /// Lets a part of a bond leave; it can be withdrawn after `snapshot().chain.spec.unbonding` blocks.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn unbond(
        &self,
        key: String,
        staker: Address,
        amount: Amount,
    ) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Unbond(staker.0, amount.0)).await
    }

    /// Takes what has left a bond, and the rewards that wait.
    ///
    /// # Errors
    /// As `transfer`.
    pub async fn withdraw(&self, key: String, staker: Address) -> Result<CallView, AntiphonError> {
        self.begin(key, Act::Withdraw(staker.0)).await
    }

    /// Asks the faucet of a development chain for tokens.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn ask_faucet(&self) -> Result<(), AntiphonError> {
        self.command(Command::AskFaucet).await
    }

    /// Sends the best voucher of every pool to the chain. Watch `snapshot().wallet.settlements`.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn settle(&self) -> Result<(), AntiphonError> {
        self.command(Command::Settle).await
    }

    /// Takes back what is left in pools that have ended, frozen ones too; the same twice moves nothing twice, so it takes no key.
    ///
    /// # Errors
    /// Why the client refuses.
    pub async fn release(&self) -> Result<(), AntiphonError> {
        self.command(Command::Release).await
    }
}

impl Antiphon {
    /// Begins a call, or says how far it is.
    pub(super) async fn begin(&self, key: String, act: Act) -> Result<CallView, AntiphonError> {
        self.ask(move |reply| Request::Begin(key, act, reply)).await
    }
}

impl From<Token> for spec::Token {
    fn from(token: Token) -> Self {
        match token {
            Token::Staking => Self::Staking,
            Token::Operational => Self::Operational,
        }
    }
}

impl From<spec::Token> for Token {
    fn from(token: spec::Token) -> Self {
        match token {
            spec::Token::Staking => Self::Staking,
            spec::Token::Operational => Self::Operational,
        }
    }
}
