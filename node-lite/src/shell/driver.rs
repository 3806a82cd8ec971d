//! Runs one node on a thread of its own: one input at a time, writes synced before what depends on them is sent.
//!
//! How bytes reach other nodes is a [`Carrier`]'s affair: [`channel`] joins threads of one process, `shell::net` joins
//! processes. Who looks at the node from outside is a [`Watch`].

pub mod channel;
pub mod sync;
#[cfg(test)]
mod tests;

use super::store::Store;
use crate::{
    bft::{self, Peer},
    guardian,
    storage::StorageError,
    supernode::{Fault, Input, Output, Supernode},
};
use antiphon_core::time::{Moment, millis};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Messages that wait for a node. Chosen here: more than all others say in a second; what does not fit is lost, which
/// every machine bears.
const MAX_QUEUED: usize = 4096;
/// Bytes of messages that wait for a node. Chosen here: thirty-two of the longest.
const MAX_QUEUED_BYTES: usize = 64 << 20;
/// A node with nothing to wait for looks up this often.
const IDLE: Duration = Duration::from_secs(1);

/// Names a message that was delivered, so that its judgement can be told to whoever brought it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What the machine thinks of a message, as far as it is known before anything that follows from it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Fair,
    /// No honest node sends it.
    Foul,
    /// Nobody here can tell. It is not passed on, and nobody is blamed.
    Unjudged,
}

/// How one node's bytes reach the others. Loss is borne by every machine, so nothing here can fail.
pub trait Carrier {
    /// Sends these bytes to every other node.
    fn broadcast(&mut self, bytes: Vec<u8>);

    /// Sends these bytes to one neighbour; to any, if there is none of this number (any more) or it is the node itself.
    fn send(&mut self, to: Peer, bytes: Vec<u8>);

    /// Hears what a delivered message was worth: once for each ticket.
    fn judged(&mut self, ticket: Ticket, verdict: Verdict);

    /// Hears of a neighbour that forged something itself: it is to be cut off for a while.
    fn blame(&mut self, peer: Peer);
}

/// Who looks at a node from its own thread.
pub trait Watch {
    /// Sees the node after every input.
    fn after(&mut self, node: &Supernode<Store>);

    /// A batch was written, and how long that took.
    fn stored(&mut self, took: Duration);

    /// Something went wrong.
    fn fault(&mut self, fault: &Fault);
}

/// What a node's thread is told.
enum Event {
    Bytes(Peer, Arc<[u8]>, Option<Ticket>),
    Neighbours(Vec<Peer>),
    Call(Call),
    /// Nothing but what the flag says.
    Stop,
}

/// Work that another thread wants done on the node.
type Call = Box<dyn FnOnce(&mut Supernode<Store>, &mut Vec<Output>) + Send>;

/// A way to reach a node's thread. Clones reach the same node.
#[derive(Clone)]
pub struct Handle {
    sender: SyncSender<Event>,
    stopping: Arc<AtomicBool>,
    queued_bytes: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle")
    }
}

/// The node's thread has ended or is overwhelmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node is busy or stopped")]
pub struct Unavailable;

impl Handle {
    /// Runs `work` on the node's thread and returns what it returns.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Supernode<Store>, &mut Vec<Output>) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let call: Call = Box::new(move |node, out| {
            // The asker may be gone; the work is done all the same.
            let _ = reply.send(work(node, out));
        });
        self.sender.try_send(Event::Call(call)).map_err(|_| Unavailable)?;
        answer.await.map_err(|_| Unavailable)
    }

    /// Brings bytes of a neighbour. Returns whether they will be looked at: a node that is behind lets them go.
    pub fn deliver(&self, from: Peer, bytes: Arc<[u8]>, ticket: Option<Ticket>) -> bool {
        let length = bytes.len();
        let before = self.queued_bytes.fetch_add(length, Ordering::AcqRel);
        let fits = before.saturating_add(length) <= MAX_QUEUED_BYTES;
        let taken = fits && self.sender.try_send(Event::Bytes(from, bytes, ticket)).is_ok();
        if !taken {
            self.queued_bytes.fetch_sub(length, Ordering::AcqRel);
        }
        taken
    }

    /// Says who the neighbours are now. Returns whether the node will know it.
    pub fn set_neighbours(&self, neighbours: Vec<Peer>) -> bool {
        self.sender.try_send(Event::Neighbours(neighbours)).is_ok()
    }

    /// Asks the thread to end after what it is doing.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        // Wakes it; a full queue is no sleep.
        let _ = self.sender.try_send(Event::Stop);
    }
}

/// A node's mailbox, made before the node so that all nodes know each other.
#[derive(Debug)]
pub struct Mailbox {
    handle: Handle,
    receiver: Receiver<Event>,
    /// Who they were when somebody read it before the node did.
    neighbours: Vec<Peer>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Event")
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        let stopping = Arc::new(AtomicBool::new(false));
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let handle = Handle { sender, stopping, queued_bytes };
        Self { handle, receiver, neighbours: Vec::new() }
    }
}

