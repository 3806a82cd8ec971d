//! A node among others over libp2p: QUIC, and TCP with Noise and yamux; each end proves its Ed25519 network key.
//!
//! ```text
//! machine --broadcast--> envelope --gossipsub--> all          judged: accepted, passed on
//!         --send-------> queue ----exchange----> one neighbour        foul: not passed on, points, at 100 a ban
//! ```
//!
//! | file | what it knows |
//! |---|---|
//! | `behaviour` | the protocols, named after the chain, with their limits |
//! | `envelope` | what gossip carries |
//! | `exchange`, `queue` | what two neighbours say alone, and what waits to be said |
//! | `numbers` | the machine's numbers for neighbours |
//! | `bans`, `dialer`, `kind` | who may not come, whom to dial, what is counted |
//! | `task` | the loop |
//!
//! Nothing here decides about the protocol: bytes go to the machine unread, and its verdict comes back.

mod bans;
mod behaviour;
mod dialer;
mod envelope;
mod exchange;
pub(in crate::shell) mod kind;
mod numbers;
mod queue;
mod resolve;
mod task;
#[cfg(test)]
mod tests;

use super::{
    driver::{Carrier, Handle, Ticket, Verdict},
    metrics::Metrics,
};
use crate::bft::Peer;
use antiphon_core::id::ChainId;
use libp2p::{Multiaddr, PeerId, identity::Keypair, multiaddr::Protocol};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

/// Commands that wait for the network. Chosen here: as many as messages that wait for the node.
const MAX_COMMANDS: usize = 4096;
/// Until every listening address must be there.
const LISTEN_PATIENCE: Duration = Duration::from_secs(5);

/// How much a node takes from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most connections that others opened.
    pub max_incoming: u32,
    /// Most connections that this node opened.
    pub max_outgoing: u32,
    /// Connections that this node opened below which it looks for more.
    pub enough: u32,
    /// Messages a second from one neighbour; five times as many at once.
    pub messages_per_second: u32,
    /// KiB a second from one neighbour; five times as many at once.
    pub kib_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        // Chosen here. A thousand transactions a second, each heard from several neighbours, fit in.
        Self {
            max_incoming: 128,
            max_outgoing: 32,
            enough: 8,
            messages_per_second: 2000,
            kib_per_second: 8192,
        }
    }
}

/// Who a node is in the network, and where.
#[derive(Debug)]
pub struct Options {
    /// Its identity.
    pub key: Keypair,
    /// Its chain. Others are refused.
    pub chain: ChainId,
    /// Where it listens.
    pub listen: Vec<Multiaddr>,
    /// Where others reach it, if not where it listens.
    pub external: Vec<Multiaddr>,
    /// Whom it dials, each with its id.
    pub dial: Vec<(PeerId, Multiaddr)>,
    /// How much it takes.
    pub limits: Limits,
}

/// Why an address to dial is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no multiaddress.
    #[error("{0:?} is not an address such as /ip4/203.0.113.7/udp/4600/quic-v1/p2p/12D3Koo…")]
    NotAnAddress(String),
    /// It does not say who must be there.
    #[error("{0} lacks the peer's id: append /p2p/ and the id that `antiphon init` printed there")]
    NoPeer(String),
}

/// An address on which a node cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {reason}; is the port taken? Port 0 takes a free one")]
pub struct ListenError {
    /// The address, or all of them if it is not known which.
    pub address: String,
    /// What the system said.
    pub reason: String,
}

/// Splits an address to dial into who and where.
///
/// # Errors
/// [`AddressError`].
pub fn parse_peer(text: &str) -> Result<(PeerId, Multiaddr), AddressError> {
    let mut address: Multiaddr =
        text.parse().map_err(|_| AddressError::NotAnAddress(text.to_owned()))?;
    match address.pop() {
        Some(Protocol::P2p(peer)) if !address.is_empty() => Ok((peer, address)),
        _ => Err(AddressError::NoPeer(text.to_owned())),
    }
}

/// What the node's thread tells the network.
#[derive(Debug)]
enum Command {
    Broadcast(Vec<u8>),
    Send(Peer, Vec<u8>),
    Judged(Ticket, Verdict),
    Blame(Peer),
    Dial(PeerId, Vec<Multiaddr>),
    Stop,
}

/// A node's way to the network.
#[derive(Clone, Debug)]
pub struct NetCarrier {
    commands: mpsc::Sender<Command>,
    metrics: Arc<Metrics>,
}

impl NetCarrier {
    fn tell(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            self.metrics.lost.inc();
        }
    }
}

impl Carrier for NetCarrier {
    fn broadcast(&mut self, bytes: Vec<u8>) {
        self.tell(Command::Broadcast(bytes));
    }

    fn send(&mut self, to: Peer, bytes: Vec<u8>) {
        self.tell(Command::Send(to, bytes));
    }

    fn judged(&mut self, ticket: Ticket, verdict: Verdict) {
        self.tell(Command::Judged(ticket, verdict));
    }

    fn blame(&mut self, peer: Peer) {
        self.tell(Command::Blame(peer));
    }
}

/// The network around one node.
#[derive(Debug)]
pub struct Net {
    /// Where it listens, each address with the node's id.
    pub addresses: Vec<Multiaddr>,
    carrier: NetCarrier,
    task: JoinHandle<()>,
}

impl Net {
    /// Takes the addresses, then begins to dial.
    ///
    /// # Errors
    /// An address that is taken or not ours.
    pub async fn start(
        options: Options,
        node: Handle,
        metrics: Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let (commands, inbox) = mpsc::channel(MAX_COMMANDS);
        let me = options.key.public().to_peer_id();
        let all = options.listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut task = task::Task::new(options, node, metrics.clone(), commands.clone())?;
        let listening = timeout(LISTEN_PATIENCE, task.listening()).await;
        let addresses = listening.map_err(|_| ListenError {
            address: all,
            reason: String::from("nothing happened for five seconds"),
        })??;
        let named = |address: Multiaddr| address.with_p2p(me).unwrap_or_else(|address| address);
        Ok(Self {
            addresses: addresses.into_iter().map(named).collect(),
            carrier: NetCarrier { commands, metrics },
            task: tokio::spawn(task.run(inbox)),
        })
    }

    /// Returns a way to the network.
    pub fn carrier(&self) -> NetCarrier {
        self.carrier.clone()
    }

    /// Says goodbye to every neighbour, and returns when the sockets are closed.
    pub async fn stop(self) {
        // It may have ended by itself.
        let _ = self.carrier.commands.send(Command::Stop).await;
        let _ = self.task.await;
    }
}

/// Messages whose verdict is awaited: who brought each, and under which id gossip keeps it.
type Awaited = BTreeMap<Ticket, (PeerId, Option<libp2p::gossipsub::MessageId>)>;
