//! What trackers of a cluster say to each other, carried by the publish and subscribe of a Valkey or Redis server.
//!
//! Nothing is stored there. When the server is away the tracker goes on alone, says so, and comes back by itself.

use super::Event;
use crate::tracker::cluster::{ALIVE, DEAD, To, TrackerId};
use libp2p::futures::StreamExt as _;
use redis::{
    AsyncConnectionConfig, Client,
    aio::{MultiplexedConnection, PubSubStream},
};
use std::time::Duration;
use tokio::sync::mpsc;

/// Where all trackers listen; each also listens to the one that ends in its id.
const CHANNEL: &str = "antiphon:tracker:v1";
/// Messages that wait for the server. What does not fit is lost, and asked for again.
pub(super) const MAX_WAITING: usize = 8192;
/// Messages that go in one turn.
const MAX_BATCH: usize = 256;
/// Rest before the server is called again; doubles up to the longest.
const REST: Duration = Duration::from_millis(250);
const MAX_REST: Duration = Duration::from_secs(4);

/// A message and whom it is for.
pub(super) type Share = (To, Vec<u8>);

/// Reads the server's URL from the command line.
///
/// # Errors
/// Text that is no such URL, in words for a person.
pub(super) fn parse(url: &str) -> Result<Client, String> {
    Client::open(url).map_err(|error| error.to_string())
}

/// Carries messages both ways for as long as the process lives.
pub(super) async fn carry(
    client: Client,
    me: TrackerId,
    events: mpsc::Sender<Event>,
    mut shares: mpsc::Receiver<Share>,
) {
    let mut rest = REST;
    let mut is_said = false;
    loop {
        let why = match connect(&client, me).await {
            Ok((speaking, hearing)) => {
                tracing::info!("sharing swarms with other trackers");
                (rest, is_said) = (REST, false);
                // The machine may be gone already when the process ends.
                let _ = events.send(Event::Cluster(true)).await;
                let why = tokio::select! {
                    why = hear(hearing, &events) => why,
                    why = speak(speaking, me, &mut shares) => why,
                };
                let _ = events.send(Event::Cluster(false)).await;
                why
            }
            Err(error) => error.to_string(),
        };
        if !is_said {
            tracing::warn!(why, "the cluster's server is away; going on alone until it is back");
            is_said = true;
        }
        if events.is_closed() {
            return;
        }
        tokio::time::sleep(rest).await;
        rest = rest.saturating_mul(2).min(MAX_REST);
    }
}

async fn connect(
    client: &Client,
    me: TrackerId,
) -> redis::RedisResult<(MultiplexedConnection, PubSubStream)> {
    let dial = async {
        let mut pubsub = client.get_async_pubsub().await?;
        pubsub.subscribe(&[CHANNEL.to_owned(), own(me)]).await?;
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(ALIVE));
        let speaking = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok((speaking, pubsub.into_on_message()))
    };
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    tokio::time::timeout(ALIVE, dial).await.unwrap_or_else(|_| Err(late().into()))
}

/// Hands on what comes until nothing does: our own words come back, so silence is a lost connection.
async fn hear(mut hearing: PubSubStream, events: &mpsc::Sender<Event>) -> String {
    loop {
        match tokio::time::timeout(DEAD, hearing.next()).await {
            Ok(Some(message)) => {
                let bytes = message.get_payload_bytes().to_vec();
                if events.send(Event::Shared(bytes)).await.is_err() {
                    return "the tracker has ended".into();
                }
            }
            Ok(None) => return "the connection is closed".into(),
            Err(_) => return "nothing is heard any more".into(),
        }
    }
}

/// Publishes what is to be shared, as much at once as there is.
async fn speak(
    mut speaking: MultiplexedConnection,
    me: TrackerId,
    shares: &mut mpsc::Receiver<Share>,
) -> String {
    let mut batch = Vec::new();
    while shares.recv_many(&mut batch, MAX_BATCH).await > 0 {
        let mut pipe = redis::pipe();
        for (to, bytes) in batch.drain(..) {
            let channel = match to {
                To::All => CHANNEL.to_owned(),
                To::One(id) => own(id),
            };
            pipe.publish(channel, bytes).ignore();
        }
        if let Err(error) = pipe.exec_async(&mut speaking).await {
            return error.to_string();
        }
    }
    tracing::debug!(id = me.0, "nothing is shared any more");
    "the tracker has ended".into()
}

fn own(TrackerId(id): TrackerId) -> String {
    format!("{CHANNEL}:{id:016x}")
}
