//! Words that are kept, the client of their account, and money that moves once.

use crate::store::FileStore;
use antiphon_mobile::{
    Address, Amount, Antiphon, AntiphonError, CallView, ConnectOptions, GiftView, Level,
    SecretStore, Snapshot, Token, Words, connect, parse_amount,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// How often a wallet looks whether something has come about.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Wallet {
    store: Arc<FileStore>,
    options: ConnectOptions,
    open: Option<Arc<Antiphon>>,
}

impl Wallet {
    pub(crate) fn new(options: ConnectOptions) -> Self {
        let store = Arc::new(FileStore(options.folder.clone().into()));
        Self { store, options, open: None }
    }

    /// What was not opened is as good as closed.
    pub(crate) fn client(&self) -> Result<&Antiphon, AntiphonError> {
        let closed = || AntiphonError::Unavailable { why: "client/closed".to_owned() };
        self.open.as_deref().ok_or_else(closed)
    }

    /// Keeps words, and returns the address of their first account.
    pub(crate) fn keep(&self, words: &Words) -> Result<Address, AntiphonError> {
        words.save(self.store.clone(), "main".to_owned())?;
        Ok(words.account(0)?.address())
    }

    /// Starts a client of the account, and waits for what the chain proves of it.
    pub(crate) async fn open(&mut self) -> Result<(), AntiphonError> {
        let store: Arc<dyn SecretStore> = self.store.clone();
        let account = Words::load(store, "main".to_owned())?.account(0)?;
        let client = connect(self.options.clone(), Arc::new(account)).await?;
        until(self.open.insert(client), |shown| shown.wallet.account).await?;
        Ok(())
    }
}

/// Waits for something in what a client shows.
pub(crate) async fn until<T>(
    client: &Antiphon,
    ready: impl Fn(Snapshot) -> Option<T>,
) -> Result<T, AntiphonError> {
    loop {
        if let Some(found) = ready(client.snapshot()) {
            return Ok(found);
        }
        sleep(PAUSE).await;
    }
}

/// Asks for play money, and returns what there is then.
pub(crate) async fn receive(client: &Antiphon) -> Result<Amount, AntiphonError> {
    client.ask_faucet().await?;
    let balance = |shown: Snapshot| {
        let value = shown.wallet.account?.balance.value;
        (value.0.units() > 0).then_some(value)
    };
    until(client, balance).await
}

pub(crate) async fn address(client: &Antiphon) -> Result<Address, AntiphonError> {
    until(client, |shown| shown.wallet.address).await
}

pub(crate) async fn final_balance(client: &Antiphon) -> Result<Amount, AntiphonError> {
    let found = client.find_account(address(client).await?, Level::Final).await?;
    Ok(found.operational)
}

/// Pays once, however often it is called with this key.
pub(crate) async fn send(
    client: &Antiphon,
    key: &str,
    to: &str,
    amount: &str,
) -> Result<CallView, AntiphonError> {
    let (to, amount) = (to.parse()?, parse_amount(amount)?);
    client.transfer(key.to_owned(), to, amount, Token::Operational).await
}

/// Gives up at once; the call itself goes on.
pub(crate) async fn give_up(client: &Antiphon, key: &str, to: &str, amount: &str) {
    // Polled once, and dropped.
    let _ = timeout(Duration::ZERO, send(client, key, to, amount)).await;
}

/// Waits until a call is so far, and returns none, or the code of what it failed with.
pub(crate) async fn reach(
    client: &Antiphon,
    key: &str,
    stage: &str,
) -> Result<Option<String>, AntiphonError> {
    loop {
        let call = client.call(key.to_owned()).await?;
        if call.code.is_some() || rank(&named(&call.stage)) >= rank(stage) {
            return Ok(call.code);
        }
        sleep(PAUSE).await;
    }
}

fn rank(stage: &str) -> Option<usize> {
    let stages = ["asked", "pending", "included", "committed", "settled", "final"];
    stages.iter().position(|one| *one == stage)
}

/// A variant's name as a person writes it.
fn named(stage: &impl std::fmt::Debug) -> String {
    format!("{stage:?}").to_lowercase()
}

/// Waits for a gift that is so far.
pub(crate) async fn gift_at(client: &Antiphon, stage: &str) -> Result<GiftView, AntiphonError> {
    let stages = ["sure", "settled", "final"];
    let reached = stages.iter().position(|one| *one == stage).and_then(|at| stages.get(at..));
    let is_so_far = |gift: &GiftView| {
        reached.is_some_and(|reached| reached.contains(&named(&gift.stage).as_str()))
    };
    until(client, |shown| shown.gifts.into_iter().find(is_so_far)).await
}