impl Mailbox {
    /// Returns a way to reach the node that will own this mailbox.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

/// The time that machines see: milliseconds since the process began, and what that was on the wall.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    /// Milliseconds since 1970 at the beginning.
    pub origin_ms: u64,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let origin_ms = millis(wall);
        Self { began: Instant::now(), origin_ms }
    }

    /// Returns the present moment.
    pub fn now(&self) -> Moment {
        Moment::ZERO.after(self.began.elapsed())
    }
}

/// One node with its surroundings.
#[derive(Debug)]
pub struct Driver<C> {
    /// Its number, for the log.
    pub index: u16,
    /// Its machine.
    pub node: Supernode<Store>,
    /// Its disk.
    pub store: Store,
    /// Its mailbox.
    pub mailbox: Mailbox,
    /// The way to the others.
    pub carrier: C,
    /// The time.
    pub clock: Clock,
}

impl<C: Carrier> Driver<C> {
    /// Runs until stopped.
    ///
    /// # Errors
    /// [`StorageError`] if the disk fails: a node that cannot write must not speak.
    pub fn run(mut self, first: Vec<Output>, watch: &mut impl Watch) -> Result<(), StorageError> {
        self.carry_out(first, watch)?;
        let (neighbours, mut out) = (std::mem::take(&mut self.mailbox.neighbours), Vec::new());
        if !neighbours.is_empty() {
            self.node.handle(self.clock.now(), Input::Neighbours(neighbours), &mut out);
            self.carry_out(out, watch)?;
        }
        watch.after(&self.node);
        while !self.mailbox.handle.stopping.load(Ordering::Acquire) {
            let now = self.clock.now();
            let wait = self.node.deadline().map_or(IDLE, |at| at.since(now).min(IDLE));
            let event = match self.mailbox.receiver.recv_timeout(wait) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let (now, mut out) = (self.clock.now(), Vec::new());
            match event {
                Some(Event::Bytes(from, bytes, ticket)) => {
                    self.mailbox.handle.queued_bytes.fetch_sub(bytes.len(), Ordering::AcqRel);
                    self.node.handle(now, Input::Message(from, bytes.to_vec()), &mut out);
                    if let Some(ticket) = ticket {
                        // Before the disk is asked: neighbours wait for this to pass the message on.
                        self.carrier.judged(ticket, verdict(&out));
                    }
                }
                Some(Event::Neighbours(neighbours)) => {
                    self.node.handle(now, Input::Neighbours(neighbours), &mut out);
                }
                Some(Event::Call(call)) => call(&mut self.node, &mut out),
                Some(Event::Stop) | None => {}
            }
            // A busy mailbox must not keep a timer from its due.
            if self.node.deadline().is_some_and(|at| at <= now) {
                self.node.handle(now, Input::Tick, &mut out);
            }
            self.carry_out(out, watch)?;
            watch.after(&self.node);
        }
        Ok(())
    }

    fn carry_out(
        &mut self,
        outputs: Vec<Output>,
        watch: &mut impl Watch,
    ) -> Result<(), StorageError> {
        let mut queue: VecDeque<Output> = outputs.into();
        while let Some(output) = queue.pop_front() {
            match output {
                Output::Store(token, batch) => {
                    let began = Instant::now();
                    self.store.write(&batch)?;
                    watch.stored(began.elapsed());
                    let mut out = Vec::new();
                    self.node.handle(self.clock.now(), Input::Stored(token), &mut out);
                    queue.extend(out);
                }
                Output::Broadcast(bytes) => self.carrier.broadcast(bytes),
                Output::Send(peer, bytes) => self.carrier.send(peer, bytes),
                Output::Fault(fault) => {
                    watch.fault(&fault);
                    if let Fault::Guardian(guardian::Fault::Forged(peer)) = &fault {
                        self.carrier.blame(*peer);
                    }
                    if let Fault::Stopped(error) = fault {
                        tracing::error!(node = self.index, %error, "the node has stopped");
                        return Err(StorageError(error.to_string()));
                    }
                    tracing::warn!(node = self.index, %fault, "fault");
                }
            }
        }
        Ok(())
    }
}

/// Reads from the outputs of a message what it was worth. What is merely old, early or known is fair.
fn verdict(outputs: &[Output]) -> Verdict {
    let foul = outputs.iter().any(|output| {
        matches!(
            output,
            Output::Fault(
                Fault::Malformed(_)
                    | Fault::Bft(bft::Fault::BadMessage(_))
                    | Fault::Guardian(guardian::Fault::BadMessage(_))
            )
        )
    });
    if foul { Verdict::Foul } else { Verdict::Fair }
}
