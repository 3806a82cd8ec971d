//! When a channel is open for the client: before its first message, and not before the other end can hear us.

use super::super::LinkEvent;
use antiphon_core::peer::{LinkId, frames::MAX_MESSAGE};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use webrtc::data_channel::DataChannelEvent;

/// How long who answered waits for the other end's first word. Chosen here: below the five seconds that a greeting may take.
const SPEAK_PATIENCE: Duration = Duration::from_secs(1);

/// Whether it was told that a channel is open.
///
/// The stack (0.21.1) loses what comes in the packets in which an association is made, if it began it. So it lets others begin:
/// pages always do, and where both ends are native, who answered speaks second.
#[derive(Debug)]
pub(super) struct Opening {
    link: LinkId,
    /// Whether we may speak before the other end has.
    speaks_first: bool,
    is_told: bool,
    /// When it is told though nobody has spoken.
    due: Option<Instant>,
}

impl Opening {
    pub(super) const fn new(link: LinkId, speaks_first: bool) -> Self {
        Self { link, speaks_first, is_told: false, due: None }
    }

    /// Tells it, once.
    pub(super) fn tell(&mut self) -> Option<LinkEvent> {
        self.due = None;
        (!core::mem::replace(&mut self.is_told, true)).then_some(LinkEvent::Opened(self.link))
    }

    /// Returns what is told of what a channel says; nothing once it is closed.
    pub(super) fn hear(&mut self, event: Option<DataChannelEvent>) -> Option<Vec<LinkEvent>> {
        let message = match event? {
            DataChannelEvent::OnClose | DataChannelEvent::OnClosing => return None,
            DataChannelEvent::OnOpen if !self.speaks_first && !self.is_told => {
                self.due = Instant::now().checked_add(SPEAK_PATIENCE);
                return Some(Vec::new());
            }
            DataChannelEvent::OnOpen => None,
            // Text is nothing of ours, as in a page.
            DataChannelEvent::OnMessage(message) if !message.is_string => Some(message.data),
            DataChannelEvent::OnError
            | DataChannelEvent::OnBufferedAmountLow
            | DataChannelEvent::OnBufferedAmountHigh
            | DataChannelEvent::OnMessage(_)
            | _ => return Some(Vec::new()),
        };
        let opened = self.tell();
        let message = message.map(|mut bytes| {
            // What is longer than a message may be is told as such, in no more memory.
            bytes.truncate(MAX_MESSAGE + 1);
            LinkEvent::Message(self.link, bytes.to_vec())
        });
        Some(opened.into_iter().chain(message).collect())
    }

    /// Returns when it is due to be told.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// Returns at this moment, or never.
pub(super) async fn due(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => core::future::pending().await,
    }
}
