//! How this device reaches peers: by data channels, but not on iOS yet, where the stack does not compile.

use crate::options::IceServer;
use antiphon_host::links::LinkEvent;
#[cfg(target_os = "ios")]
use antiphon_host::links::NoLinks;
#[cfg(not(target_os = "ios"))]
use antiphon_host::links::{RTCIceServer, RtcLinks, RtcOptions};
use std::net::SocketAddr;
use tokio::sync::mpsc;

/// Links of this device.
#[cfg(not(target_os = "ios"))]
pub(crate) type DeviceLinks = RtcLinks;
/// Links of this device.
#[cfg(target_os = "ios")]
pub(crate) type DeviceLinks = NoLinks;

/// What links are made with.
#[derive(Clone, Debug)]
pub(crate) struct Ways {
    /// Addresses to bind.
    pub(crate) listen: Vec<SocketAddr>,
    /// STUN and TURN servers.
    pub(crate) servers: Vec<IceServer>,
}

impl Ways {
    /// Makes links that tell what happens to `events`.
    #[cfg(not(target_os = "ios"))]
    pub(crate) fn links(&self, events: mpsc::Sender<LinkEvent>) -> DeviceLinks {
        let server = |server: &IceServer| RTCIceServer {
            urls: vec![server.url.clone()],
            username: server.username.clone(),
            credential: server.credential.clone(),
        };
        let servers = self.servers.iter().map(server).collect();
        RtcLinks::new(
            RtcOptions { listen: self.listen.clone(), external: Vec::new(), servers },
            events,
        )
    }

    /// Makes links that are lost at once.
    #[cfg(target_os = "ios")]
    pub(crate) fn links(&self, events: mpsc::Sender<LinkEvent>) -> DeviceLinks {
        tracing::debug!(
            addresses = self.listen.len(),
            servers = self.servers.len(),
            "no data channels here"
        );
        NoLinks::new(events)
    }
}

/// Returns once all links have ended.
#[cfg(not(target_os = "ios"))]
pub(crate) async fn ended(links: DeviceLinks) {
    links.ended().await;
}

/// Returns once all links have ended, which they have.
#[cfg(target_os = "ios")]
pub(crate) async fn ended(links: DeviceLinks) {
    drop(links);
}
