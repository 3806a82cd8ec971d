//! The task that owns the tracker machine: feeds it, carries out what it orders, keeps its one timer.

use super::{
    Event, MAX_UNREAD, cluster,
    counts::{Counts, Way},
};
use crate::tracker::{Connection, Input, Output, Tracker};
use antiphon_core::time::{Moment, millis};
use axum::body::Bytes;
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use tokio::sync::mpsc;

/// How many of them may have been relayed, so that what others say never closes a listener. Chosen here: half.
const MAX_RELAYED: usize = MAX_UNREAD / 2;

/// Events that are handled before the clock is looked at again. Chosen here.
const MAX_BATCH: usize = 256;

/// How things are, in numbers.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) connections: usize,
    pub(super) streams: usize,
    /// Other trackers that share their swarms; none if there is no cluster.
    pub(super) trackers: Option<usize>,
    /// Whether the cluster's server is there.
    cluster: Option<bool>,
}

type Outboxes = BTreeMap<Connection, mpsc::Sender<Bytes>>;

/// Runs until nobody can say anything any more.
pub(super) async fn drive(
    tracker: Tracker,
    mut inbox: mpsc::Receiver<Event>,
    shares: mpsc::Sender<cluster::Share>,
    counts: Arc<Counts>,
) {
    let start = Instant::now();
    let mut host = Host { tracker, start, outboxes: Outboxes::new(), shares, is_up: false, counts };
    let mut out = Vec::new();
    let mut events = Vec::with_capacity(MAX_BATCH);
    loop {
        let heard = inbox.recv_many(&mut events, MAX_BATCH);
        let count = match host.tracker.deadline() {
            None => heard.await,
            Some(due) => {
                let wait = due.since(at(start));
                // A wait that is over is no end of the channel.
                tokio::time::timeout(wait, heard).await.unwrap_or(usize::MAX)
            }
        };
        if count == 0 {
            return;
        }
        host.tracker.handle(at(start), Input::Tick, &mut out);
        host.carry_out(&mut out);
        for event in events.drain(..) {
            host.feed(event, &mut out);
            host.carry_out(&mut out);
        }
    }
}

/// The machine and what it orders over.
struct Host {
    tracker: Tracker,
    start: Instant,
    outboxes: Outboxes,
    shares: mpsc::Sender<cluster::Share>,
    is_up: bool,
    counts: Arc<Counts>,
}

impl Host {
    fn feed(&mut self, event: Event, out: &mut Vec<Output>) {
        let input = match event {
            Event::Opened(id, caller, outbox) => {
                self.outboxes.insert(id, outbox);
                Input::Opened(id, caller)
            }
            Event::Message(id, bytes) => {
                self.counts.message(Way::In, bytes.len());
                Input::Message(id, bytes.to_vec())
            }
            Event::Closed(id) => {
                self.outboxes.remove(&id);
                Input::Closed(id)
            }
            Event::Cluster(is_up) => {
                self.is_up = is_up;
                if is_up { Input::ClusterUp } else { Input::ClusterDown }
            }
            Event::Shared(bytes) => Input::Shared(bytes),
            Event::Status(asked) => {
                // Whoever asked may have gone.
                let _ = asked.send(self.status());
                return;
            }
        };
        self.tracker.handle(at(self.start), input, out);
    }

    fn status(&self) -> Status {
        let (connections, streams) = self.tracker.load();
        let is_shared = self.tracker.is_shared();
        let trackers = is_shared.then(|| self.tracker.others());
        Status { connections, streams, trackers, cluster: is_shared.then_some(self.is_up) }
    }

    fn carry_out(&mut self, out: &mut Vec<Output>) {
        for output in out.drain(..) {
            match output {
                // What does not fit is noticed by the others, and asked for.
                Output::Share(to, bytes) => {
                    self.counts.message(Way::Share, bytes.len());
                    if self.shares.try_send((to, bytes)).is_err() {
                        self.counts.lost(Way::Share);
                    }
                }
                output @ (Output::Send(..)
                | Output::Relay(..)
                | Output::Refused(..)
                | Output::Close(..)) => {
                    carry_out(&mut self.outboxes, output, &self.counts);
                }
            }
        }
    }
}

fn carry_out(outboxes: &mut Outboxes, output: Output, counts: &Counts) {
    match output {
        // Who does not read loses its outbox, and with it the connection.
        Output::Send(id, bytes) => {
            counts.message(Way::Out, bytes.len());
            if outboxes.get(&id).is_some_and(|outbox| outbox.try_send(bytes.into()).is_err()) {
                counts.lost(Way::Out);
                outboxes.remove(&id);
            }
        }
        Output::Relay(id, bytes) => {
            let has_room = |outbox: &&mpsc::Sender<Bytes>| {
                outbox.max_capacity().saturating_sub(outbox.capacity()) < MAX_RELAYED
            };
            counts.message(Way::Relay, bytes.len());
            // It is said again by whom it concerns; a listener that has just gone is no loss.
            match outboxes.get(&id).filter(has_room) {
                Some(outbox) => drop(outbox.try_send(bytes.into())),
                None => counts.lost(Way::Relay),
            }
        }
        Output::Refused(id, why) => {
            counts.refused(why.code());
            tracing::debug!(connection = id.0, reason = why.code(), "its token does not hold");
        }
        Output::Close(id, reason) => {
            counts.closed(reason.code());
            tracing::debug!(connection = id.0, reason = reason.code(), "closed");
            outboxes.remove(&id);
        }
        Output::Share(..) => {}
    }
}

fn at(start: Instant) -> Moment {
    Moment::from_millis(millis(start.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: Connection = Connection(1);

    fn outboxes() -> (Outboxes, mpsc::Receiver<Bytes>) {
        let (outbox, messages) = mpsc::channel(MAX_UNREAD);
        (Outboxes::from([(READER, outbox)]), messages)
    }

    #[test]
    fn what_is_relayed_to_who_does_not_read_is_dropped_and_does_not_close_it() {
        let ((mut outboxes, mut messages), counts) = (outboxes(), Counts::default());
        for n in 0..=u8::MAX {
            carry_out(&mut outboxes, Output::Relay(READER, vec![n]), &counts);
        }
        assert!(outboxes.contains_key(&READER));
        let own = MAX_UNREAD - MAX_RELAYED;
        for _ in 0..own {
            carry_out(&mut outboxes, Output::Send(READER, vec![7]), &counts);
        }
        assert!(outboxes.contains_key(&READER), "there is room for what the tracker says itself");
        let read: Vec<_> = std::iter::from_fn(|| messages.try_recv().ok()).collect();
        assert_eq!(read.len(), MAX_UNREAD);
        assert_eq!(
            read[MAX_RELAYED - 1][0],
            u8::try_from(MAX_RELAYED - 1).unwrap(),
            "the oldest stay"
        );
        carry_out(&mut outboxes, Output::Relay(READER, vec![9]), &counts);
        assert_eq!(messages.try_recv().unwrap()[..], [9], "whoever reads on gets what comes next");
    }

    #[test]
    fn who_does_not_read_what_the_tracker_says_is_closed() {
        let ((mut outboxes, _messages), counts) = (outboxes(), Counts::default());
        for _ in 0..=MAX_UNREAD {
            assert!(outboxes.contains_key(&READER));
            carry_out(&mut outboxes, Output::Send(READER, vec![7]), &counts);
        }
        assert!(!outboxes.contains_key(&READER));
    }
}
