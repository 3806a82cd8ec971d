//! How a peer speaks with a WebTorrent tracker.

use crate::{SDP_BYTES, Socket, text};
use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Twenty bytes, each a character, as the protocol has them.
const SWARM: &str = "antiphon-bench-swarm";

/// Announces, and returns the signal for its partner.
pub(crate) async fn join(socket: &mut Socket, n: u32) -> Result<Message> {
    socket.send(heartbeat(n)).await?;
    let heard = socket.next().await.context("closed")??;
    is_signal(&heard)?;
    // An answer is handed to one peer, as our signals are; offers go to as many as there are offers.
    Ok(text(&json!({
        "action": "announce",
        "info_hash": SWARM,
        "peer_id": id(n),
        "to_peer_id": id(n ^ 1),
        "offer_id": id(n),
        "answer": { "type": "answer", "sdp": "v".repeat(SDP_BYTES) },
    })))
}

/// Returns whether this is a signal of the partner. What the tracker refuses ends the measurement.
pub(crate) fn is_signal(heard: &Message) -> Result<bool> {
    let Message::Text(heard) = heard else { return Ok(false) };
    let heard: Value = serde_json::from_str(heard)?;
    if let Some(reason) = heard.get("failure reason") {
        bail!("refused: {reason}");
    }
    Ok(heard.get("answer").is_some())
}

/// Returns what says that a peer is there.
pub(crate) fn heartbeat(n: u32) -> Message {
    text(&json!({
        "action": "announce",
        "info_hash": SWARM,
        "peer_id": id(n),
        "numwant": 0,
        "uploaded": 0,
        "downloaded": 0,
        "left": 1,
        "event": "started",
    }))
}

fn id(n: u32) -> String {
    format!("-AN0001-{n:012}")
}
