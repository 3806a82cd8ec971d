//! The loop around the client: one input in, its orders carried out in sequence, one timer for all deadlines. What a
//! page's worker is, without a page.
//!
//! ```text
//! links, tracker, disk, HTTP, node --> Event --> client, tuner, steward --> orders --> the same
//! ```
//!
//! It decides nothing. Orders only begin things; what becomes of them is an event, so no machine is entered twice.

mod errands;
mod events;

pub use errands::Errands;
pub use events::{Done, Events, Tellers, events};

use super::{
    counts::Counts,
    disk::{Disk, Row, Written},
    links::Links,
    socket::Socket,
};
use crate::{
    peer::{
        steward::Steward,
        tuner::{self, Outcome, Tuner},
    },
    shell::http::now as clock,
};
use antiphon_core::{
    client::{Client, Command, CommandError, Input, Notice, Output, Snapshot},
    time::Moment,
};
use events::of_link;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

/// Between two looks at how all stands.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two lines of the log.
const LOOKS_A_LINE: u32 = 30;
/// How long the last writes may take when the peer is being stopped.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// What the machines are.
#[derive(Debug)]
pub struct Machines {
    /// As in a page.
    pub client: Client,
    /// Wants segments.
    pub tuner: Tuner,
    /// Keeps money in order.
    pub steward: Steward,
}

/// What the machines use.
#[derive(Debug)]
pub struct Means<L> {
    /// Data channels.
    pub links: L,
    /// The tracker.
    pub socket: Socket,
    /// Rows.
    pub disk: Disk,
    /// HTTP: origins and the chain's node.
    pub errands: Errands,
}

/// One client and what it uses.
#[derive(Debug)]
pub struct Host<L> {
    machines: Machines,
    means: Means<L>,
    counts: Arc<Counts>,
    began: Instant,
    next_look: Moment,
    looks: u32,
    /// Writes that are under way.
    writing: usize,
}

impl<L: Links> Host<L> {
    /// Makes a host.
    pub fn new(machines: Machines, means: Means<L>, counts: Arc<Counts>) -> Self {
        Self {
            machines,
            means,
            counts,
            began: Instant::now(),
            next_look: Moment::ZERO,
            looks: 0,
            writing: 0,
        }
    }

    /// Begins with the rows of before, and runs until `stop` resolves; then pays what it owes and says goodbye.
    ///
    /// # Errors
    /// A disk that failed: nothing was said that is not written.
    pub async fn run(
        &mut self,
        rows: Vec<Row>,
        events: &mut Events,
        stop: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        tokio::pin!(stop);
        self.feed(Input::Loaded(rows))?;
        loop {
            let wait = self.wait();
            tokio::select! {
                // One of those that have something, by chance: no source starves another.
                Some(event) = events.links.recv() => self.feed(of_link(event))?,
                Some(event) = events.socket.recv() => {
                    if let Some(input) = self.means.socket.hear(event) {
                        self.feed(input)?;
                    }
                }
                Some(written) = events.disk.recv() => self.written(written)?,
                Some(done) = events.errands.recv() => self.done(done)?,
                () = sleep(wait) => self.tick()?,
                asked = &mut stop => {
                    asked?;
                    break;
                }
            }
        }
        self.stop(events).await
    }

    /// Ends the client and waits for its last writes.
    async fn stop(&mut self, events: &mut Events) -> anyhow::Result<()> {
        // Whatever it refuses, it is over.
        let _ = self.command(Command::Stop)?;
        self.means.errands.cancel_all();
        let last = async {
            while self.writing > 0 {
                let Some(written) = events.disk.recv().await else { break };
                self.written(written)?;
            }
            anyhow::Ok(())
        };
        timeout(LAST_WRITES, last).await.unwrap_or(Ok(()))?;
        self.look();
        Ok(())
    }

    /// Returns the links, to be ended.
    pub fn into_links(self) -> L {
        self.means.links
    }

    fn now(&self) -> Moment {
        Moment::ZERO.after(self.began.elapsed())
    }

