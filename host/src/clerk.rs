//! A light client and a book of one key, with a node at the other end of HTTP: what a page has, without a page.

use super::{
    clock,
    remote::{NoAnswer, RemoteNode},
};
use antiphon_core::{
    amount::Amount,
    chain::{
        Level,
        light::{self, Anchor, File, Light, Skipping, Source, Stored},
        lookup::{self, AccountFound, Found, LookupError, LookupId, Lookups, ProofId, Question},
        spec::Token,
        transaction::Registration,
    },
    crypto::{AccountSecret, Signer as _},
    id::{Address, ChainId},
    time::Moment,
    wallet::book::{self, AskId, Book, BookError, Query},
};
use anyhow::{Context as _, bail, ensure};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long the chain may take to show a head and the account. Chosen here: a node that restarts is back by then.
const OPEN_PATIENCE: Duration = Duration::from_secs(30);
/// How long a transaction may take to settle. Chosen here: its life at one block a second, and some more.
const SETTLE_PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks. Chosen here: shorter than a block.
const PAUSE: Duration = Duration::from_millis(200);

/// What is asked of the chain.
#[derive(Debug)]
pub enum Act {
    /// Sends an amount.
    Transfer(Token, Address, Amount),
    /// Sends everything, in one transaction.
    SendAll(Address),
    /// Registers a staker.
    Register(Box<Registration>),
    /// Bonds with a staker.
    Bond(Address, Amount),
    /// Lets a part of a bond leave.
    Unbond(Address, Amount),
    /// Takes what has left a bond, and rewards.
    Withdraw(Address),
    /// Says that the validator is back.
    Rejoin,
}

/// What the node is still to be asked.
#[derive(Debug)]
enum Order {
    File(Source, File),
    Ask(AskId, Query),
    LookupFile(LookupId, File),
    LookupAsk(ProofId, Query),
}

/// Asks a node, believes nothing of it, and acts for one key.
#[derive(Debug)]
pub struct Clerk {
    node: RemoteNode,
    key: AccountSecret,
    light: Light,
    book: Option<Book>,
    lookups: Lookups,
    orders: VecDeque<Order>,
    began: Instant,
    next_lookup: u64,
    answer: Option<Result<Found, LookupError>>,
    /// What was refused last, by us or by the node.
    trouble: Option<String>,
    lost: bool,
}

impl Clerk {
    /// Opens the account of a key on the chain of this id, the one thing that is trusted.
    pub fn new(node: RemoteNode, chain: ChainId, key: impl Into<AccountSecret>) -> Self {
        let key = key.into();
        let (anchor, skipping) = (Anchor::Genesis, Skipping::Off);
        let light = Light::new(light::Config { chain, anchor, skipping, witnesses: 0 });
        Self {
            node,
            key,
            light,
            book: None,
            lookups: Lookups::default(),
            orders: VecDeque::new(),
            began: Instant::now(),
            next_lookup: 0,
            answer: None,
            trouble: None,
            lost: false,
        }
    }

    /// Returns whose account it is.
    pub fn address(&self) -> Address {
        self.key.account_key().address()
    }

    /// Follows the chain until the account is proven.
    pub async fn open(&mut self) -> anyhow::Result<()> {
        self.feed_light(light::Input::Loaded(Stored::default()));
        let is_ready = |clerk: &Self| {
            let book = clerk.book.as_ref();
            let is_settled = clerk.light.head(Level::Settled).is_some();
            is_settled && book.is_some_and(|book| book.account(Level::Included).is_some())
        };
        self.until(OPEN_PATIENCE, is_ready).await.context("the account is not proven")
    }

    /// Sends what is asked; returns the sequence that the account has once it is done.
    pub async fn carry_out(&mut self, act: Act) -> anyhow::Result<u64> {
        let now = self.now();
        let book = self.book.as_mut().context("the chain is not known")?;
        let shown = book.account(Level::Included).context("the account is not proven")?;
        let sequence = shown.value.sequence.saturating_add(1);
        let mut out = Vec::new();
        let asked: Result<(), BookError> = match act {
            Act::Transfer(token, to, amount) => book.transfer(now, token, to, amount, &mut out),
            Act::SendAll(to) => book.send_all(now, to, &mut out),
            Act::Register(registration) => book.register(now, *registration, &mut out),
            Act::Bond(staker, amount) => book.bond(now, staker, amount, &mut out),
            Act::Unbond(staker, amount) => book.unbond(now, staker, amount, &mut out),
            Act::Withdraw(staker) => book.withdraw(now, staker, &mut out),
            Act::Rejoin => book.rejoin(now, &mut out),
        };
        self.lift_book(out);
        asked?;
        let is_over =
            |clerk: &Self| clerk.lost || clerk.book.as_ref().is_some_and(|b| !b.is_busy());
        self.until(SETTLE_PATIENCE, is_over).await.context("the transaction is in no block")?;
        if self.lost {
            bail!("the node refused: {}", self.trouble.as_deref().unwrap_or("it does not say why"));
        }
        Ok(sequence)
    }

