//! What an application has asked for in money, once by each key, and how far it has come.
//!
//! ```text
//! begin --row durable--> Asked --signed, row durable--> Pending --proven--> Included --> Settled --> Final
//!                          '--the client refuses: forgotten       '--the node refuses--> Failed
//! a payment in a field:  Asked --> Pending --all have signed--> Committed,  or Failed
//! ```
//!
//! A key stands for one thing that is wanted once: who calls again with it, after a crash or a cancelled call, hears how
//! far it is and pays nothing. A transaction is written here before it leaves, so a restart waits for it and does not make
//! another. How far it is, the account's sequence says, proven level by level (A7.6).
//!
//! Each change is an event with a number of its own, which stays until the application has said that it is handled. Of what
//! moves on meanwhile only the newest is told. What comes without a call is told, too: `came`.

mod came;
mod row;
mod stage;
#[cfg(test)]
mod tests;

pub use came::{Coming, GAP, MAX_BLOCKS, MAX_CAME, Origin};
pub use row::{Act, Entry, Stage};

use super::{AskId, Client, Found, PaymentView, Question, Snapshot};
use crate::{
    chain::transaction::{SignedTransaction, decode_transaction},
    id::{Address, ChainId},
    table::Table,
};
use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};
use came::{Came, Seen, Why};
use stage::{payment_stage, reservation_stage, transaction_stage};

/// Calls that are remembered. Chosen here: months of a person's payments; the oldest that are over and read make room.
pub const MAX_CALLS: usize = 1024;
/// Longest key, in bytes.
pub const MAX_KEY: usize = 64;

/// Rows are called so.
const ROWS: &str = "call/";

/// A row to be written, or removed.
pub type Change = (String, Option<Vec<u8>>);

/// What became of a call's begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is new: the command may be given once this row is durable.
    New(Change),
    /// It was begun before, and is this far.
    Known(Box<Entry>),
}

/// A change that is not handled.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Of a call, by its key.
    Call(&'a String, &'a Entry),
    /// Of what came without one.
    Came(&'a Coming),
}

impl Event<'_> {
    /// Returns its number.
    pub const fn id(&self) -> u64 {
        match self {
            Self::Call(_, call) => call.changed,
            Self::Came(one) => one.changed,
        }
    }
}

/// Why a call is not begun; in a stable code.
pub type Refusal = &'static str;

/// Every call of one account on one chain.
#[derive(Debug)]
pub struct Journal {
    chain: ChainId,
    calls: Table<String, Entry>,
    /// What came without a call.
    came: Came,
    /// Whose it is, once that is known.
    me: Option<Address>,
    /// Submissions that the node has not answered, with whether the same bytes went before.
    asked: Table<AskId, (String, bool)>,
    /// Number of the last change.
    changes: u64,
}

impl Journal {
    /// Reads what was written, and what of it must be written anew: a call whose end nobody can know any more is over.
    /// Returns the transaction that a client must wait for, too. Damaged rows are left out.
    pub fn restore(
        chain: ChainId,
        rows: Vec<(String, Vec<u8>)>,
    ) -> (Self, Vec<Change>, Option<SignedTransaction>) {
        let mut came = Came::default();
        let read = rows.into_iter().filter_map(|(name, bytes)| {
            if name == came::ROW {
                came = Came::read(chain, bytes)?;
                return None;
            }
            let key = name.strip_prefix(ROWS)?.to_owned();
            Some((key, Entry::read(chain, &name, bytes)?))
        });
        let calls: Table<_, _> = read.collect();
        let all = calls.values().map(|call| call.changed);
        let changes = all.chain(came.list.iter().map(|one| one.changed)).max().unwrap_or_default();
        let mut journal = Self { chain, calls, came, me: None, asked: Table::new(), changes };
        let keys: Vec<_> = journal.calls.keys().cloned().collect();
        let rows = keys.iter().filter_map(|key| journal.close(key)).collect();
        let open = journal.calls.values().filter(|call| call.stage == Stage::Pending);
        // One is on its way at a time: the last. Those before it have happened, or will not.
        let flight = open.max_by_key(|call| call.changed).and_then(Entry::sent);
        (journal, rows, flight)
    }

    /// Ends what the application's end has interrupted.
    fn close(&mut self, key: &str) -> Option<Change> {
        let call = self.calls.get(key)?;
        let why = match (&call.act, call.stage) {
            // The client itself keeps what it was told of pools, and shows it once it has read it.
            (Act::OpenPool(_) | Act::Give { .. }, _) => return None,
            // A field names its payments anew, and those that are committed not at all.
            (Act::PayMember { .. }, Stage::Asked | Stage::Pending) => "call/unknown",
            // Nothing was sent that is not written.
            (_, Stage::Asked) => "call/interrupted",
            _ => return None,
        };
        self.change(key, |call| {
            call.fail(why);
            call.payment = None;
        })
    }

