//! The protocols that a node speaks, each named after its chain: who is of another chain finds nothing to speak.

use super::{Limits, envelope, exchange::Wire};
use crate::bft::message::MAX_MESSAGE;
use antiphon_core::id::ChainId;
use libp2p::{
    StreamProtocol, Swarm, SwarmBuilder, allow_block_list as list,
    connection_limits::{self, ConnectionLimits},
    gossipsub::{
        self, IdentTopic, IdentityTransform, MessageAuthenticity, PeerScoreParams,
        PeerScoreThresholds, TopicScoreParams, ValidationMode, WhitelistSubscriptionFilter,
    },
    identify,
    identity::Keypair,
    noise, ping,
    request_response::{self, ProtocolSupport},
    swarm::NetworkBehaviour,
    tcp, yamux,
};
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

/// Neighbours in the mesh: as gossipsub's specification has it.
const MESH: [usize; 3] = [5, 8, 12];
/// For how long ids are remembered. Chosen here: three times as long as an envelope may be old.
const REMEMBERED: Duration = Duration::from_secs(60);
/// For how long an answer may take. Chosen here: a full block over a slow line.
const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Streams of one neighbour at a time, in both directions together. Chosen here: four times what we open ourselves.
const MAX_STREAMS: usize = 4 * super::queue::MAX_IN_FLIGHT;
/// Chosen here: a neighbour that died is noticed within half a minute, over TCP too.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_PATIENCE: Duration = Duration::from_secs(10);
/// Bytes that one connection may make us hold unread, over QUIC. Chosen here: twice the longest message, in each direction.
const MAX_UNREAD: u32 = 4 << 20;
/// Streams that one connection may have open. Chosen here: ours, gossip's and identification's with room to spare.
const MAX_OPEN: u32 = 128;
/// Neighbours that are silent are noticed by pings, so an idle connection is no sign of anything.
const IDLE: Duration = Duration::from_secs(24 * 3600);

pub(super) type Gossip = gossipsub::Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// All protocols of a node.
#[derive(NetworkBehaviour)]
pub(super) struct Protocols {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) banned: list::Behaviour<list::BlockedPeers>,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) gossip: Gossip,
    pub(super) exchange: request_response::Behaviour<Wire>,
}

/// Returns the name by which nodes of this chain know each other.
pub(super) fn version(chain: ChainId) -> String {
    format!("/antiphon/{}/1", chain.0.to_hex())
}

/// Returns the one topic of a chain.
pub(super) fn topic(chain: ChainId) -> IdentTopic {
    IdentTopic::new(format!("{}/node", version(chain)))
}

/// Makes a swarm that speaks the chain's protocols over TCP and QUIC.
pub(super) fn swarm(
    key: Keypair,
    chain: ChainId,
    limits: &Limits,
) -> anyhow::Result<Swarm<Protocols>> {
    let protocols = protocols(&key, chain, limits)?;
    let swarm = SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, || {
            let mut streams = yamux::Config::default();
            streams.set_max_num_streams(usize::try_from(MAX_OPEN).unwrap_or(usize::MAX));
            streams
        })?
        .with_quic_config(|mut config| {
            config.max_connection_data = MAX_UNREAD.saturating_mul(2);
            config.max_stream_data = MAX_UNREAD;
            config.max_concurrent_stream_limit = MAX_OPEN;
            config
        })
        .with_behaviour(|_| protocols)?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    Ok(swarm)
}

fn protocols(key: &Keypair, chain: ChainId, limits: &Limits) -> anyhow::Result<Protocols> {
    let counts = ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.max_incoming))
        .with_max_pending_outgoing(Some(limits.max_outgoing))
        .with_max_established_incoming(Some(limits.max_incoming))
        .with_max_established_outgoing(Some(limits.max_outgoing))
        // Two nodes that dial each other at once.
        .with_max_established_per_peer(Some(2));
    let identity = identify::Config::new(version(chain), key.public())
        .with_agent_version(format!("antiphon/{}", env!("CARGO_PKG_VERSION")))
        .with_cache_size(0);
    let pings = ping::Config::new().with_interval(PING_EVERY).with_timeout(PING_PATIENCE);
    let exchange = StreamProtocol::try_from_owned(format!("{}/exchange", version(chain)))?;
    let exchanging = request_response::Config::default()
        .with_request_timeout(ANSWER_PATIENCE)
        .with_max_concurrent_streams(MAX_STREAMS);
    Ok(Protocols {
        limits: connection_limits::Behaviour::new(counts),
        banned: list::Behaviour::default(),
        identify: identify::Behaviour::new(identity),
        ping: ping::Behaviour::new(pings),
        gossip: gossip(chain)?,
        exchange: request_response::Behaviour::new([(exchange, ProtocolSupport::Full)], exchanging),
    })
}

fn gossip(chain: ChainId) -> anyhow::Result<Gossip> {
    let [low, mesh, high] = MESH;
    let config = gossipsub::ConfigBuilder::default()
        .protocol_id_prefix(format!("{}/gossip", version(chain)))
        // Every message is signed by whom it concerns, so gossip adds no name and no signature of its own, and
        // refuses messages that have one.
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(envelope::id)
        .duplicate_cache_time(REMEMBERED)
        .max_transmit_size(MAX_MESSAGE + 1024)
        .mesh_n_low(low)
        .mesh_n(mesh)
        .mesh_n_high(high)
        .heartbeat_initial_delay(Duration::from_millis(200))
        .heartbeat_interval(Duration::from_millis(700))
        .max_messages_per_rpc(Some(512))
        .build()?;
    let topic = topic(chain);
    let ours = WhitelistSubscriptionFilter([topic.hash()].into_iter().collect());
    let wrong = |reason: &str| anyhow::anyhow!("gossipsub: {reason}");
    let mut gossip =
        Gossip::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, ours)
            .map_err(wrong)?;
    let (scores, thresholds) = scores(&topic);
    gossip.with_peer_score(scores, thresholds).map_err(|reason| wrong(&reason))?;
    gossip.subscribe(&topic)?;
    Ok(gossip)
}

/// Invalid messages cost, though less than it takes to be no longer heard: the ban comes first, and says why. Silence costs
/// nothing, for most nodes have little to say.
fn scores(topic: &IdentTopic) -> (PeerScoreParams, PeerScoreThresholds) {
    let of_topic = TopicScoreParams {
        mesh_message_deliveries_weight: 0.0,
        mesh_failure_penalty_weight: 0.0,
        invalid_message_deliveries_weight: -1.0,
        invalid_message_deliveries_decay: gossipsub::score_parameter_decay(Duration::from_secs(
            300,
        )),
        ..TopicScoreParams::default()
    };
    let local = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let scores = PeerScoreParams {
        topics: [(topic.hash(), of_topic)].into_iter().collect(),
        // Networks for testing have every node on one address.
        ip_colocation_factor_whitelist: local.into_iter().collect(),
        ..PeerScoreParams::default()
    };
    (scores, PeerScoreThresholds::default())
}
