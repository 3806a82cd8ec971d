//! `antiphon tracker`: WebSockets around the tracker machine.
//!
//! One task owns the machine and its timer. Each connection has a task that moves bytes: in through a bounded
//! channel to the machine, out through a bounded channel from it. A listener that does not read is closed.

mod cluster;
mod counts;
mod drive;
mod geo;

use super::token;
use crate::{
    publisher::keyring::Succession,
    tracker::{Caller, Config, Connection, Tracker, cluster::TrackerId},
};
use antiphon_core::peer::tracker_wire::MAX_TRACKER_MESSAGE;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{
        ConnectInfo, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::get,
};
use clap::Args;
use counts::Counts;
use drive::Status;
use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::{mpsc, oneshot};

/// Events that wait for the machine.
const MAX_EVENTS: usize = 4096;
/// Bytes that are read from a socket at once, and held for each. Most messages have about a kilobyte; the library's own choice
/// is 128 KiB.
const READ_BUFFER: usize = 4096;
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
    /// Connections at once from one network: an IPv4 address, or an IPv6 /64. An IPv4 /24 or IPv6 /48 has four times as many.
    #[arg(long, default_value_t = 256)]
    pub max_per_network: u32,
    /// Bytes a second relayed for one connection, for payment fields whose members cannot reach each other; 0 relays nothing.
    #[arg(long, value_name = "BYTES", default_value_t = 65_536)]
    pub relay_bytes: u32,
    /// Lets listeners join a stream only with a token of its publisher (`antiphon token`). There are no rooms then.
    #[arg(long)]
    pub require_token: bool,
    /// Who has taken over from a publisher's first key, as `antiphon rotate` prints it (`succession`); again for another publisher.
    /// Tokens of the keys before are refused at once; else an hour after a token has shown the new key.
    #[arg(long, value_name = "TEXT", requires = "require_token", value_parser = super::publish::keys::parse_succession)]
    pub heirs: Vec<Succession>,
    /// URL of a Valkey or Redis server (`redis://[:PASSWORD@]HOST`) by which several trackers share their swarms. Who can
    /// publish there is believed like this tracker itself. Nothing is stored there; while it is away each goes on alone.
    #[arg(long, value_name = "URL", env = "ANTIPHON_CLUSTER", hide_env_values = true, value_parser = cluster::parse)]
    pub cluster: Option<redis::Client>,
    /// File in MaxMind's format that knows positions or operators of addresses, so that near listeners meet; may be given
    /// again. Kept are whole degrees and the operator's number, in memory and while a listener is connected.
    #[arg(long, value_name = "FILE", value_parser = geo::open)]
    pub geo: Vec<geo::GeoFile>,
    /// Address of a reverse proxy in front, whose last `X-Forwarded-For` is believed; may be given again.
    #[arg(long = "proxy", value_name = "IP")]
    pub proxies: Vec<IpAddr>,
    /// Where Prometheus reads `/metrics`; nowhere if it is not given. For the keeper of the tracker, not for listeners.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
}

/// What a connection's task tells the machine's.
enum Event {
    Opened(Connection, Caller, mpsc::Sender<Bytes>),
    Message(Connection, Bytes),
    Closed(Connection),
    /// Whether what carries messages between trackers is there.
    Cluster(bool),
    Shared(Vec<u8>),
    /// Somebody asks how things are.
    Status(oneshot::Sender<Status>),
}

#[derive(Clone)]
struct Door {
    events: mpsc::Sender<Event>,
    next: Arc<AtomicU64>,
    geo: Arc<[geo::GeoFile]>,
    proxies: Arc<[IpAddr]>,
}

