//! The loop around the swarm: events in, commands out, every quarter of a second a look at who is missing.

mod arrive;
mod neighbours;

use super::{
    Awaited, Command, ListenError, Options,
    bans::Bans,
    behaviour::{self, Protocols},
    dialer::Dialer,
    envelope,
    exchange::Question,
    kind::Kind,
    numbers::Numbers,
};
use crate::{
    bucket::Rate,
    shell::{
        driver::{Clock, Handle, Ticket, Verdict},
        http,
        metrics::{Direction, Metrics},
    },
};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::transport::ListenerId,
    futures::StreamExt as _,
    gossipsub::{IdentTopic, MessageAcceptance, PublishError},
    swarm::SwarmEvent,
};
use neighbours::Neighbour;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

/// Between two looks at who is missing.
const LOOK: Duration = Duration::from_millis(250);
/// For connections to close in.
const GOODBYE: Duration = Duration::from_millis(500);

/// Everything the loop knows.
pub(super) struct Task {
    swarm: Swarm<Protocols>,
    /// Listeners that are not open yet.
    opening: Vec<ListenerId>,
    topic: IdentTopic,
    version: String,
    enough: usize,
    rates: [Rate; 2],
    node: Handle,
    metrics: Arc<Metrics>,
    commands: mpsc::Sender<Command>,
    clock: Clock,
    neighbours: BTreeMap<PeerId, Neighbour>,
    numbers: Numbers<PeerId>,
    bans: Bans<PeerId>,
    dialer: Dialer<PeerId, Multiaddr>,
    awaited: Awaited,
    next_ticket: u64,
    /// Clocks of neighbours minus ours, in milliseconds, as last heard.
    skews: BTreeMap<PeerId, i64>,
    looks: u64,
    /// The neighbours that the node knows of.
    told: Vec<crate::bft::Peer>,
}

impl Task {
    pub(super) fn new(
        options: Options,
        node: Handle,
        metrics: Arc<Metrics>,
        commands: mpsc::Sender<Command>,
    ) -> anyhow::Result<Self> {
        let Options { key, chain, listen, external, dial, limits } = options;
        let mut swarm = behaviour::swarm(key, chain, &limits)?;
        let mut opening = Vec::new();
        for address in listen {
            let listener = swarm.listen_on(address.clone());
            opening.push(listener.map_err(|error| refused(&address, &error))?);
        }
        for address in external {
            swarm.add_external_address(address);
        }
        let mut dialer = Dialer::default();
        let me = *swarm.local_peer_id();
        for (peer, address) in dial.into_iter().filter(|(peer, _)| *peer != me) {
            // Whoever the keeper chose finds a place, however many strangers there are.
            swarm.behaviour_mut().limits.bypass_peer_id(&peer);
            dialer.configure(peer, address);
        }
        Ok(Self {
            swarm,
            opening,
            topic: behaviour::topic(chain),
            version: behaviour::version(chain),
            enough: usize::try_from(limits.enough).unwrap_or(usize::MAX),
            rates: [rate(limits.messages_per_second), rate(limits.kib_per_second)],
            node,
            metrics,
            commands,
            clock: Clock::start(),
            neighbours: BTreeMap::new(),
            numbers: Numbers::default(),
            bans: Bans::default(),
            dialer,
            awaited: BTreeMap::new(),
            next_ticket: 0,
            skews: BTreeMap::new(),
            looks: 0,
            told: Vec::new(),
        })
    }

    /// Returns every address when all sockets are open.
    pub(super) async fn listening(&mut self) -> Result<Vec<Multiaddr>, ListenError> {
        let mut addresses = Vec::new();
        while !self.opening.is_empty() {
            let event = self.swarm.select_next_some().await;
            if let SwarmEvent::NewListenAddr { listener_id, address } = event {
                self.opening.retain(|id| *id != listener_id);
                addresses.push(address);
            } else if let SwarmEvent::ListenerClosed { reason: Err(error), .. }
            | SwarmEvent::ListenerError { error, .. } = event
            {
                return Err(refused(&"the configured addresses", &error));
            } else {
                self.on_event(event);
            }
        }
        Ok(addresses)
    }

    /// Runs until told to stop.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                command = inbox.recv() => match command {
                    Some(Command::Stop) | None => break,
                    Some(command) => self.on_command(command),
                },
                _ = look.tick() => self.look(),
            }
        }
        let _ = timeout(GOODBYE, self.part()).await;
    }

    async fn part(&mut self) {
        let peers: Vec<_> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            // Who is gone already needs no goodbye.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        while self.swarm.connected_peers().next().is_some() {
            let _ = self.swarm.select_next_some().await;
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Broadcast(bytes) => self.broadcast(&bytes),
            Command::Send(to, bytes) => self.send(to, bytes),
            Command::Judged(ticket, verdict) => self.judged(ticket, verdict),
            Command::Blame(number) => {
                if let Some(peer) = self.numbers.exactly(number) {
                    self.strike(peer, super::bans::FORGED, "it forged a sum of guardians' shares");
                }
            }
            Command::Dial(peer, addresses) => self.dial(peer, addresses),
            Command::Stop => {}
        }
    }

    fn broadcast(&mut self, bytes: &[u8]) {
        self.metrics.message(Direction::Out, Kind::of(bytes), bytes.len());
        let envelope = envelope::seal(http::now().0, bytes);
        let published = self.swarm.behaviour_mut().gossip.publish(self.topic.clone(), envelope);
        match published {
            // Said in this slot already; or alone, and whoever comes asks.
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => {
                self.metrics.lost.inc();
                tracing::debug!(%error, "not published");
            }
        }
    }

    fn send(&mut self, to: crate::bft::Peer, bytes: Vec<u8>) {
        let peer = self.numbers.who(to);
        let Some((peer, neighbour)) =
            peer.and_then(|peer| Some((peer, self.neighbours.get_mut(&peer)?)))
        else {
            self.metrics.lost.inc();
            return;
        };
        self.metrics.message(Direction::Out, Kind::of(&bytes), bytes.len());
        if !neighbour.queue.add(bytes) {
            self.metrics.lost.inc();
        }
        self.pump(peer);
    }

    /// Puts as much on the wire as may be.
    fn pump(&mut self, peer: PeerId) {
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        while let Some(message) = neighbour.queue.next() {
            let question = Question::Message(message);
            self.swarm.behaviour_mut().exchange.send_request(&peer, question);
        }
    }

    fn judged(&mut self, ticket: Ticket, verdict: Verdict) {
        let Some((peer, id)) = self.awaited.remove(&ticket) else { return };
        if let Some(id) = id {
            let acceptance = match verdict {
                Verdict::Fair => MessageAcceptance::Accept,
                Verdict::Foul => MessageAcceptance::Reject,
            };
            let gossip = &mut self.swarm.behaviour_mut().gossip;
            gossip.report_message_validation_result(&id, &peer, acceptance);
        }
        if verdict == Verdict::Foul {
            self.strike(peer, super::bans::FOUL, "it sent what no honest node sends");
        }
    }
}

/// So much in the long run, and five times as much at once.
const fn rate(per_second: u32) -> Rate {
    Rate { burst: per_second.saturating_mul(5), milli_per_second: per_second.saturating_mul(1000) }
}

fn refused(address: &impl ToString, error: &impl ToString) -> ListenError {
    ListenError { address: address.to_string(), reason: error.to_string() }
}