    /// Begins a call, or finds it.
    ///
    /// # Errors
    /// `options/invalid` for an empty or overlong key, `call/key-reused`, `call/full`.
    pub fn begin(&mut self, key: &str, act: Act) -> Result<(Begun, Option<Change>), Refusal> {
        if key.is_empty() || key.len() > MAX_KEY {
            return Err("options/invalid");
        }
        if let Some(known) = self.calls.get(key) {
            return match known.act == act {
                true => Ok((Begun::Known(Box::new(known.clone())), None)),
                false => Err("call/key-reused"),
            };
        }
        let mut oldest = None;
        if self.calls.len() >= MAX_CALLS {
            let over = self.calls.iter().filter(|(_, call)| call.is_over() && call.is_told());
            let gone = over.min_by_key(|(_, call)| call.changed).map(|(key, _)| key.clone());
            let gone = gone.ok_or("call/full")?;
            self.calls.remove(&gone);
            oldest = Some((format!("{ROWS}{gone}"), None));
        }
        self.calls.insert(key.to_owned(), Entry::new(act));
        let row = self.write(key).ok_or("call/full")?;
        Ok((Begun::New(row), oldest))
    }

    /// Returns a call.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.calls.get(key)
    }

    /// Returns every call, the newest change last.
    pub fn all(&self) -> Vec<(&String, &Entry)> {
        let all = self.calls.iter().map(|(key, call)| ((call.changed, key), call));
        let all: Table<(u64, &String), &Entry> = all.collect();
        all.into_iter().map(|((_, key), call)| (key, call)).collect()
    }

    /// The client refused: nothing was done, and the key is free.
    pub fn forget(&mut self, key: &str) -> Change {
        self.calls.remove(key);
        (format!("{ROWS}{key}"), None)
    }

    /// A payment in a field was made: which one it is, the field shows.
    pub fn paid(&mut self, key: &str, shown: &Snapshot) -> Option<Change> {
        let Act::PayMember { field, payee, amount } = self.calls.get(key)?.act.clone() else {
            return None;
        };
        let show = shown.fields.iter().find(|show| show.view.id == field)?;
        // Each field counts its own.
        let is_known = |id: u64| {
            let is_here =
                |act: &Act| matches!(act, Act::PayMember { field: at, .. } if *at == field);
            let mut calls = self.calls.values().filter(|call| !call.is_over());
            calls.any(|call| call.payment == Some(id) && is_here(&call.act))
        };
        let is_it = |one: &&PaymentView| {
            (one.payee, one.amount) == (payee, amount) && one.id.is_some_and(|id| !is_known(id))
        };
        let id = show.view.payments.iter().filter(is_it).filter_map(|one| one.id).max();
        self.change(key, |call| {
            call.stage = Stage::Pending;
            call.payment = id;
        })
    }

    /// The client sends a transaction. Returns the row that must be durable before.
    pub fn sending(&mut self, ask: AskId, bytes: &[u8], shown: &Snapshot) -> Option<Change> {
        let transaction = decode_transaction(bytes).ok()?;
        if self.came.sending(&transaction, shown, &mut self.changes) {
            return Some(self.write_came());
        }
        let [message] = &transaction.body.messages[..] else { return None };
        let is_it = |call: &Entry| call.act.is(message);
        let same = |call: &Entry| call.transaction.as_deref() == Some(bytes);
        let find = |wanted: &dyn Fn(&Entry) -> bool| {
            let found = self.calls.iter().filter(|(_, call)| is_it(call) && wanted(call));
            found.min_by_key(|(_, call)| call.changed).map(|(key, _)| key.clone())
        };
        if let Some(key) = find(&same) {
            self.asked.insert(ask, (key, true));
            return None;
        }
        // What outlived its reference is made anew in the same place of the account. What went in an earlier place has
        // happened, whether that was shown yet or not: then it is the first that waits.
        let place = transaction.body.sequence;
        let expired = |call: &Entry| {
            call.stage == Stage::Pending
                && call.sent().is_some_and(|sent| sent.body.sequence >= place)
        };
        let key = find(&expired).or_else(|| find(&|call| call.stage == Stage::Asked))?;
        self.asked.insert(ask, (key.clone(), false));
        self.change(&key, |call| {
            call.stage = Stage::Pending;
            call.transaction = Some(bytes.to_vec());
        })
    }

    /// The node answered a submission; with a code if it refuses.
    pub fn answered(&mut self, ask: AskId, refusal: Option<i32>) -> Option<Change> {
        /// As good as no answer.
        const UNAVAILABLE: i32 = -32001;
        let (key, went_before) = self.asked.remove(&ask)?;
        // Who sent the same bytes before may be refused because they are on their way: the chain will tell.
        let is_lost = !went_before && refusal.is_some_and(|code| code != UNAVAILABLE);
        if !is_lost {
            return None;
        }
        self.change(&key, |call| call.fail("node/transaction-refused"))
    }

    /// Learns from what is shown how far each call is.
    pub fn shown(&mut self, shown: &Snapshot) -> Vec<Change> {
        let account = shown.wallet.account.as_ref();
        let sequences = account.map(|account| account.sequences).unwrap_or_default();
        let open = self.calls.iter().filter(|(_, call)| !call.is_over());
        let moved = open.filter_map(|(key, call)| {
            let stage = match &call.act {
                Act::PayMember { field, .. } => {
                    let show = shown.fields.iter().find(|show| show.view.id == *field)?;
                    payment_stage(call, &show.view)?
                }
                Act::OpenPool(_) | Act::Give { .. } if call.stage == Stage::Asked => {
                    reservation_stage(call, shown)?
                }
                Act::Transfer { .. }
                | Act::Bond(..)
                | Act::Unbond(..)
                | Act::Withdraw(_)
                | Act::OpenPool(_)
                | Act::Give { .. } => transaction_stage(call, sequences)?,
            };
            (stage != call.stage).then(|| (key.clone(), stage))
        });
        let moved: Vec<_> = moved.collect();
        let change = |(key, stage): (String, Stage)| {
            self.change(&key, |call| match (stage, call.stage) {
                (Stage::Failed, Stage::Asked) => call.fail("call/interrupted"),
                (Stage::Failed, _) => call.fail("wallet/transaction-expired"),
                _ => call.stage = stage,
            })
        };
        let mut rows: Vec<_> = moved.into_iter().filter_map(change).collect();
        if self.came.shown(shown, &mut self.changes) {
            rows.push(self.write_came());
        }
        rows
    }

    /// Looks whether others have sent something. Returns the block that must be read for that, and the row to be written. The
    /// answer goes to [`Journal::found`].
    pub fn follow(&mut self, client: &Client) -> (Option<Question>, Option<Change>) {
        self.me = client.address();
        let seen = client.settled_account().map(|(height, account)| Seen::new(height, account));
        let (question, is_due) = seen.map_or((None, false), |seen| self.came.follow(seen));
        (question, is_due.then(|| self.write_came()))
    }

    /// What was asked for by [`Journal::follow`] was found, or there is none, for this reason.
    pub fn found(&mut self, found: Result<&Found, &str>) -> Option<Change> {
        let me = self.me?;
        let block = match found {
            Ok(Found::Block(block)) => {
                block.transactions.as_deref().map(|all| (block.proven.level, all)).ok_or(Why::Gone)
            }
            Err("lookup/missing") => Err(Why::Gone),
            // Nobody will ever know.
            Err("lookup/too-far") => Err(Why::TooFar),
            Ok(_) | Err(_) => Err(Why::Unanswered),
        };
        let block = match block {
            Ok(block) => block,
            Err(why) => {
                self.came.unread(why);
                return None;
            }
        };
        let is_due = self.came.found(block, (self.chain, me), &mut self.changes);
        is_due.then(|| self.write_came())
    }

    /// Returns, once, whether blocks were passed that cannot be read any more: what they brought is in the balance, and not
    /// told. Its code is [`GAP`].
    pub const fn take_gap(&mut self) -> bool {
        self.came.take_gap()
    }

    /// Returns the change that the application has not handled yet, the oldest.
    pub fn next_event(&self) -> Option<Event<'_>> {
        let calls = self.calls.iter().filter(|(_, call)| !call.is_told());
        let calls = calls.map(|(key, call)| (call.changed, Event::Call(key, call)));
        let came = self.came.list.iter().filter(|one| !one.is_told());
        let all = calls.chain(came.map(|one| (one.changed, Event::Came(one))));
        all.min_by_key(|(changed, _)| *changed).map(|(_, event)| event)
    }

    /// The application has handled the change of this number.
    pub fn handled(&mut self, change: u64) -> Option<Change> {
        if self.came.handled(change) {
            return Some(self.write_came());
        }
        let (key, call) = self.calls.iter_mut().find(|(_, call)| call.changed == change)?;
        call.told = change;
        let key = key.clone();
        self.write(&key)
    }

    fn change(&mut self, key: &str, change: impl FnOnce(&mut Entry)) -> Option<Change> {
        let call = self.calls.get_mut(key)?;
        change(call);
        self.changes = self.changes.saturating_add(1);
        call.changed = self.changes;
        self.write(key)
    }

    fn write_came(&mut self) -> Change {
        (came::ROW.to_owned(), Some(self.came.write(self.chain)))
    }

    fn write(&self, key: &str) -> Option<Change> {
        let name = format!("{ROWS}{key}");
        let row = self.calls.get(key)?.to_row(self.chain, &name);
        Some((name, Some(row)))
    }
}