    /// Returns how long nothing is due.
    fn wait(&self) -> Duration {
        let machines = [self.machines.client.deadline(), self.machines.tuner.deadline()];
        let due = machines.into_iter().flatten().chain([self.next_look]).min();
        due.map_or(LOOK, |due| due.since(self.now()))
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        let now = self.now();
        self.feed(Input::Tick)?;
        self.tune(tuner::Input::Tick)?;
        if now >= self.next_look {
            self.next_look = now.after(LOOK);
            let shown = self.look();
            self.advise(&shown)?;
        }
        Ok(())
    }

    /// Shows how all stands, and returns it.
    fn look(&mut self) -> Snapshot {
        let shown = self.machines.client.snapshot();
        self.counts.show(&shown, self.machines.tuner.stats());
        if self.looks.is_multiple_of(LOOKS_A_LINE) {
            let delivery = &shown.delivery;
            tracing::info!(
                peers = shown.peers.len(),
                from_peers = delivery.from_peers,
                from_origin = delivery.from_origin,
                to_peers = delivery.to_peers,
                cached = delivery.cached,
                vouchers_in = %shown.wallet.vouchers_in.units(),
                "carrying"
            );
        }
        self.looks = self.looks.wrapping_add(1);
        shown
    }

    /// Lets the steward ask for something.
    fn advise(&mut self, shown: &Snapshot) -> anyhow::Result<()> {
        let Some(command) = self.machines.steward.advise(self.now(), shown) else { return Ok(()) };
        if let Err(error) = self.command(command)? {
            tracing::debug!(code = error.code(), "the client refuses");
            self.machines.steward.refused(&error);
        }
        Ok(())
    }

    fn command(&mut self, command: Command) -> anyhow::Result<Result<(), CommandError>> {
        let (now, mut out) = (self.now(), Vec::new());
        let done = self.machines.client.command(now, clock(), command, &mut out);
        self.act(out)?;
        Ok(done)
    }

    fn feed(&mut self, input: Input) -> anyhow::Result<()> {
        let (now, mut out) = (self.now(), Vec::new());
        self.machines.client.handle(now, clock(), input, &mut out);
        self.act(out)
    }

    fn tune(&mut self, input: tuner::Input) -> anyhow::Result<()> {
        let (now, mut out) = (self.now(), Vec::new());
        self.machines.tuner.handle(now, input, &mut out);
        for output in out {
            match output {
                tuner::Output::Load(url) => self.means.errands.load(url),
                tuner::Output::Tell(id, loaded) => self.feed(Input::Playlist(id, loaded))?,
                tuner::Output::Want(id, wanted) => self.feed(Input::Want(id, wanted))?,
            }
        }
        Ok(())
    }

    fn done(&mut self, done: Done) -> anyhow::Result<()> {
        match done {
            Done::Client(input) => {
                self.means.errands.note(&input);
                self.feed(input)
            }
            Done::Tuner(input) => self.tune(input),
        }
    }

    fn written(&mut self, written: Written) -> anyhow::Result<()> {
        for token in written? {
            self.writing = self.writing.saturating_sub(1);
            self.feed(Input::Stored(token))?;
        }
        Ok(())
    }

    fn act(&mut self, outputs: Vec<Output>) -> anyhow::Result<()> {
        for output in outputs {
            self.carry_out(output)?;
        }
        Ok(())
    }

    fn carry_out(&mut self, output: Output) -> anyhow::Result<()> {
        let means = &mut self.means;
        match output {
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
            Output::Store(token, name, row) => {
                means.disk.write((token, name, row))?;
                self.writing = self.writing.saturating_add(1);
            }
            Output::Deliver(id, _) => self.tune(tuner::Input::Done(id, Outcome::Here))?,
            Output::Refuse(id, _) | Output::Fail(id, _) => {
                self.tune(tuner::Input::Done(id, Outcome::Lost))?;
            }
            Output::Notify(notice) => self.notice(&notice),
            // Nobody asks here.
            Output::Found(..) | Output::Shown(..) | Output::Lost(..) => {}
        }
        Ok(())
    }

    fn notice(&self, notice: &Notice) {
        self.counts.notice(notice);
        match notice {
            Notice::Trouble(code) => tracing::warn!(code, "trouble"),
            Notice::Recovered(code) => tracing::info!(code, "well again"),
            Notice::Banned(code) => tracing::warn!(code, "a peer is banned"),
            Notice::Warning(..) | Notice::Changed => {}
        }
    }
}
