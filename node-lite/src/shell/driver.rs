//! Runs one node on a thread of its own: one input at a time, writes synced before what depends on them is sent.

use super::store::Store;
use crate::{
    storage::StorageError,
    supernode::{Fault, Input, Output, Supernode},
};
use antiphon_core::time::Moment;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Messages that wait for a node. Chosen here: more than all others say in a second; what does not fit is lost, which
/// every machine bears.
const MAX_QUEUED: usize = 4096;
/// A node with nothing to wait for looks up this often.
const IDLE: Duration = Duration::from_secs(1);

/// What a node's thread is told.
enum Event {
    Bytes(u16, Arc<[u8]>),
    Call(Call),
    Stop,
}

/// Work that another thread wants done on the node.
type Call = Box<dyn FnOnce(&mut Supernode<Store>, &mut Vec<Output>) + Send>;

/// A way to reach a node's thread. Clones reach the same node.
#[derive(Clone)]
pub struct Handle {
    sender: SyncSender<Event>,
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

    /// Asks the thread to end after what it is doing.
    pub fn stop(&self) {
        // A full queue ends with the process.
        let _ = self.sender.try_send(Event::Stop);
    }
}

/// A node's mailbox, made before the node so that all nodes know each other.
#[derive(Debug)]
pub struct Mailbox {
    handle: Handle,
    receiver: Receiver<Event>,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Event")
    }
}

impl Default for Mailbox {
    fn default() -> Self {
        let (sender, receiver) = sync_channel(MAX_QUEUED);
        Self { handle: Handle { sender }, receiver }
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
        let origin_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Self { began: Instant::now(), origin_ms }
    }

    /// Returns the present moment.
    pub fn now(&self) -> Moment {
        Moment::ZERO.after(self.began.elapsed())
    }
}

/// One node with its surroundings.
#[derive(Debug)]
pub struct Driver {
    /// Its number among its neighbours.
    pub index: u16,
    /// Its machine.
    pub node: Supernode<Store>,
    /// Its disk.
    pub store: Store,
    /// Its mailbox.
    pub mailbox: Mailbox,
    /// Every node, itself included.
    pub all: Vec<Handle>,
    /// The time.
    pub clock: Clock,
}

impl Driver {
    /// Runs until stopped. `after` sees the node after every input.
    ///
    /// # Errors
    /// [`StorageError`] if the disk fails: a node that cannot write must not speak.
    pub fn run(
        mut self,
        first: Vec<Output>,
        mut after: impl FnMut(&Supernode<Store>),
    ) -> Result<(), StorageError> {
        self.carry_out(first)?;
        after(&self.node);
        loop {
            let now = self.clock.now();
            let wait = self.node.deadline().map_or(IDLE, |at| at.since(now).min(IDLE));
            let event = match self.mailbox.receiver.recv_timeout(wait) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            let (now, mut out) = (self.clock.now(), Vec::new());
            match event {
                Some(Event::Stop) => return Ok(()),
                Some(Event::Bytes(from, bytes)) => {
                    self.node.handle(now, Input::Message(from, bytes.to_vec()), &mut out);
                }
                Some(Event::Call(call)) => call(&mut self.node, &mut out),
                None => {}
            }
            // A busy mailbox must not keep a timer from its due.
            if self.node.deadline().is_some_and(|at| at <= now) {
                self.node.handle(now, Input::Tick, &mut out);
            }
            self.carry_out(out)?;
            after(&self.node);
        }
    }

    fn carry_out(&mut self, outputs: Vec<Output>) -> Result<(), StorageError> {
        let mut queue: VecDeque<Output> = outputs.into();
        while let Some(output) = queue.pop_front() {
            match output {
                Output::Store(token, batch) => {
                    self.store.write(&batch)?;
                    let mut out = Vec::new();
                    self.node.handle(self.clock.now(), Input::Stored(token), &mut out);
                    queue.extend(out);
                }
                Output::Broadcast(bytes) => {
                    let bytes: Arc<[u8]> = bytes.into();
                    for (index, peer) in (0_u16..).zip(&self.all) {
                        if index != self.index {
                            self.send(peer, &bytes);
                        }
                    }
                }
                Output::Send(peer, bytes) => {
                    let count = u16::try_from(self.all.len()).unwrap_or(u16::MAX);
                    // Asking oneself is asking a neighbour.
                    let peer = if peer == self.index { peer.wrapping_add(1) } else { peer };
                    let peer = peer.checked_rem(count).unwrap_or(0);
                    if let Some(handle) = self.all.get(usize::from(peer)) {
                        self.send(handle, &bytes.into());
                    }
                }
                Output::Fault(Fault::Stopped(error)) => {
                    tracing::error!(node = self.index, %error, "the node has stopped");
                    return Err(StorageError(error.to_string()));
                }
                Output::Fault(fault) => tracing::warn!(node = self.index, %fault, "fault"),
            }
        }
        Ok(())
    }

    fn send(&self, to: &Handle, bytes: &Arc<[u8]>) {
        match to.sender.try_send(Event::Bytes(self.index, bytes.clone())) {
            // A stopped or overwhelmed neighbour asks again for what it missed.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}
