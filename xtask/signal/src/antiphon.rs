//! How a listener speaks with our tracker.

use crate::{SDP_BYTES, Socket};
use antiphon_core::{
    codec::Text,
    crypto::{Hash, SecretKey, Signed},
    id::{ChainId, PeerId, StreamId},
    peer::tracker_wire::{SignIn, Signal, SignalKind, ToListener, ToTracker},
};
use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::Message;

/// What all listen to.
const STREAM: StreamId = StreamId(Hash([1; 32]));

/// Signs in, joins, and returns the signal for its partner.
pub(crate) async fn join(socket: &mut Socket, n: u32, at: SocketAddr) -> Result<Message> {
    let key = key(n);
    let ToListener::Challenge(nonce) = hear(socket).await? else { bail!("no challenge") };
    let url = Text::try_from(format!("ws://{at}").as_str()).context("a long URL")?;
    say(socket, &ToTracker::SignIn(SignIn::new(&key, nonce, url))).await?;
    say(socket, &ToTracker::Join(STREAM)).await?;
    let ToListener::Welcome(..) = hear(socket).await? else { bail!("no welcome") };
    let ToListener::Candidates(_) = hear(socket).await? else { bail!("no candidates") };
    let sdp = Text::try_from("v".repeat(SDP_BYTES).as_str()).context("a long description")?;
    let to = PeerId(self::key(n ^ 1).public());
    let from = PeerId(key.public());
    let body = Signal { stream: STREAM, from, to, session: 1, kind: SignalKind::Answer, sdp };
    let signed = Signed::new(&key, ChainId::default(), body);
    Ok(Message::binary(ToTracker::Signal(signed).to_bytes()))
}

/// Returns whether this is a signal of the partner. What the tracker refuses ends the measurement.
pub(crate) fn is_signal(heard: &Message) -> Result<bool> {
    let Message::Binary(bytes) = heard else { return Ok(false) };
    match ToListener::from_bytes(bytes) {
        Ok(ToListener::Signal(_)) => Ok(true),
        Ok(ToListener::Refused(refusal)) => bail!("refused: {}", refusal.code()),
        Ok(
            ToListener::Challenge(_)
            | ToListener::Welcome(..)
            | ToListener::Candidates(_)
            | ToListener::Relayed(_),
        ) => Ok(false),
        Err(error) => bail!("unreadable: {error}"),
    }
}

/// Returns what says that a listener is still there.
pub(crate) fn heartbeat() -> Message {
    Message::binary(ToTracker::Heartbeat.to_bytes())
}

fn key(n: u32) -> SecretKey {
    SecretKey::from_bytes(&Hash::of(&[b"signal", &n.to_le_bytes()]).0)
}

async fn say(socket: &mut Socket, message: &ToTracker) -> Result<()> {
    Ok(socket.send(Message::binary(message.to_bytes())).await?)
}

async fn hear(socket: &mut Socket) -> Result<ToListener> {
    let heard = socket.next().await.context("closed")??;
    ToListener::from_bytes(&heard.into_data()).context("unreadable")
}
