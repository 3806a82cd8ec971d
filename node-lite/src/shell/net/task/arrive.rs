//! What neighbours send: counted against their rates, handed to the node with a ticket, its verdict awaited.

use super::Task;
use crate::shell::{
    driver::Ticket,
    http,
    metrics::Direction,
    net::{
        bans::{FLOOD, FOUL},
        behaviour::ProtocolsEvent,
        envelope,
        exchange::{Answer, Question},
        kind::Kind,
    },
};
use libp2p::{
    PeerId, gossipsub,
    gossipsub::{MessageAcceptance, MessageId},
    identify, ping, request_response as exchange,
    swarm::SwarmEvent,
};
use std::io::ErrorKind;

type ExchangeEvent = exchange::Event<Question, Answer>;

impl Task {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the swarm's events are open-ended, and most are news of its own affairs"
    )]
    pub(super) fn on_event(&mut self, event: SwarmEvent<ProtocolsEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_protocol(event),
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                self.on_connected(peer_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.on_gone(&peer_id);
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                tracing::debug!(%peer, %error, "dial");
                self.dialer.failed(&peer);
            }
            SwarmEvent::ListenerClosed { reason: Err(error), .. }
            | SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            _ => {}
        }
    }

    fn on_protocol(&mut self, event: ProtocolsEvent) {
        match event {
            ProtocolsEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => self.on_gossip(propagation_source, message_id, &message.data),
            ProtocolsEvent::Gossip(gossipsub::Event::GossipsubNotSupported { peer_id }) => {
                // Identification says whether it is of another chain, or merely old.
                let _ = self.swarm.disconnect_peer_id(peer_id);
            }
            ProtocolsEvent::Gossip(_) => {}
            ProtocolsEvent::Exchange(event) => self.on_exchange(event),
            ProtocolsEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, &info);
            }
            ProtocolsEvent::Identify(_) => {}
            ProtocolsEvent::Ping(ping::Event { peer, connection, result }) => {
                if let Err(error) = result {
                    tracing::debug!(%peer, %error, "ping");
                    self.swarm.close_connection(connection);
                }
            }
        }
    }

    fn on_gossip(&mut self, peer: PeerId, id: MessageId, data: &[u8]) {
        let message = envelope::open(http::now().0, data);
        let taken = match message {
            // Nobody honest publishes or passes on what is said to one neighbour only.
            Some(message) if Kind::of(message).is_private() => {
                let gossip = &mut self.swarm.behaviour_mut().gossip;
                gossip.report_message_validation_result(&id, &peer, MessageAcceptance::Reject);
                return self.strike(peer, FOUL, "it made public what is said to one neighbour");
            }
            // The repetition of an old message, or a clock that is off: nobody's fault for certain.
            None => false,
            Some(message) => self.take(peer, message, Some(id.clone())),
        };
        if !taken {
            let gossip = &mut self.swarm.behaviour_mut().gossip;
            gossip.report_message_validation_result(&id, &peer, MessageAcceptance::Ignore);
        }
    }

    /// Hands a message to the node. Returns whether its verdict will come.
    fn take(&mut self, peer: PeerId, message: &[u8], id: Option<MessageId>) -> bool {
        self.metrics.message(Direction::In, Kind::of(message), message.len());
        let now = self.clock.now();
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return false };
        if !neighbour.affords(now, &self.rates, message.len()) {
            self.metrics.lost.inc();
            if id.is_none() {
                // Gossip is let go without blame: others may have said all of it, and the neighbour only passed it on.
                self.strike(peer, FLOOD, "it sent more than its rate");
            }
            return false;
        }
        let Some(number) = self.numbers.of(&peer) else { return false };
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.saturating_add(1);
        // Before the node has it, for its verdict may be quick.
        self.awaited.insert(ticket, (peer, id));
        let taken = self.node.deliver(number, message.into(), Some(ticket));
        if !taken {
            self.metrics.lost.inc();
            self.awaited.remove(&ticket);
        }
        taken
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "what became of an answer of ours concerns nobody"
    )]
    fn on_exchange(&mut self, event: ExchangeEvent) {
        match event {
            exchange::Event::Message { peer, message, .. } => match message {
                exchange::Message::Request { request, channel, .. } => {
                    let answer = match request {
                        Question::Message(bytes) => {
                            self.take(peer, &bytes, None);
                            Answer::Taken
                        }
                        Question::Peers => self.places(&peer),
                    };
                    // Who is gone needs no answer.
                    let _ = self.swarm.behaviour_mut().exchange.send_response(channel, answer);
                }
                exchange::Message::Response { response, .. } => match response {
                    Answer::Taken => self.sent(peer),
                    Answer::Peers(clock, peers) => self.on_places(peer, clock, peers),
                },
            },
            exchange::Event::OutboundFailure { peer, error, .. } => {
                tracing::debug!(%peer, %error, "exchange");
                self.sent(peer);
            }
            exchange::Event::InboundFailure {
                peer,
                error: exchange::InboundFailure::Io(error),
                ..
            } if error.kind() == ErrorKind::InvalidData => {
                self.strike(peer, FOUL, "it asked what cannot be asked");
            }
            _ => {}
        }
    }

    fn sent(&mut self, peer: PeerId) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.queue.done();
        }
        self.pump(peer);
    }
}