/// Serves until interrupted.
///
/// # Errors
/// A taken port, or a system without randomness.
pub async fn run(options: Options) -> anyhow::Result<()> {
    let (events, inbox) = mpsc::channel(MAX_EVENTS);
    let (geo, proxies) = (options.geo.into(), options.proxies.into());
    let door = Door { events: events.clone(), next: Arc::default(), geo, proxies };
    let router = Router::new()
        .route("/", get(enter))
        .route("/health", get(|| async { "ok" }))
        .route("/status", get(status))
        .with_state(door.clone());
    let (address, server) = super::http::serve(options.listen, router).await?;
    let counts = Arc::new(Counts::default());
    let metrics = counts::routes(Arc::clone(&counts), door);
    let (metrics, keeper) = super::http::serve_some(options.metrics, metrics).await?;
    let mut urls = options.urls;
    urls.retain(|url| !url.is_empty());
    if urls.is_empty() {
        let port = address.port();
        urls = vec![format!("ws://{address}"), format!("ws://localhost:{port}")];
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut id = [0; 8];
    getrandom::fill(&mut id)?;
    let id = TrackerId(u64::from_le_bytes(id));
    let (shares, waiting) = mpsc::channel(cluster::MAX_WAITING);
    if let Some(client) = options.cluster.clone() {
        tokio::spawn(cluster::carry(client, id, events, waiting));
    }
    let ready = serde_json::json!({
        "ready": "tracker",
        "url": urls.first(),
        "urls": urls,
        "metrics": metrics.map(|address| format!("http://{address}/metrics")),
    });
    let config = Config {
        urls,
        max_per_network: options.max_per_network,
        relay_bytes: options.relay_bytes,
        needs_token: options.require_token,
        cluster: options.cluster.as_ref().map(|_| id),
    };
    let mut tracker = Tracker::new(config, seed);
    options.heirs.iter().for_each(|succession| tracker.tell(succession));
    let machine = tokio::spawn(drive::drive(tracker, inbox, shares, counts));
    let stop = super::dev::interrupted()?;
    super::http::ready(&ready);
    tokio::select! {
        end = server => end,
        end = keeper => end,
        _ = machine => anyhow::bail!("the tracker's task ended"),
        asked = stop => asked,
    }
}

async fn status(State(door): State<Door>) -> Result<Json<Status>, StatusCode> {
    status_of(&door).await.map(Json).ok_or(StatusCode::SERVICE_UNAVAILABLE)
}

/// Asks the machine how things are; `None` if it is gone.
async fn status_of(door: &Door) -> Option<Status> {
    let (answer, status) = oneshot::channel();
    door.events.send(Event::Status(answer)).await.ok()?;
    status.await.ok()
}

async fn enter(
    upgrade: WebSocketUpgrade,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    State(door): State<Door>,
    headers: HeaderMap,
) -> Response {
    let address = origin(from.ip(), &door.proxies, &headers);
    let place = geo::place(&door.geo, address);
    let shown = token::shown(&headers);
    let caller = Caller {
        address,
        place,
        token: shown.and_then(token::read).map(Box::new),
        clock: super::http::now(),
    };
    // A browser closes the socket unless it is answered with a protocol that it named.
    let named = shown.map(str::to_owned);
    upgrade
        .protocols(named)
        .read_buffer_size(READ_BUFFER)
        .max_message_size(MAX_TRACKER_MESSAGE)
        .max_frame_size(MAX_TRACKER_MESSAGE)
        .on_upgrade(move |socket| carry(socket, caller, door))
}

/// Returns where a connection comes from: what a proxy of ours says last, for all before that anybody can write.
fn origin(from: IpAddr, proxies: &[IpAddr], headers: &HeaderMap) -> IpAddr {
    if !proxies.contains(&from.to_canonical()) {
        return from;
    }
    let named = headers.get_all("x-forwarded-for").iter().next_back();
    let last = named.and_then(|list| list.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.unwrap_or(from)
}

/// Moves the bytes of one connection until either side ends it.
async fn carry(mut socket: WebSocket, caller: Caller, door: Door) {
    let id = Connection(door.next.fetch_add(1, Ordering::Relaxed));
    let (outbox, mut messages) = mpsc::channel(MAX_UNREAD);
    if door.events.send(Event::Opened(id, caller, outbox)).await.is_err() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_proxy_of_ours_says_who_is_behind_it() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let (proxy, other) = (ip("192.0.2.1"), ip("192.0.2.9"));
        let said = |text: &str| {
            HeaderMap::from_iter([(
                "x-forwarded-for".parse::<axum::http::HeaderName>().unwrap(),
                text.parse().unwrap(),
            )])
        };
        let lies = said("10.0.0.1, 198.51.100.7");
        assert_eq!(origin(proxy, &[proxy], &lies), ip("198.51.100.7"));
        assert_eq!(
            origin(ip("::ffff:192.0.2.1"), &[proxy], &said("2001:db8::1")),
            ip("2001:db8::1")
        );
        assert_eq!(origin(other, &[proxy], &lies), other);
        assert_eq!(origin(proxy, &[], &lies), proxy);
        assert_eq!(origin(proxy, &[proxy], &said("unknown")), proxy);
        assert_eq!(origin(proxy, &[proxy], &HeaderMap::new()), proxy);
    }
}
