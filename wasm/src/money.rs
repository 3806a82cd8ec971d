//! What moves money once by its key: `antiphon_core::client::journal` around the client of a page.
//!
//! ```text
//! begin --Store--> stored --command--> client --Submit, held--> Store --> stored --> Submit goes
//! ```
//!
//! Shapes: `Input` in `js/src/border.ts`, `Call` and `MoneyEvent` in `js/src/calls.ts`.

use crate::{
    call, command,
    error::bad_input,
    object::{field, integer, list, number, object, text},
};
use antiphon_core::{
    client::{
        Client, Input, LookupId, Notice, Output, Query, StoreToken,
        journal::{Act, Begun, Change, Event, GAP, Journal},
    },
    id::ChainId,
    table::Table,
    time::{Moment, UnixMillis},
};
use wasm_bindgen::JsValue;

/// Rows of the journal are called so, and no row of the client is.
const ROWS: &str = "keeper/";
/// Tokens of its rows begin here: the client counts its own from one.
const FIRST: u64 = 1 << 52;

/// The journal's own look-ups are called so, and no page's is.
const READING: LookupId = LookupId(FIRST);

/// A write did not become durable.
const NOT_STORED: &str = "storage/write-failed";

/// What a page asks of the journal.
pub(crate) enum Request {
    Begin(LookupId, String, Act),
    Call(LookupId, String),
    Calls(LookupId),
    NextEvent(LookupId),
    Handled(LookupId, u64),
    /// A row is not durable, and will not be.
    NotStored(u64),
}

/// Reads a request, if it is one.
pub(crate) fn read(input: &JsValue) -> Result<Option<Request>, JsValue> {
    let id = || integer(input, "id").map(LookupId);
    Ok(Some(match text(input, "kind")?.as_str() {
        "begin" => {
            let act = Act::of(&command::read(&field(input, "command"))?);
            Request::Begin(id()?, text(input, "key")?, act.ok_or_else(|| bad_input("command"))?)
        }
        "call" => Request::Call(id()?, text(input, "key")?),
        "calls" => Request::Calls(id()?),
        "nextEvent" => Request::NextEvent(id()?),
        "notStored" => Request::NotStored(integer(input, "token")?),
        "handled" => Request::Handled(id()?, integer(input, "event")?),
        _ => return Ok(None),
    }))
}

