//! How this device reaches peers: by data channels.

use crate::options::IceServer;
use antiphon_host::links::{LinkEvent, RTCIceServer, RtcLinks, RtcOptions};
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// What links are made with.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    /// Addresses to bind.
    pub(crate) listen: Vec<SocketAddr>,
    /// STUN and TURN servers.
    pub(crate) servers: Vec<IceServer>,
    /// Whether the TURN servers are the only way.
    pub(crate) is_relay_only: bool,
}

impl Ways {
    /// Makes links that tell what happens to `events`.
    pub(crate) fn links(&self, events: mpsc::Sender<LinkEvent>) -> RtcLinks {
        let server = |server: &IceServer| RTCIceServer {
            urls: vec![server.url.clone()],
            username: server.username.clone(),
            credential: server.credential.clone(),
        };
        let servers = self.servers.iter().map(server).collect();
        RtcLinks::new(
            RtcOptions {
                listen: self.listen.clone(),
                external: Vec::new(),
                servers,
                is_relay_only: self.is_relay_only,
            },
            events,
        )
    }
}
