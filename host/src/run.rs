//! The loop around the client: one input in, its orders carried out in sequence, one timer for all deadlines.
//!
//! ```text
//! links, tracker, disk, HTTP, node, requests --> Event --> desk, keeper --> orders --> the same
//! ```

use crate::{
    desk::{Desk, KEEPERS, is_for_keeper, ticket_of},
    disk::{DiskError, Row, Written},
    events::{Done, Events, of_link},
    keeper::Keeper,
    links::Links,
    tuner::{self, Outcome},
};
use antiphon_core::{
    client::{Command, Input, Output, StoreToken},
    time::Moment,
};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

/// Between two looks of the keeper.
const LOOK: Duration = Duration::from_secs(1);
/// How long the last writes may take when the loop is being stopped.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// One client, its hands, and who keeps it.
#[derive(Debug)]
pub struct Host<L, K> {
    desk: Desk<L>,
    keeper: K,
    next_look: Moment,
    /// Writes that are under way.
    writing: usize,
}

impl<L: Links, K: Keeper> Host<L, K> {
    /// Makes a host.
    pub const fn new(desk: Desk<L>, keeper: K) -> Self {
        Self { desk, keeper, next_look: Moment::ZERO, writing: 0 }
    }

    /// Begins with the rows of before, and runs until `stop` resolves; then pays what it owes and says goodbye.
    ///
    /// # Errors
    /// A disk that failed: nothing was said that is not written.
    pub async fn run(
        &mut self,
        rows: Vec<Row>,
        events: &mut Events,
        requests: &mut mpsc::Receiver<K::Request>,
        stop: impl Future<Output = ()>,
    ) -> Result<(), DiskError> {
        tokio::pin!(stop);
        let (kept, rows) = rows.into_iter().partition(|(name, _)| name.starts_with(KEEPERS));
        let short = |(name, row): Row| (name.trim_start_matches(KEEPERS).to_owned(), row);
        self.keeper.loaded(Vec::into_iter(kept).map(short).collect(), &mut self.desk);
        self.desk.feed(Input::Loaded(rows));
        self.act()?;
        loop {
            let wait = self.wait();
            tokio::select! {
                // One of those that have something, by chance: no source starves another.
                Some(event) = events.links.recv() => self.feed(of_link(event))?,
                Some(event) = events.socket.recv() => {
                    if let Some(input) = self.desk.means.socket.hear(event) {
                        self.feed(input)?;
                    }
                }
                Some(written) = events.disk.recv() => self.written(written)?,
                Some(done) = events.errands.recv() => self.done(done)?,
                Some(request) = requests.recv() => {
                    self.keeper.serve(request, &mut self.desk);
                    self.act()?;
                }
                () = sleep(wait) => self.tick()?,
                () = &mut stop => break,
            }
        }
        self.stop(events).await
    }

    /// Ends the client and waits for its last writes.
    async fn stop(&mut self, events: &mut Events) -> Result<(), DiskError> {
        // Whatever it refuses, it is over.
        let _ = self.desk.command(Command::Stop);
        self.keeper.leaving(&mut self.desk);
        self.act()?;
        self.desk.means.errands.cancel_all();
        let last = async {
            while self.writing > 0 {
                let Some(written) = events.disk.recv().await else { break };
                self.written(written)?;
            }
            Ok(())
        };
        timeout(LAST_WRITES, last).await.unwrap_or(Ok(()))?;
        self.keeper.look(&mut self.desk);
        Ok(())
    }

    /// Returns the links, to be ended, and the keeper. The disk is let go.
    pub fn into_parts(self) -> (L, K) {
        (self.desk.means.links, self.keeper)
    }

    /// Returns how long nothing is due.
    fn wait(&self) -> Duration {
        let due = self.desk.deadline().into_iter().chain([self.next_look]).min();
        due.map_or(LOOK, |due| due.since(self.desk.now()))
    }

    fn tick(&mut self) -> Result<(), DiskError> {
        let now = self.desk.now();
        self.desk.feed(Input::Tick);
        self.desk.tune(tuner::Input::Tick);
        self.act()?;
        if now >= self.next_look {
            self.next_look = now.after(LOOK);
            self.keeper.look(&mut self.desk);
            self.act()?;
        }
        Ok(())
    }

    fn feed(&mut self, input: Input) -> Result<(), DiskError> {
        self.keeper.watch(&input, &mut self.desk);
        self.desk.feed(input);
        self.act()
    }

    fn done(&mut self, done: Done) -> Result<(), DiskError> {
        match done {
            Done::Client(input) => {
                self.desk.means.errands.note(&input);
                self.feed(input)
            }
            Done::Tuner(input) => {
                self.desk.tune(input);
                self.act()
            }
        }
    }

    fn written(&mut self, written: Written) -> Result<(), DiskError> {
        for token in written? {
            self.writing = self.writing.saturating_sub(1);
            match ticket_of(token) {
                Some(ticket) => {
                    for order in self.desk.held.remove(&ticket).unwrap_or_default() {
                        self.carry_out(order)?;
                    }
                    self.keeper.kept(ticket, &mut self.desk);
                    self.act()?;
                }
                None => self.feed(Input::Stored(token))?,
            }
        }
        Ok(())
    }

    /// Carries out what was ordered, and what follows from it.
    fn act(&mut self) -> Result<(), DiskError> {
        loop {
            while let Some((ticket, name, row)) = self.desk.rows.pop_front() {
                self.write(StoreToken(ticket.0), name, row)?;
            }
            while let Some(url) = self.desk.loads.pop_front() {
                self.desk.means.errands.load(url);
            }
            let Some(order) = self.desk.orders.pop_front() else { break };
            match self.keeper.before(&order, &mut self.desk) {
                Some(ticket) => self.desk.held.entry(ticket).or_default().push(order),
                None => self.carry_out(order)?,
            }
        }
        Ok(())
    }

    fn write(
        &mut self,
        token: StoreToken,
        name: String,
        row: Option<Vec<u8>>,
    ) -> Result<(), DiskError> {
        self.desk.means.disk.write((token, name, row))?;
        self.writing = self.writing.saturating_add(1);
        Ok(())
    }

    fn carry_out(&mut self, order: Output) -> Result<(), DiskError> {
        if is_for_keeper(&order) {
            self.keeper.hear(order, &mut self.desk);
            return Ok(());
        }
        let means = &mut self.desk.means;
        match order {
            Output::Http(id, order) => means.errands.fetch(id, order),
            Output::CancelHttp(id) => means.errands.cancel(id),
            Output::Ask(id, query) => means.errands.ask(id, query),
            Output::ConnectTracker(url) => means.socket.connect(url),
            Output::TrackerSend(bytes) => means.socket.send(bytes),
            Output::CloseTracker => means.socket.close(),
            Output::CreateLink(link, offer) => means.links.create(link, offer),
            Output::AcceptAnswer(link, sdp) => means.links.accept(link, sdp),
            Output::AddCandidates(link, lines) => means.links.add(link, lines),
            Output::CloseLink(link) => means.links.close(link),
            Output::Send(link, bytes) => means.links.send(link, bytes),
            Output::Store(token, name, row) => self.write(token, name, row)?,
            Output::Deliver(id, _) => self.desk.tune(tuner::Input::Done(id, Outcome::Here)),
            Output::Refuse(id, _) | Output::Fail(id, _) => {
                self.desk.tune(tuner::Input::Done(id, Outcome::Lost));
            }
            told @ (Output::Found(..)
            | Output::Shown(..)
            | Output::Lost(..)
            | Output::Notify(_)) => self.keeper.hear(told, &mut self.desk),
        }
        Ok(())
    }
}
