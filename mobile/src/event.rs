//! Events worth showing at once. Who reads too slowly hears how many it missed; money has a queue of its own.

use crate::snapshot::Snapshot;
use antiphon_core::client::{Notice, Threat};
use std::sync::{Arc, PoisonError};
use tokio::sync::{Mutex, broadcast, watch};

/// Events that a slow reader may have waiting. Chosen here: as in a page.
const MAX_QUEUED: usize = 256;

/// Where events are told: to every stream, until the end.
#[derive(Clone, Debug)]
pub(crate) struct Teller(Arc<std::sync::Mutex<Option<broadcast::Sender<AntiphonEvent>>>>);

impl Teller {
    pub(crate) fn new() -> Self {
        Self(Arc::new(std::sync::Mutex::new(Some(broadcast::Sender::new(MAX_QUEUED)))))
    }

    /// Tells whoever listens.
    pub(crate) fn tell(&self, event: AntiphonEvent) {
        if let Some(events) = self.get() {
            // Nobody may be listening.
            let _ = events.send(event);
        }
    }

    /// Returns whether anybody listens.
    pub(crate) fn is_heard(&self) -> bool {
        self.get().is_some_and(|events| events.receiver_count() > 0)
    }

    /// Returns a stream of what is told from now on; after the end, of nothing.
    pub(crate) fn stream(&self) -> Arc<EventStream> {
        let events = self.get().unwrap_or_else(|| broadcast::Sender::new(1));
        EventStream::new(events.subscribe())
    }

    /// Ends every stream, once it has told what was told before.
    pub(crate) fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn get(&self) -> Option<broadcast::Sender<AntiphonEvent>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Something worth showing at once. The kinds are those of a page; what differs within them says `mobile/README.md`.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
#[expect(clippy::large_enum_variant, reason = "most events are the large one, and none is kept")]
pub enum AntiphonEvent {
    /// There is something new to show.
    Changed {
        /// Everything there is to show.
        snapshot: Snapshot,
    },
    /// Something went wrong or was refused.
    Trouble {
        /// Stable code.
        code: String,
    },
    /// What went wrong is well again.
    Recovered {
        /// Stable code.
        code: String,
    },
    /// A peer was banned.
    Banned {
        /// What for: a stable code.
        code: String,
    },
    /// The chain is about to enforce a stale state of a field, or asks for a round: the client answers by itself. Stay online.
    Warning {
        /// The field, in hexadecimal.
        field: String,
        /// Whether the field is being closed; else a round is asked for.
        is_close: bool,
        /// Last block in which something can be done.
        deadline: u64,
        /// Whether it may not be in time.
        is_near: bool,
    },
    /// Many name blocks that this client's chain does not have, or no longer. A hint, not a proof.
    ForkAlarm {
        /// Whether they do now.
        is_raised: bool,
    },
    /// Guardians signed two final blocks of one height; the client has stopped, and `fork_proof` has the proof.
    Split,
    /// The client crashed and was started again.
    Restarted {
        /// Stable code.
        code: String,
    },
    /// The client stays down.
    Fatal {
        /// Stable code.
        code: String,
    },
    /// The reader was too slow, and this many events were dropped; read `snapshot()`.
    Lagged {
        /// How many.
        count: u64,
    },
}

impl AntiphonEvent {
    /// Returns what a notice is to an application; a change is told with what there is to show.
    pub(crate) fn of(notice: &Notice) -> Option<Self> {
        match notice {
            Notice::Trouble(code) => Some(Self::Trouble { code: (*code).to_owned() }),
            Notice::Recovered(code) => Some(Self::Recovered { code: (*code).to_owned() }),
            Notice::Banned(code) => Some(Self::Banned { code: (*code).to_owned() }),
            Notice::Warning(field, warning) => Some(Self::Warning {
                field: field.0.to_hex(),
                is_close: matches!(warning.threat, Threat::Close),
                deadline: warning.deadline.0,
                is_near: warning.is_near,
            }),
            Notice::Changed => None,
        }
    }
}

/// Events from the moment when it was made. Ends with the client, when it is cancelled, and when nobody holds it.
#[derive(Debug, uniffi::Object)]
pub struct EventStream {
    events: Mutex<broadcast::Receiver<AntiphonEvent>>,
    is_cancelled: watch::Sender<bool>,
}

impl EventStream {
    fn new(events: broadcast::Receiver<AntiphonEvent>) -> Arc<Self> {
        Arc::new(Self { events: Mutex::new(events), is_cancelled: watch::Sender::new(false) })
    }
}

#[uniffi::export]
impl EventStream {
    /// Returns the next event, or none when there will be no more. Whoever gives up waiting misses nothing.
    pub async fn next(&self) -> Option<AntiphonEvent> {
        let mut cancelled = self.is_cancelled.subscribe();
        let mut events = self.events.lock().await;
        let received = tokio::select! {
            biased;
            _ = cancelled.wait_for(|is_cancelled| *is_cancelled) => return None,
            received = events.recv() => received,
        };
        match received {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(count)) => {
                Some(AntiphonEvent::Lagged { count })
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// Ends it: whoever waits for an event gets none.
    pub fn cancel(&self) {
        self.is_cancelled.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_reader_hears_how_many_it_missed_and_a_cancelled_one_nothing() {
        let teller = Teller::new();
        assert!(!teller.is_heard());
        let stream = teller.stream();
        for n in 0..=MAX_QUEUED {
            teller.tell(AntiphonEvent::ForkAlarm { is_raised: n == 1 });
        }
        assert_eq!(stream.next().await, Some(AntiphonEvent::Lagged { count: 1 }));
        let second = AntiphonEvent::ForkAlarm { is_raised: true };
        assert_eq!(stream.next().await, Some(second));
        stream.cancel();
        assert_eq!(stream.next().await, None);
    }

    #[tokio::test]
    async fn events_end_with_the_client() {
        let teller = Teller::new();
        let stream = teller.stream();
        teller.tell(AntiphonEvent::Split);
        teller.clone().end();
        assert_eq!(stream.next().await, Some(AntiphonEvent::Split));
        assert_eq!(stream.next().await, None);
        assert_eq!(teller.stream().next().await, None);
    }
}
