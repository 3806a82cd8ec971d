//! Who keeps a client for an application: does what it asks, writes down what moves money before it moves, and tells what
//! becomes of it.

mod playing;
mod request;

pub(crate) use playing::Ask;
pub(crate) use request::{Reply, Request};

use crate::{
    call::{CallView, MoneyEvent},
    error::AntiphonError,
    event::{AntiphonEvent, Teller},
    sharing::{SharingView, Surroundings, UploadTerms},
};
use antiphon_core::{
    chain::light::Standing,
    client::{
        Exhibit, Found, Input, LookupId, Notice, Output, Query, Snapshot, WantId,
        journal::{Act, Begun, Change, Event, GAP, Journal},
    },
    delivery::sharing::{self, Sharing},
    id::ChainId,
    time::Moment,
};
use antiphon_host::{
    clock,
    desk::Desk,
    giving::Giving,
    keeper::{Keeper, Ticket},
    links::Links,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;

/// Mean time between two snapshots that are told. Chosen here: four a second look alive, as in a page.
const PAUSE: Duration = Duration::from_millis(250);

/// What an application sees of a client, and of what it gives.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) client: Snapshot,
    pub(crate) sharing: SharingView,
}

/// How an application hears of a client.
#[derive(Clone, Debug)]
pub(crate) struct Ears {
    pub(crate) shown: watch::Sender<Arc<Shown>>,
    pub(crate) events: Teller,
}

impl Ears {
    /// Makes what tells of a client that has not begun.
    pub(crate) fn new(terms: UploadTerms) -> Self {
        let sharing = Sharing::new(terms.into(), Surroundings::default().into(), 0).view().into();
        let shown = Arc::new(Shown { client: Snapshot::default(), sharing });
        Self { shown: watch::Sender::new(shown), events: Teller::new() }
    }
}

/// Keeps a client for an application.
#[derive(Debug)]
pub(crate) struct Secretary {
    chain: ChainId,
    journal: Journal,
    ears: Ears,
    /// Calls whose row is being written.
    beginning: BTreeMap<Ticket, (String, Act, Reply<CallView>)>,
    /// Events whose handling is being written.
    handling: BTreeMap<Ticket, Reply<()>>,
    /// Who waits for an event.
    waiting: Vec<Reply<MoneyEvent>>,
    lookups: BTreeMap<LookupId, Reply<Found>>,
    proofs: BTreeMap<LookupId, Reply<Exhibit>>,
    /// The block that the journal reads.
    reading: Option<LookupId>,
    giving: Giving,
    /// Who waits for what a player asks.
    playing: BTreeMap<WantId, Reply<Vec<u8>>>,
    is_changed: bool,
    tells_at: Moment,
}

impl Secretary {
    pub(crate) fn new(chain: ChainId, ears: Ears, giving: Giving) -> Self {
        Self {
            chain,
            journal: Journal::restore(chain, Vec::new()).0,
            ears,
            beginning: BTreeMap::new(),
            handling: BTreeMap::new(),
            waiting: Vec::new(),
            lookups: BTreeMap::new(),
            proofs: BTreeMap::new(),
            reading: None,
            giving,
            playing: BTreeMap::new(),
            is_changed: true,
            tells_at: Moment::ZERO,
        }
    }

    fn begin<L: Links>(
        &mut self,
        key: String,
        act: Act,
        reply: Reply<CallView>,
        desk: &mut Desk<L>,
    ) {
        match self.journal.begin(&key, act.clone()) {
            Ok((Begun::New(row), oldest)) => {
                keep(desk, oldest);
                let ticket = desk.keep(&row.0, row.1);
                self.beginning.insert(ticket, (key, act, reply));
            }
            Ok((Begun::Known(call), _)) => answer(reply, Ok(CallView::new(&key, &call))),
            Err("options/invalid") => answer(reply, Err(AntiphonError::invalid("key"))),
            Err(code) => answer(reply, Err(AntiphonError::refused(code))),
        }
    }

    /// The row is durable: the command is given.
    fn go<L: Links>(&mut self, key: String, act: Act, reply: Reply<CallView>, desk: &mut Desk<L>) {
        let command = act.command().ok_or_else(|| AntiphonError::invalid("purpose"));
        if let Err(error) = command.and_then(|command| Ok(desk.command(command)?)) {
            keep(desk, Some(self.journal.forget(&key)));
            return answer(reply, Err(error));
        }
        keep(desk, self.journal.paid(&key, &desk.snapshot()));
        let call = self.journal.get(&key).map(|call| CallView::new(&key, call));
        answer(reply, call.ok_or_else(|| AntiphonError::refused("call/unknown-key")));
        self.tell_money();
    }