    /// Returns the account under a settled head at which it has sent at least so many transactions.
    pub async fn settled_account(&mut self, least: u64) -> anyhow::Result<AccountFound> {
        let end = Instant::now().checked_add(SETTLE_PATIENCE).context("the clock")?;
        loop {
            self.next_lookup = self.next_lookup.saturating_add(1);
            let question = Question::Account(self.address(), Level::Settled);
            let mut out = Vec::new();
            self.lookups.ask(&self.light, LookupId(self.next_lookup), question, &mut out);
            self.lift_lookups(out);
            self.until(SETTLE_PATIENCE, |clerk| clerk.answer.is_some()).await?;
            let why = match self.answer.take() {
                Some(Ok(Found::Account(found))) if found.account.sequence >= least => {
                    return Ok(*found);
                }
                Some(Err(error)) if error.is_refusal() => return Err(error.into()),
                // The node may just have moved on: a newer head is asked about.
                Some(Err(error)) => error.to_string(),
                Some(Ok(_)) | None => String::from("the transaction is not settled"),
            };
            let trouble = self.trouble.as_deref().unwrap_or_default();
            ensure!(Instant::now() < end, "{why} {trouble}");
            tokio::time::sleep(PAUSE).await;
            self.feed_light(light::Input::Tick);
        }
    }

    async fn until(
        &mut self,
        patience: Duration,
        is_so: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            while let Some(order) = self.orders.pop_front() {
                self.fulfil(order).await;
            }
            if is_so(self) {
                return Ok(());
            }
            if began.elapsed() > patience {
                let trouble = self.trouble.clone();
                bail!("not within {} s: {}", patience.as_secs(), trouble.unwrap_or_default());
            }
            tokio::time::sleep(PAUSE).await;
            self.feed_light(light::Input::Tick);
            self.feed_book(book::Input::Tick);
        }
    }

    async fn fulfil(&mut self, order: Order) {
        match order {
            Order::File(source, file) => {
                let input = match self.file(&file).await {
                    Some(bytes) => light::Input::Fetched(source, file, bytes),
                    None => light::Input::Missing(source, file),
                };
                self.feed_light(input);
            }
            Order::LookupFile(id, file) => {
                let bytes = self.file(&file).await;
                self.feed_lookups(lookup::Input::File(id, file, bytes));
            }
            Order::Ask(id, query) => {
                let input = match self.ask(query).await {
                    Ok(bytes) => book::Input::Answered(id, bytes),
                    Err(Some(code)) => book::Input::Refused(id, code),
                    Err(None) => book::Input::Unreachable(id),
                };
                self.feed_book(input);
            }
            Order::LookupAsk(id, query) => {
                let input = match self.ask(query).await {
                    Ok(bytes) => lookup::Input::Answered(id, bytes),
                    Err(_) => lookup::Input::Unanswered(id),
                };
                self.feed_lookups(input);
            }
        }
    }

    async fn file(&mut self, file: &File) -> Option<Vec<u8>> {
        match self.node.file(file).await {
            Ok(found) => found,
            Err(error) => {
                self.trouble = Some(format!("{error:#}"));
                None
            }
        }
    }

    /// Asks, and returns bytes, the code of a refusal, or nothing.
    async fn ask(&mut self, query: Query) -> Result<Vec<u8>, Option<i32>> {
        self.node.ask(&query).await.map_err(|none| {
            let (code, why) = match none {
                NoAnswer::Refused(code, why) => (Some(code), why),
                NoAnswer::Unreachable(why) => (None, why),
            };
            self.trouble = Some(why);
            code
        })
    }

    fn now(&self) -> Moment {
        Moment::ZERO.after(self.began.elapsed())
    }

    fn feed_light(&mut self, input: light::Input) {
        let mut out = Vec::new();
        self.light.handle(self.now(), clock::now(), input, &mut out);
        for output in out {
            match output {
                light::Output::Fetch(source, file) => {
                    self.orders.push_back(Order::File(source, file));
                }
                light::Output::Refused(error) => self.trouble = Some(error.to_string()),
                light::Output::Advanced => self.heads_moved(),
                light::Output::Alarm => tracing::warn!("many blocks that others name are unknown"),
                // A command is over soon: nothing is kept.
                light::Output::Keep(_) | light::Output::KeepFork(_) => {}
            }
        }
    }

    fn heads_moved(&mut self) {
        if self.book.is_none() {
            self.book = self.light.spec().map(|spec| Book::new(self.key.clone(), spec));
        }
        for level in Level::ALL {
            if let Some(head) = self.light.head(level).filter(|head| head.level == level) {
                self.feed_book(book::Input::Head(Box::new(head)));
            }
        }
    }

    fn feed_book(&mut self, input: book::Input) {
        let (now, mut out) = (self.now(), Vec::new());
        if let Some(book) = &mut self.book {
            book.handle(now, input, &mut out);
        }
        self.lift_book(out);
    }

    fn lift_book(&mut self, outputs: Vec<book::Output>) {
        for output in outputs {
            match output {
                book::Output::Ask(id, query) => self.orders.push_back(Order::Ask(id, query)),
                book::Output::Trouble(code) => {
                    self.lost |= code == "node/transaction-refused";
                    self.trouble.get_or_insert_with(|| code.to_owned());
                }
                book::Output::Pool(_)
                | book::Output::Field(_)
                | book::Output::PoolRefused(..)
                | book::Output::Changed => {}
            }
        }
    }

    fn feed_lookups(&mut self, input: lookup::Input) {
        let mut out = Vec::new();
        self.lookups.handle(&self.light, input, &mut out);
        self.lift_lookups(out);
    }

    fn lift_lookups(&mut self, outputs: Vec<lookup::Output>) {
        for output in outputs {
            match output {
                lookup::Output::Fetch(id, file) => {
                    self.orders.push_back(Order::LookupFile(id, file));
                }
                lookup::Output::Ask(id, query) => {
                    self.orders.push_back(Order::LookupAsk(id, query));
                }
                lookup::Output::Found(_, found) => self.answer = Some(Ok(*found)),
                lookup::Output::Lost(_, error) => self.answer = Some(Err(error)),
            }
        }
    }
}
