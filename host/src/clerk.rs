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

/// Why something was not done, or cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClerkError {
    /// The node does not answer, or shows nothing that holds.
    #[error("{what} within {seconds} s: {why}")]
    Late {
        /// What is missing.
        what: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// What went wrong last.
        why: String,
    },
    /// The node refused the transaction, and why it says so.
    #[error("the node refused: {0}")]
    Refused(String),
    /// Another transaction of the account has the sequence that was asked for, or its turn has not come.
    #[error("the account's next transaction is {next}, not {asked}")]
    OtherSequence {
        /// The account's.
        next: u64,
        /// What was asked for.
        asked: u64,
    },
    /// The book refuses: nothing was sent.
    #[error(transparent)]
    Book(#[from] BookError),
    /// What the node shows does not hold.
    #[error(transparent)]
    Lookup(#[from] LookupError),
}

impl ClerkError {
    /// Returns the stable code of this error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Late { .. } => "node/unreachable",
            Self::Refused(_) => "node/transaction-refused",
            Self::OtherSequence { .. } => "wallet/other-sequence",
            Self::Book(error) => error.code(),
            Self::Lookup(error) => error.code(),
        }
    }
}

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
    ///
    /// # Errors
    /// [`ClerkError::Late`].
    pub async fn open(&mut self) -> Result<(), ClerkError> {
        self.feed_light(light::Input::Loaded(Stored::default()));
        let is_ready = |clerk: &Self| {
            let book = clerk.book.as_ref();
            let is_settled = clerk.light.head(Level::Settled).is_some();
            is_settled && book.is_some_and(|book| book.account(Level::Included).is_some())
        };
        self.until("the account is not proven", OPEN_PATIENCE, is_ready).await
    }

    /// Sends what is asked; returns the sequence that the account has once it is done. Where a sequence is `asked` for, it is sent
    /// with that one or not at all: asked again after a crash, it happens once.
    ///
    /// # Errors
    /// [`ClerkError`].
    pub async fn carry_out(&mut self, act: Act, asked: Option<u64>) -> Result<u64, ClerkError> {
        let now = self.now();
        let book = self.book.as_mut().ok_or(BookError::NotReady)?;
        let shown = book.account(Level::Included).ok_or(BookError::NotReady)?;
        let sequence = shown.value.sequence.saturating_add(1);
        if let Some(asked) = asked.filter(|asked| *asked != sequence) {
            return Err(ClerkError::OtherSequence { next: sequence, asked });
        }
        let mut out = Vec::new();
        let ordered: Result<(), BookError> = match act {
            Act::Transfer(token, to, amount) => book.transfer(now, token, to, amount, &mut out),
            Act::SendAll(to) => book.send_all(now, to, &mut out),
            Act::Register(registration) => book.register(now, *registration, &mut out),
            Act::Bond(staker, amount) => book.bond(now, staker, amount, &mut out),
            Act::Unbond(staker, amount) => book.unbond(now, staker, amount, &mut out),
            Act::Withdraw(staker) => book.withdraw(now, staker, &mut out),
            Act::Rejoin => book.rejoin(now, &mut out),
        };
        self.lift_book(out);
        ordered?;
        let is_over =
            |clerk: &Self| clerk.lost || clerk.book.as_ref().is_some_and(|b| !b.is_busy());
        self.until("the transaction is in no block", SETTLE_PATIENCE, is_over).await?;
        if self.lost {
            let why = self.trouble.clone();
            return Err(ClerkError::Refused(why.unwrap_or_else(|| "it does not say why".into())));
        }
        Ok(sequence)
    }

    /// Asks about the chain as it is known now. Who asks again and again learns of newer heads meanwhile.
    ///
    /// # Errors
    /// [`ClerkError::Lookup`], and [`ClerkError::Late`].
    pub async fn find(&mut self, question: Question) -> Result<Found, ClerkError> {
        self.feed_light(light::Input::Tick);
        self.next_lookup = self.next_lookup.saturating_add(1);
        let mut out = Vec::new();
        self.lookups.ask(&self.light, LookupId(self.next_lookup), question, &mut out);
        self.lift_lookups(out);
        let is_answered = |clerk: &Self| clerk.answer.is_some();
        self.until("nothing was answered", SETTLE_PATIENCE, is_answered).await?;
        Ok(self.answer.take().unwrap_or(Err(LookupError::NotReady))?)
    }

    /// Returns the account under a settled head at which it has sent at least so many transactions.
    ///
    /// # Errors
    /// [`ClerkError`].
    pub async fn settled_account(&mut self, least: u64) -> Result<AccountFound, ClerkError> {
        let began = Instant::now();
        loop {
            let why = match self.find(Question::Account(self.address(), Level::Settled)).await {
                Ok(Found::Account(found)) if found.account.sequence >= least => return Ok(*found),
                Ok(_) => String::from("the transaction is not settled"),
                // The node may just have moved on: a newer head is asked about.
                Err(ClerkError::Lookup(error)) if !error.is_refusal() => error.to_string(),
                Err(error) => return Err(error),
            };
            if began.elapsed() > SETTLE_PATIENCE {
                let (what, seconds) = ("the transaction is not settled", SETTLE_PATIENCE.as_secs());
                return Err(ClerkError::Late { what, seconds, why });
            }
            tokio::time::sleep(PAUSE).await;
            self.feed_light(light::Input::Tick);
        }
    }

    async fn until(
        &mut self,
        what: &'static str,
        patience: Duration,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<(), ClerkError> {
        let began = Instant::now();
        loop {
            while let Some(order) = self.orders.pop_front() {
                self.fulfil(order).await;
            }
            if is_so(self) {
                return Ok(());
            }
            if began.elapsed() > patience {
                let why = self.trouble.clone().unwrap_or_default();
                return Err(ClerkError::Late { what, seconds: patience.as_secs(), why });
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
                let input = match self.node.file(&file).await {
                    Ok(found) => lookup::Input::File(id, file, found),
                    Err(error) => {
                        self.trouble = Some(format!("{error:#}"));
                        lookup::Input::Unserved(id, file)
                    }
                };
                self.feed_lookups(input);
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
