//! Accounts of Falcon keys, whose addresses begin with `F`: no quantum computer opens them.
//!
//! Such an account holds and sends. Who listens, earns, gives or joins a field does so with an [`Account`](crate::Account)
//! beside it, for what passes between peers is signed by Ed25519. There is no client and no folder: each call is a light
//! client of its own, which believes nothing of the node that it asks, and ends when what it did is settled.

use crate::{
    client::Token,
    error::AntiphonError,
    found::AccountFound,
    runtime::on_runtime,
    text::{Address, Amount, hex_32},
    wallet::{Account, Words},
};
use antiphon_core::{
    crypto::{AccountSecret, FalconSecret, Signer as _},
    id::ChainId,
    wallet::address,
};
use antiphon_host::{
    clerk::{Act, Clerk},
    remote::RemoteNode,
};
use std::fmt;

/// The Falcon key of one account of a wallet. Never printed.
#[derive(uniffi::Object)]
pub struct FalconAccount {
    index: u32,
    secret: FalconSecret,
}

#[uniffi::export]
impl Words {
    /// Returns the Falcon account `index`, from 0. Takes 2048 rounds of HMAC, and some milliseconds for the key.
    ///
    /// # Errors
    /// `wallet/index-out-of-range` from 2³¹ on; `secret/failed` where the device gives no randomness.
    pub fn falcon_account(&self, index: u32) -> Result<FalconAccount, AntiphonError> {
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).map_err(|_| AntiphonError::unavailable("secret/failed"))?;
        let seed = self.falcon_seed(index)?;
        Ok(FalconAccount { index, secret: FalconSecret::new(&seed, entropy) })
    }
}

#[uniffi::export]
impl FalconAccount {
    /// Returns the address, which begins with `F`: where money is sent to.
    pub fn address(&self) -> Address {
        Address::falcon(self.secret.account_key().address())
    }

    /// Proves what is in the account, under a settled block of the chain of this id.
    ///
    /// # Errors
    /// `node/unreachable`, `lookup/…`.
    pub async fn find(&self, node: String, chain: String) -> Result<AccountFound, AntiphonError> {
        let found = act(node, chain, self.secret.clone().into(), None, None).await?;
        Ok(AccountFound { address: self.address(), ..found })
    }

    /// Sends `amount` smallest units as the account's transaction of this `sequence`, one more than `find` says, and returns
    /// the account once that is settled. Whoever asks again with the same sequence sends once.
    ///
    /// # Errors
    /// `wallet/other-sequence`, also for what was sent already; `wallet/insufficient`; `node/…`.
    pub async fn send(
        &self,
        node: String,
        chain: String,
        sequence: u64,
        to: Address,
        amount: Amount,
        token: Token,
    ) -> Result<AccountFound, AntiphonError> {
        let order = Act::Transfer(token.into(), to.0, amount.0);
        let secret = self.secret.clone().into();
        let found = act(node, chain, secret, Some(order), Some(sequence)).await?;
        Ok(AccountFound { address: self.address(), ..found })
    }
}

#[uniffi::export]
impl Account {
    /// Moves everything that the account holds to a Falcon account in one transaction, and returns the account once that is
    /// settled. What is bonded, delayed, or locked in pools and fields stays. The client of this account must be shut down
    /// before: two who sign with one key take each other's turns.
    ///
    /// # Errors
    /// `address/…`; `wallet/insufficient` where there is not more than the fee; `node/…`.
    pub async fn send_all_to_falcon(
        &self,
        node: String,
        chain: String,
        to: String,
    ) -> Result<AccountFound, AntiphonError> {
        let to = address::parse_falcon(&to).map_err(|e| AntiphonError::refused(e.code()))?;
        act(node, chain, self.0.secret().clone().into(), Some(Act::SendAll(to)), None).await
    }
}

/// Does what is ordered, to its end, and proves the account.
async fn act(
    node: String,
    chain: String,
    secret: AccountSecret,
    order: Option<Act>,
    sequence: Option<u64>,
) -> Result<AccountFound, AntiphonError> {
    let chain = ChainId(hex_32(&chain, "chain")?);
    let node = RemoteNode::new(&node).map_err(|_| AntiphonError::invalid("node"))?;
    on_runtime(async move {
        let mut clerk = Clerk::new(node, chain, secret);
        clerk.open().await?;
        let least = match order {
            Some(order) => clerk.carry_out(order, sequence).await?,
            None => 0,
        };
        Ok((&clerk.settled_account(least).await?).into())
    })
    .await
}

impl fmt::Debug for FalconAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FalconAccount").field(&self.index).finish()
    }
}