    fn call(&self, key: &str) -> Result<CallView, AntiphonError> {
        let call = self.journal.get(key).map(|call| CallView::new(key, call));
        call.ok_or_else(|| AntiphonError::refused("call/unknown-key"))
    }

    /// Tells the oldest change to whoever waits. Those who are told the same twice handle it once.
    fn tell_money(&mut self) {
        if let Some(event) = self.journal.next_event() {
            let call = match event {
                Event::Call(key, call) => CallView::new(key, call),
                Event::Came(one) => one.into(),
            };
            let event = MoneyEvent { id: event.id(), call };
            for reply in self.waiting.drain(..) {
                answer(reply, Ok(event.clone()));
            }
        }
    }

    /// Shows all, if there is anything new and it is time.
    fn show<L: Links>(&mut self, desk: &mut Desk<L>) {
        let now = desk.now();
        let sharing = self.giving.view().into();
        let is_news = self.is_changed || self.ears.shown.borrow().sharing != sharing;
        if !is_news || now < self.tells_at {
            return;
        }
        self.is_changed = false;
        self.tells_at = now.after(PAUSE);
        let client = desk.snapshot();
        for change in self.journal.shown(&client) {
            keep(desk, Some(change));
        }
        self.follow(desk);
        let shown = Arc::new(Shown { client, sharing });
        let before = self.ears.shown.send_replace(shown.clone());
        let (was, is) = (&before.client.chain, &shown.client.chain);
        if was.is_alarmed != is.is_alarmed {
            self.tell(AntiphonEvent::ForkAlarm { is_raised: is.is_alarmed });
        }
        if is.standing == Standing::Split && was.standing != Standing::Split {
            self.tell(AntiphonEvent::Split);
        }
        // What costs a copy of all is made for whoever listens.
        if self.ears.events.is_heard() {
            self.tell(AntiphonEvent::Changed { snapshot: (&*shown).into() });
        }
    }

    /// Reads the next block in which something may have come.
    fn follow<L: Links>(&mut self, desk: &mut Desk<L>) {
        let (question, change) = self.journal.follow(desk.client());
        keep(desk, change);
        self.reading = question.map(|question| desk.look_up(question)).or(self.reading);
        if self.journal.take_gap() {
            self.tell(AntiphonEvent::Trouble { code: GAP.to_owned() });
        }
        self.tell_money();
    }

    /// The journal's block was found, or why it was not.
    fn read<L: Links>(&mut self, found: Result<&Found, &str>, desk: &mut Desk<L>) {
        self.reading = None;
        keep(desk, self.journal.found(found));
        self.follow(desk);
    }

    fn tell(&self, event: AntiphonEvent) {
        self.ears.events.tell(event);
    }
}

impl Keeper for Secretary {
    type Request = Request;

    fn serve<L: Links>(&mut self, request: Request, desk: &mut Desk<L>) {
        match request {
            Request::Begin(key, act, reply) => self.begin(key, act, reply, desk),
            Request::Command(command, reply) => {
                answer(reply, desk.command(command).map_err(Into::into));
            }
            Request::Call(key, reply) => answer(reply, self.call(&key)),
            Request::Calls(reply) => {
                let all = self.journal.all().into_iter();
                answer(reply, Ok(all.map(|(key, call)| CallView::new(key, call)).collect()));
            }
            Request::NextEvent(reply) => {
                self.waiting.retain(|waiting| !waiting.is_closed());
                self.waiting.push(reply);
                self.tell_money();
            }
            Request::Handled(change, reply) => match self.journal.handled(change) {
                Some(row) => drop(self.handling.insert(desk.keep(&row.0, row.1), reply)),
                // It has moved on, or was handled: the newer one is still told.
                None => answer(reply, Ok(())),
            },
            Request::LookUp(question, reply) => {
                drop(self.lookups.insert(desk.look_up(question), reply));
            }
            Request::FindPools(reply) => drop(self.lookups.insert(desk.find_pools(), reply)),
            Request::Rows(reply) => desk.read_rows(move |rows| {
                let failed = |_| AntiphonError::unavailable("storage/not-opened");
                answer(reply, rows.map_err(failed));
            }),
            Request::Prove(payment, reply) => drop(self.proofs.insert(desk.prove(payment), reply)),
            Request::Evidence(field, reply) => answer(reply, Ok(desk.client().evidence(field))),
            Request::SignIn(challenge, reply) => {
                answer(reply, challenge.sign(desk.client(), clock::now()));
            }
            Request::ForkProof(reply) => answer(reply, Ok(desk.client().fork_proof())),
            Request::Listen(url, reply) => {
                desk.listen(url);
                answer(reply, Ok(()));
            }
            Request::Play(ask, reply) => self.play(ask, reply, desk),
            Request::Agree(terms, reply) => {
                self.giving.hear(sharing::Input::Agreed(terms.into()), desk);
                answer(reply, Ok(()));
            }
            Request::Surround(around, reply) => {
                self.giving.hear(sharing::Input::Moved(around.into()), desk);
                answer(reply, Ok(()));
            }
            #[cfg(test)]
            Request::Panic => panic!("as a test asked"),
        }
    }

