//! The WebSocket to the tracker: binary messages both ways, one socket at a time.

use antiphon_core::{client::Input, peer::tracker_wire::MAX_TRACKER_MESSAGE};
use anyhow::Context as _;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};
use tokio_tungstenite::{
    connect_async_with_config,
    tungstenite::{Message, client::IntoClientRequest as _, protocol::WebSocketConfig},
};

/// Messages that wait to be sent before the socket counts as lost. Chosen here: a swarm says some a second.
const MAX_WAITING: usize = 1024;
/// How long a socket that is closed may take to send what waits.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What happened on which socket: the client hears nothing of one that it has closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketEvent {
    /// Counts sockets.
    pub socket: u64,
    /// What the client is told.
    pub input: Input,
}

/// The way to the tracker.
#[derive(Debug)]
pub struct Socket {
    events: mpsc::Sender<SocketEvent>,
    token: Option<String>,
    /// The open one, by its number, and the way to it unless it did not keep up.
    current: Option<(u64, Option<mpsc::Sender<Vec<u8>>>)>,
    count: u64,
}

impl Socket {
    /// Makes a way that is closed. A token of the publisher goes as the subprotocol, as a page sends it.
    pub const fn new(events: mpsc::Sender<SocketEvent>, token: Option<String>) -> Self {
        Self { events, token, current: None, count: 0 }
    }

    /// Opens a socket, in place of the one before.
    pub fn connect(&mut self, url: String) {
        self.count = self.count.saturating_add(1);
        let (to_send, outbox) = mpsc::channel(MAX_WAITING);
        self.current = Some((self.count, Some(to_send)));
        let (events, token, socket) = (self.events.clone(), self.token.clone(), self.count);
        tokio::spawn(async move {
            if let Err(error) = carry(&url, token, outbox, (&events, socket)).await {
                tracing::debug!("tracker: {error:#}");
            }
            // Nobody listens any more when the process ends.
            let _ = events.send(SocketEvent { socket, input: Input::TrackerClosed }).await;
        });
    }

    /// Sends a message, or loses the socket if it does not keep up.
    pub fn send(&mut self, message: Vec<u8>) {
        let Some((_, to_send)) = &mut self.current else { return };
        if to_send.as_ref().is_some_and(|to_send| to_send.try_send(message).is_err()) {
            // Its task ends without this half, and tells so.
            *to_send = None;
        }
    }

    /// Closes the socket without a word to the client.
    pub fn close(&mut self) {
        self.current = None;
    }

    /// Returns what the client is told, if it is of the socket that it knows.
    pub fn hear(&mut self, event: SocketEvent) -> Option<Input> {
        let is_current = self.current.as_ref().is_some_and(|(socket, _)| *socket == event.socket);
        if is_current && event.input == Input::TrackerClosed {
            self.current = None;
        }
        is_current.then_some(event.input)
    }
}

async fn carry(
    url: &str,
    token: Option<String>,
    mut outbox: mpsc::Receiver<Vec<u8>>,
    (events, socket): (&mpsc::Sender<SocketEvent>, u64),
) -> anyhow::Result<()> {
    let mut request = url.into_client_request()?;
    if let Some(token) = token {
        let protocol = HeaderValue::try_from(format!("antiphon-token.{token}"))?;
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_TRACKER_MESSAGE))
        .max_frame_size(Some(MAX_TRACKER_MESSAGE));
    let (stream, _) = connect_async_with_config(request, Some(config), true).await?;
    let (mut sink, mut source) = stream.split();
    let tell = async |input| events.send(SocketEvent { socket, input }).await.context("closed");
    tell(Input::TrackerOpened).await?;
    loop {
        tokio::select! {
            message = source.next() => match message {
                Some(Ok(Message::Binary(bytes))) => tell(Input::TrackerMessage(bytes.to_vec())).await?,
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                // Pings are answered by the library; text is nothing of ours.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            },
            message = outbox.recv() => match message {
                Some(message) => sink.send(Message::Binary(message.into())).await?,
                None => {
                    // What waited was taken before the end: it is only to be flushed.
                    let _ = timeout(LAST_WORDS, sink.close()).await;
                    return Ok(());
                }
            },
        }
    }
}

#[cfg(test)]
mod tests;
