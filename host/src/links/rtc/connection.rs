//! How connections are made with the stack, and what it tells of them.
//!
//! Names of `.local` hosts are not resolved: a browser that hides its addresses behind one reaches ours, and is seen
//! by that. (With it, the stack also fails to start where there is only a loopback card.)

use anyhow::Context as _;
use rtc::{ice::mdns::MulticastDnsMode, peer_connection::transport::RTCDtlsRole};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::sync::watch;
use webrtc::{
    data_channel::DataChannel,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfigurationBuilder,
        RTCIceGatheringState, RTCIceServer, RTCIceTransportPolicy, RTCPeerConnectionState,
        SettingEngineBuilder,
    },
};

/// Bytes sent and not acknowledged. Measured with Chromium: above it the first burst may stall for
/// seconds, because the stack repeats what is lost after a second at the earliest.
const MAX_UNACKNOWLEDGED: usize = 64 * 1024;
/// Bytes that a peer may send before we take them: what our own client lets wait, and the longest message that the stack holds.
const RECEIVE_BUFFER: u32 = 256 * 1024;

/// How connections are made.
#[derive(Clone, Debug)]
pub struct RtcOptions {
    /// Addresses to bind, each connection anew; an unspecified one is every address of this machine.
    pub listen: Vec<SocketAddr>,
    /// Addresses by which this machine is reached, if a translator of addresses is before it.
    pub external: Vec<IpAddr>,
    /// STUN and TURN servers.
    pub servers: Vec<RTCIceServer>,
    /// Reaches peers, and is reached, by the TURN servers alone, one of which speaks UDP: no peer learns an address of this machine.
    pub is_relay_only: bool,
}

/// What the stack tells about a connection.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) is_gathered: watch::Sender<bool>,
    pub(super) is_lost: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Told {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.is_gathered.send_replace(state == RTCIceGatheringState::Complete);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if matches!(state, RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed) {
            self.is_lost.send_replace(true);
        }
    }

    async fn on_data_channel(&self, _: Arc<dyn DataChannel>) {
        // No peer of ours opens a second channel; each would cost memory.
        self.is_lost.send_replace(true);
    }
}

impl RtcOptions {
    /// Makes one connection and closes it: what no link could be made with is said at the start, not at each link.
    ///
    /// # Errors
    /// An address that cannot be bound, a server's URL that is none, in words for a person.
    pub async fn check(&self) -> anyhow::Result<()> {
        for server in &self.servers {
            let urls = server.urls.join(" ");
            anyhow::ensure!(
                urls.starts_with("stun:") || urls.starts_with("turn:"),
                "{urls} is not the URL of a STUN or TURN server, such as stun:stun.example:3478"
            );
        }
        let addresses = || format!("binding {:?} for peers", self.listen);
        let connection = self.connect(Arc::new(Told::default())).await.with_context(addresses)?;
        connection.close().await.context("the connection does not close")
    }

    pub(super) async fn connect(
        &self,
        told: Arc<Told>,
    ) -> anyhow::Result<impl PeerConnection + use<>> {
        let is_loopback = self.listen.iter().any(|address| address.ip().is_loopback());
        let settings = SettingEngineBuilder::new()
            // Who answers as the server lets the other end begin the association: see `opening`.
            .with_answering_dtls_role(RTCDtlsRole::Server)
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .with_sctp_max_receive_buffer_size(RECEIVE_BUFFER)
            .with_include_loopback_candidate(is_loopback);
        let ways = if self.is_relay_only {
            RTCIceTransportPolicy::Relay
        } else {
            RTCIceTransportPolicy::All
        };
        let servers = RTCConfigurationBuilder::new()
            .with_ice_servers(self.servers.clone())
            .with_ice_transport_policy(ways)
            .build();
        let connection = PeerConnectionBuilder::new()
            .with_configuration(servers)
            .with_setting_engine(settings.build())
            .with_handler(told)
            .with_udp_addrs(self.listen.clone())
            .with_data_channel_send_buffer_limit(MAX_UNACKNOWLEDGED)
            .build();
        connection.await.context("no connection can be made")
    }
}