/// What an answer to the page is made of.
pub(crate) enum Answer {
    Found(LookupId, JsValue),
    Lost(LookupId, &'static str),
}

/// The journal, and what waits for its rows.
pub(crate) struct Money {
    chain: ChainId,
    journal: Journal,
    next: u64,
    /// Calls whose row is being written.
    beginning: Table<u64, (LookupId, String, Act)>,
    /// Events whose handling is being written.
    handling: Table<u64, LookupId>,
    /// Transactions whose row is being written, with the row.
    held: Table<u64, (Output, Change)>,
    /// Of those, whose row was not, and will be tried again.
    unwritten: Vec<u64>,
    /// Who waits for an event.
    waiting: Vec<LookupId>,
    pub(crate) answers: Vec<Answer>,
}

impl Money {
    pub(crate) fn new(chain: ChainId) -> Self {
        Self {
            chain,
            journal: Journal::restore(chain, Vec::new()).0,
            next: FIRST,
            beginning: Table::new(),
            handling: Table::new(),
            held: Table::new(),
            unwritten: Vec::new(),
            waiting: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Does what the page asks.
    pub(crate) fn serve(&mut self, request: Request, out: &mut Vec<Output>) {
        match request {
            Request::NotStored(token) => self.lost(token, out),
            Request::Begin(id, key, act) => match self.journal.begin(&key, act.clone()) {
                Ok((Begun::New(row), oldest)) => {
                    self.keep(oldest, out);
                    let token = self.store(row, out);
                    self.beginning.insert(token, (id, key, act));
                }
                Ok((Begun::Known(call), _)) => self.found(id, call::write(&key, &call)),
                Err(code) => self.answers.push(Answer::Lost(id, code)),
            },
            Request::Call(id, key) => self.show(id, &key),
            Request::Calls(id) => {
                let all = self.journal.all().into_iter().map(|(key, call)| call::write(key, call));
                let all = list(all).into();
                self.found(id, all);
            }
            Request::NextEvent(id) => {
                self.waiting.push(id);
                self.tell();
            }
            Request::Handled(id, event) => match self.journal.handled(event) {
                Some(row) => {
                    let token = self.store(row, out);
                    self.handling.insert(token, id);
                }
                // It has moved on, or was handled: the newer one is still told.
                None => self.found(id, JsValue::UNDEFINED),
            },
        }
    }

    /// What waited for a row that is lost has not happened. A transaction is held until its row is written after all.
    fn lost(&mut self, token: u64, out: &mut Vec<Output>) {
        if let Some((id, key, _)) = self.beginning.remove(&token) {
            let gone = self.journal.forget(&key);
            self.keep(Some(gone), out);
            self.answers.push(Answer::Lost(id, NOT_STORED));
        }
        if let Some(id) = self.handling.remove(&token) {
            self.answers.push(Answer::Lost(id, NOT_STORED));
        }
        if self.held.contains_key(&token) {
            self.unwritten.push(token);
        }
    }

    /// Takes what is the journal's out of what a disk gave back, and lets the client wait for what was sent.
    pub(crate) fn load(
        &mut self,
        rows: Vec<(String, Vec<u8>)>,
        client: &mut Client,
        out: &mut Vec<Output>,
    ) -> Vec<(String, Vec<u8>)> {
        let mut kept = Vec::new();
        let mut rest = Vec::new();
        for (name, row) in rows {
            match name.strip_prefix(ROWS) {
                Some(short) => kept.push((short.to_owned(), row)),
                None => rest.push((name, row)),
            }
        }
        let (journal, changes, flight) = Journal::restore(self.chain, kept);
        self.journal = journal;
        for change in changes {
            self.keep(Some(change), out);
        }
        if let Some(flight) = flight {
            client.resume(flight);
        }
        rest
    }

    /// Sees what happened outside, before the client does.
    pub(crate) fn watch(&mut self, input: &Input, out: &mut Vec<Output>) {
        if let Input::Unwant(id) = input {
            return self.waiting.retain(|waiting| waiting.0 != id.0);
        }
        let change = if let Input::Answered(ask, _) | Input::Unreachable(ask) = input {
            self.journal.answered(*ask, None)
        } else if let Input::Refused(ask, code) = input {
            self.journal.answered(*ask, Some(*code))
        } else {
            return;
        };
        self.keep(change, out);
        self.tell();
    }

    /// Holds each transaction that a row belongs to until that is durable, and takes what the journal has looked up.
    pub(crate) fn hold(&mut self, client: &mut Client, out: &mut Vec<Output>) {
        if out.iter().any(is_submit) {
            let shown = client.snapshot();
            for order in core::mem::take(out) {
                if let Output::Ask(id, Query::Submit(bytes)) = &order
                    && let Some(row) = self.journal.sending(*id, bytes, &shown)
                {
                    let token = self.store(row.clone(), out);
                    self.held.insert(token, (order, row));
                } else {
                    out.push(order);
                }
            }
            self.tell();
        }
        while let Some(place) = out.iter().position(is_read) {
            let order = out.remove(place);
            let change = if let Output::Found(_, found) = order {
                self.journal.found(Ok(&found))
            } else if let Output::Lost(_, code) = order {
                self.journal.found(Err(code))
            } else {
                None
            };
            self.keep(change, out);
            self.follow(client, out);
        }
    }

    /// Reads the next block in which something may have come.
    fn follow(&mut self, client: &mut Client, out: &mut Vec<Output>) {
        let (question, change) = self.journal.follow(client);
        self.keep(change, out);
        if self.journal.take_gap() {
            out.push(Output::Notify(Notice::Trouble(GAP)));
        }
        if let Some(question) = question {
            client.look_up(READING, question, out);
        }
        self.tell();
    }

    /// A row is durable. Returns whether it is one of the journal's.
    pub(crate) fn kept(
        &mut self,
        StoreToken(token): StoreToken,
        (now, clock): (Moment, UnixMillis),
        client: &mut Client,
        out: &mut Vec<Output>,
    ) -> bool {
        if let Some((id, key, act)) = self.beginning.remove(&token) {
            let done = act.command().ok_or("options/invalid").and_then(|command| {
                client.command(now, clock, command, out).map_err(|error| error.code())
            });
            match done {
                Ok(()) => {
                    let change = self.journal.paid(&key, &client.snapshot());
                    self.keep(change, out);
                    self.hold(client, out);
                    self.show(id, &key);
                }
                Err(code) => {
                    let gone = self.journal.forget(&key);
                    self.keep(Some(gone), out);
                    self.answers.push(Answer::Lost(id, code));
                }
            }
            self.tell();
        }
        if let Some(id) = self.handling.remove(&token) {
            self.found(id, JsValue::UNDEFINED);
        }
        out.extend(self.held.remove(&token).map(|(order, _)| order));
        token >= FIRST
    }

    /// Learns from what is shown how far each call is.
    pub(crate) fn look(&mut self, client: &mut Client, out: &mut Vec<Output>) {
        for token in self.unwritten.drain(..) {
            if let Some((_, (name, row))) = self.held.get(&token) {
                out.push(Output::Store(StoreToken(token), format!("{ROWS}{name}"), row.clone()));
            }
        }
        for change in self.journal.shown(&client.snapshot()) {
            self.keep(Some(change), out);
        }
        self.follow(client, out);
    }

    /// Tells the oldest change to whoever waits. Those who are told the same twice handle it once.
    fn tell(&mut self) {
        let Some(event) = self.journal.next_event() else { return };
        for id in self.waiting.drain(..) {
            let call = match event {
                Event::Call(key, call) => call::write(key, call),
                Event::Came(one) => call::write_came(one),
            };
            let event = object([("id", number(event.id())), ("call", call)]);
            self.answers.push(Answer::Found(id, event));
        }
    }

    fn show(&mut self, id: LookupId, key: &str) {
        self.answers.push(match self.journal.get(key) {
            Some(call) => Answer::Found(id, call::write(key, call)),
            None => Answer::Lost(id, "call/unknown-key"),
        });
    }

    fn found(&mut self, id: LookupId, found: JsValue) {
        self.answers.push(Answer::Found(id, found));
    }

    fn keep(&mut self, change: Option<Change>, out: &mut Vec<Output>) {
        if let Some(row) = change {
            self.store(row, out);
        }
    }

    fn store(&mut self, (name, row): Change, out: &mut Vec<Output>) -> u64 {
        let token = self.next;
        self.next = token.saturating_add(1);
        out.push(Output::Store(StoreToken(token), format!("{ROWS}{name}"), row));
        token
    }
}

const fn is_submit(order: &Output) -> bool {
    matches!(order, Output::Ask(_, Query::Submit(_)))
}

fn is_read(order: &Output) -> bool {
    matches!(order, Output::Found(READING, _) | Output::Lost(READING, _))
}
