//! Connects thousands of peers to a running tracker, lets each pair of them signal to and fro, and prints one line of JSON.
//!
//! ```text
//! peer 2n --signal--> tracker --> peer 2n+1 --signal--> tracker --> peer 2n ...      one on its way in each pair
//! ```
//!
//! A message counts when it goes into the tracker and when it comes out. What the tracker spends is read from `/proc`.

#![allow(clippy::print_stdout, reason = "a program that prints figures")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod antiphon;
mod process;
mod webtorrent;

use anyhow::{Context as _, Result};
use clap::{Parser, ValueEnum};
use futures_util::{SinkExt as _, StreamExt as _};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::Barrier,
    task::JoinSet,
    time::sleep,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

/// A peer's socket.
type Socket = WebSocketStream<TcpStream>;

/// How long the load runs before it is counted.
const WARM: Duration = Duration::from_secs(5);
/// Peers that connect at the same time.
const AT_ONCE: usize = 200;
/// Bytes of a session description: a data channel's with few candidates.
const SDP_BYTES: usize = 800;
/// How often a peer says that it is there. Source: `antiphon_core::peer::swarm::HEARTBEAT`.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// What the tracker speaks.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Antiphon,
    Webtorrent,
}

/// What to load, and how long.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// What the tracker speaks.
    #[arg(long, value_enum)]
    kind: Kind,
    /// Where it listens.
    #[arg(long)]
    address: SocketAddr,
    /// Its process.
    #[arg(long)]
    pid: u32,
    /// Peers; an even number.
    #[arg(long, default_value_t = 10_000)]
    peers: u32,
    /// How long is counted, in seconds.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// What all peers share.
#[derive(Debug)]
struct Load {
    options: Options,
    /// Signals that arrived.
    arrived: AtomicU64,
    /// Everything else that went in or out.
    others: AtomicU64,
    is_over: AtomicBool,
    /// Everybody is there.
    together: Barrier,
}

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let before = process::memory(options.pid)?;
    let peers = usize::try_from(options.peers)?;
    let load = Arc::new(Load {
        arrived: AtomicU64::new(0),
        others: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        together: Barrier::new(peers + 1),
        options,
    });
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    for n in 0..load.options.peers {
        let (load, gate) = (Arc::clone(&load), Arc::clone(&gate));
        tasks
            .spawn(async move { peer(n, &load, &gate).await.with_context(|| format!("peer {n}")) });
    }
    let is_there = load.together.wait();
    tokio::select! {
        _ = is_there => {}
        ended = tasks.join_next() => {
            ended.context("no peers")???;
        }
    }
    let joined = start.elapsed();
    let measured = measure(&load).await?;
    let memory = process::memory(load.options.pid)?;
    load.is_over.store(true, Ordering::Relaxed);
    tasks.shutdown().await;
    println!(
        "{}",
        serde_json::json!({
            "peers": load.options.peers,
            "joinSeconds": joined.as_secs_f64(),
            "messages": measured.messages,
            "seconds": measured.seconds,
            "cpuSeconds": measured.cpu,
            "bytes": memory.saturating_sub(before),
        })
    );
    Ok(())
}

/// What happened in the time that counts.
struct Measured {
    messages: u64,
    seconds: f64,
    cpu: f64,
}

async fn measure(load: &Load) -> Result<Measured> {
    sleep(WARM).await;
    let counted = || {
        // Each signal went in and came out.
        2 * load.arrived.load(Ordering::Relaxed) + load.others.load(Ordering::Relaxed)
    };
    let (start, messages, cpu) = (Instant::now(), counted(), process::cpu(load.options.pid)?);
    sleep(Duration::from_secs(load.options.seconds)).await;
    let (messages, cpu) = (counted() - messages, process::cpu(load.options.pid)? - cpu);
    Ok(Measured { messages, seconds: start.elapsed().as_secs_f64(), cpu })
}

/// Connects, joins, waits for all, and answers each signal with one of its own.
async fn peer(n: u32, load: &Load, gate: &tokio::sync::Semaphore) -> Result<()> {
    let (mut socket, signal) = {
        let _turn = gate.acquire().await?;
        let mut socket = connect(n, load.options.address).await?;
        let signal = match load.options.kind {
            Kind::Antiphon => antiphon::join(&mut socket, n, load.options.address).await?,
            Kind::Webtorrent => webtorrent::join(&mut socket, n).await?,
        };
        (socket, signal)
    };
    load.together.wait().await;
    if n.is_multiple_of(2) {
        socket.send(signal.clone()).await?;
    }
    // Not all at the same moment.
    let offset = HEARTBEAT * (n % 1000) / 1000;
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + offset, HEARTBEAT);
    while !load.is_over.load(Ordering::Relaxed) {
        tokio::select! {
            heard = socket.next() => {
                let heard = heard.context("closed")??;
                let is_signal = match load.options.kind {
                    Kind::Antiphon => antiphon::is_signal(&heard)?,
                    Kind::Webtorrent => webtorrent::is_signal(&heard)?,
                };
                if is_signal {
                    load.arrived.fetch_add(1, Ordering::Relaxed);
                    socket.send(signal.clone()).await?;
                } else {
                    load.others.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ = beat.tick() => {
                let beat = match load.options.kind {
                    Kind::Antiphon => antiphon::heartbeat(),
                    Kind::Webtorrent => webtorrent::heartbeat(n),
                };
                socket.send(beat).await?;
                load.others.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    Ok(())
}

/// Connects from an address of its own, each in a prefix of its own, as listeners come.
async fn connect(n: u32, to: SocketAddr) -> Result<Socket> {
    let [a, b, ..] = (n + 256).to_le_bytes();
    let from = Ipv4Addr::new(127, b, a, 1);
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(client_async(format!("ws://{to}/"), stream).await?.0)
}

/// Returns a text message.
fn text(value: &serde_json::Value) -> Message {
    Message::text(value.to_string())
}