    fn loaded<L: Links>(&mut self, rows: Vec<(String, Vec<u8>)>, desk: &mut Desk<L>) {
        self.giving.loaded(&rows, desk);
        let (journal, changes, flight) = Journal::restore(self.chain, rows);
        self.journal = journal;
        for change in changes {
            keep(desk, Some(change));
        }
        if let Some(flight) = flight {
            desk.resume(flight);
        }
    }

    fn look<L: Links>(&mut self, desk: &mut Desk<L>) {
        self.giving.count(desk);
        self.give_up(desk);
        self.show(desk);
    }

    fn leaving<L: Links>(&mut self, desk: &mut Desk<L>) {
        self.giving.hear(sharing::Input::Left, desk);
    }

    fn before<L: Links>(&mut self, order: &Output, desk: &mut Desk<L>) -> Option<Ticket> {
        let Output::Ask(id, Query::Submit(bytes)) = order else { return None };
        let (name, row) = self.journal.sending(*id, bytes, &desk.snapshot())?;
        self.tell_money();
        Some(desk.keep(&name, row))
    }

    fn hear<L: Links>(&mut self, told: Output, desk: &mut Desk<L>) {
        match told {
            Output::Found(id, found) if self.reading == Some(id) => self.read(Ok(&found), desk),
            Output::Lost(id, code) if self.reading == Some(id) => self.read(Err(code), desk),
            Output::Found(id, found) => {
                self.lookups
                    .remove(&id)
                    .into_iter()
                    .for_each(|reply| answer(reply, Ok((*found).clone())));
            }
            Output::Shown(id, exhibit) => {
                self.proofs
                    .remove(&id)
                    .into_iter()
                    .for_each(|reply| answer(reply, Ok((*exhibit).clone())));
            }
            Output::Lost(id, code) => {
                let error = || AntiphonError::refused(code);
                self.lookups.remove(&id).into_iter().for_each(|reply| answer(reply, Err(error())));
                self.proofs.remove(&id).into_iter().for_each(|reply| answer(reply, Err(error())));
            }
            // What was loaded must not be played; of what fails nobody can tell.
            Output::Deliver(id, bytes) => self.played(id, Ok(bytes)),
            Output::Refuse(id, code) => self.played(id, Err(AntiphonError::refused(code))),
            Output::Fail(id, code) => self.played(id, Err(AntiphonError::unavailable(code))),
            Output::Notify(Notice::Changed) => {
                self.is_changed = true;
                self.show(desk);
            }
            Output::Notify(notice) => {
                if let Some(event) = AntiphonEvent::of(&notice) {
                    self.tell(event);
                }
            }
            Output::Http(..)
            | Output::CancelHttp(_)
            | Output::Ask(..)
            | Output::ConnectTracker(_)
            | Output::TrackerSend(_)
            | Output::CloseTracker
            | Output::CreateLink(..)
            | Output::AcceptAnswer(..)
            | Output::AddCandidates(..)
            | Output::CloseLink(_)
            | Output::Send(..)
            | Output::Store(..) => {}
        }
    }

    fn watch<L: Links>(&mut self, input: &Input, desk: &mut Desk<L>) {
        let change = if let Input::Answered(ask, _) | Input::Unreachable(ask) = input {
            self.journal.answered(*ask, None)
        } else if let Input::Refused(ask, code) = input {
            self.journal.answered(*ask, Some(*code))
        } else {
            return;
        };
        keep(desk, change);
        self.tell_money();
    }

    fn kept<L: Links>(&mut self, ticket: Ticket, desk: &mut Desk<L>) {
        if let Some((key, act, reply)) = self.beginning.remove(&ticket) {
            self.go(key, act, reply, desk);
        }
        if let Some(reply) = self.handling.remove(&ticket) {
            answer(reply, Ok(()));
        }
        self.giving.kept(ticket, desk);
    }
}

fn keep<L: Links>(desk: &mut Desk<L>, change: Option<Change>) {
    if let Some((name, row)) = change {
        desk.keep(&name, row);
    }
}

fn answer<T>(reply: Reply<T>, what: Result<T, AntiphonError>) {
    // Whoever asked may have given up.
    let _ = reply.send(what);
}
