//! `antiphon tracker`: WebSockets around the tracker machine.
//!
//! One task owns the machine and its timer. Each connection has a task that moves bytes: in through a bounded
//! channel to the machine, out through a bounded channel from it. A listener that does not read is closed.

use crate::tracker::{Config, Connection, Input, Output, Tracker};
use antiphon_core::{peer::tracker_wire::MAX_TRACKER_MESSAGE, time::Moment};
use axum::{
    Router,
    body::Bytes,
    extract::{
        ConnectInfo, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use clap::Args;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tokio::sync::mpsc;

/// Events that wait for the machine.
const MAX_EVENTS: usize = 4096;
/// Messages that wait for one listener to read. Chosen here: two rounds of candidates answered at once, a round of payments.
const MAX_UNREAD: usize = 256;

/// Where to listen, and under which names.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// URL under which listeners call; may be given again. `ws://` and the listening address if none is.
    #[arg(long = "url", value_name = "URL", value_parser = super::http::parse_tracker)]
    pub urls: Vec<String>,
    /// Connections at once from one network: an IPv4 address, or an IPv6 /64.
    #[arg(long, default_value_t = 256)]
    pub max_per_network: u32,
    /// Bytes a second relayed for one connection, for payment fields whose members cannot reach each other; 0 relays nothing.
    #[arg(long, value_name = "BYTES", default_value_t = 65_536)]
    pub relay_bytes: u32,
}

/// What a connection's task tells the machine's.
enum Event {
    Opened(Connection, IpAddr, mpsc::Sender<Bytes>),
    Message(Connection, Bytes),
    Closed(Connection),
}

#[derive(Clone)]
struct Door {
    events: mpsc::Sender<Event>,
    next: Arc<AtomicU64>,
}

/// Serves until interrupted.
///
/// # Errors
/// A taken port, or a system without randomness.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let (events, inbox) = mpsc::channel(MAX_EVENTS);
    let door = Door { events, next: Arc::default() };
    let router = Router::new()
        .route("/", get(enter))
        .route("/health", get(|| async { "ok" }))
        .with_state(door);
    let (address, server) = super::http::serve(options.listen, router).await?;
    let mut urls = options.urls;
    urls.retain(|url| !url.is_empty());
    if urls.is_empty() {
        let port = address.port();
        urls = vec![format!("ws://{address}"), format!("ws://localhost:{port}")];
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let ready = serde_json::json!({ "ready": "tracker", "url": urls.first(), "urls": urls });
    let config =
        Config { urls, max_per_network: options.max_per_network, relay_bytes: options.relay_bytes };
    let machine = tokio::spawn(drive(Tracker::new(config, seed), inbox));
    let stop = super::dev::interrupted()?;
    super::http::ready(&ready);
    tokio::select! {
        end = server => end,
        _ = machine => anyhow::bail!("the tracker's task ended"),
        asked = stop => asked,
    }
}

async fn enter(
    upgrade: WebSocketUpgrade,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    State(door): State<Door>,
) -> Response {
    upgrade
        .max_message_size(MAX_TRACKER_MESSAGE)
        .max_frame_size(MAX_TRACKER_MESSAGE)
        .on_upgrade(move |socket| carry(socket, from.ip(), door))
}

/// Moves the bytes of one connection until either side ends it.
async fn carry(mut socket: WebSocket, from: IpAddr, door: Door) {
    let id = Connection(door.next.fetch_add(1, Ordering::Relaxed));
    let (outbox, mut messages) = mpsc::channel(MAX_UNREAD);
    if door.events.send(Event::Opened(id, from, outbox)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(bytes) => {
                    if socket.send(Message::Binary(bytes)).await.is_err() {
                        break;
                    }
                }
                None => break,
            },
            heard = socket.recv() => match heard {
                Some(Ok(Message::Binary(bytes))) => {
                    if door.events.send(Event::Message(id, bytes)).await.is_err() {
                        break;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_) | Message::Close(_)) | Err(_)) | None => break,
            },
        }
    }
    // The machine may be gone already when the process ends.
    let _ = door.events.send(Event::Closed(id)).await;
    let _ = socket.send(Message::Close(None)).await;
}

/// Owns the machine: feeds it, carries out what it orders, keeps its one timer.
async fn drive(mut tracker: Tracker, mut inbox: mpsc::Receiver<Event>) {
    let start = Instant::now();
    let mut outboxes: BTreeMap<Connection, mpsc::Sender<Bytes>> = BTreeMap::new();
    let mut out = Vec::new();
    loop {
        let event = match tracker.deadline() {
            None => inbox.recv().await.map(Some),
            Some(due) => {
                let wait = due.since(at(start));
                tokio::time::timeout(wait, inbox.recv()).await.map_or(Some(None), |e| e.map(Some))
            }
        };
        let input = match event {
            None => return,
            Some(None) => Input::Tick,
            Some(Some(Event::Opened(id, from, outbox))) => {
                outboxes.insert(id, outbox);
                Input::Opened(id, from)
            }
            Some(Some(Event::Message(id, bytes))) => Input::Message(id, bytes.to_vec()),
            Some(Some(Event::Closed(id))) => {
                outboxes.remove(&id);
                Input::Closed(id)
            }
        };
        tracker.handle(at(start), input, &mut out);
        for output in out.drain(..) {
            match output {
                // Who does not read loses its outbox, and with it the connection.
                Output::Send(id, bytes) => {
                    if outboxes.get(&id).is_some_and(|o| o.try_send(bytes.into()).is_err()) {
                        outboxes.remove(&id);
                    }
                }
                Output::Close(id, reason) => {
                    tracing::debug!(connection = id.0, reason = reason.code(), "closed");
                    outboxes.remove(&id);
                }
            }
        }
    }
}

fn at(start: Instant) -> Moment {
    Moment::from_millis(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
}
