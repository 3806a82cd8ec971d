//! Links by the `webrtc` crate: one task a link.
//!
//! ```text
//! Links::create --> task: build, describe ─── Described ──► host
//! Links::send ──► queue ──► channel, at most 64 KiB unacknowledged ── Drained ──► host
//! channel ── Opened, Message, Closed ──► host
//! ```
//!
//! Candidates travel inside the description; those that a page finds later are added when it tells them. The channel is
//! negotiated with the same id on both ends, as in a page.

mod connection;
mod opening;
mod outside;

use super::{LinkEvent, Links};
use antiphon_core::peer::LinkId;
use anyhow::Context as _;
use bytes::BytesMut;
pub use connection::RtcOptions;
use connection::Told;
use opening::{Opening, due};
use outside::{from_outside, of_relays};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use webrtc::{
    data_channel::{DataChannel, RTCDataChannelInit},
    peer_connection::{PeerConnection, RTCIceCandidateInit, RTCSessionDescription},
};

/// Id of the negotiated channel on every connection, as in a page.
const CHANNEL_ID: u16 = 0;
const CHANNEL_LABEL: &str = "antiphon/1";
/// Bytes that wait to be sent on one link before it counts as lost. The client lets 256 KiB of chunks wait.
const MAX_QUEUED: usize = 2 << 20;
/// Longest wait for candidates, as in a page.
const GATHER_PATIENCE: Duration = Duration::from_secs(1);
/// How long a link that is closed may take to send what waits.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Between two looks whether the last words are acknowledged.
const LOOK: Duration = Duration::from_millis(10);

/// Says something to the task of a link.
#[derive(Debug)]
enum Order {
    Accept(String),
    Add(String),
    Send(Vec<u8>),
    Close,
}

#[derive(Debug)]
struct Handle {
    orders: mpsc::UnboundedSender<Order>,
    /// Bytes that wait.
    queued: Arc<AtomicUsize>,
}

/// Every link of one client.
#[derive(Debug)]
pub struct RtcLinks {
    options: Arc<RtcOptions>,
    events: mpsc::Sender<LinkEvent>,
    links: BTreeMap<LinkId, Handle>,
    /// Open as long as a task runs.
    running: Arc<watch::Sender<()>>,
}

impl RtcLinks {
    /// Makes links that tell what happens to `events`.
    pub fn new(options: RtcOptions, events: mpsc::Sender<LinkEvent>) -> Self {
        let running = Arc::new(watch::Sender::new(()));
        Self { options: Arc::new(options), events, links: BTreeMap::new(), running }
    }

    /// Returns what resolves once the task of every link has ended.
    pub fn ended(self) -> impl Future<Output = ()> {
        let mut end = self.running.subscribe();
        drop(self);
        async move { while end.changed().await.is_ok() {} }
    }
}

impl Links for RtcLinks {
    fn create(&mut self, link: LinkId, offer: Option<String>) {
        // The client is told of the end of each; what has ended by itself is forgotten here.
        self.links.retain(|_, handle| !handle.orders.is_closed());
        let (orders, inbox) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        self.links.insert(link, Handle { orders, queued: queued.clone() });
        let task =
            Task { link, events: self.events.clone(), queued, options: self.options.clone() };
        let running = self.running.clone();
        tokio::spawn(async move {
            task.run(offer, inbox).await;
            drop(running);
        });
    }

    fn accept(&mut self, link: LinkId, answer: String) {
        self.order(link, Order::Accept(answer));
    }

    fn add(&mut self, link: LinkId, lines: String) {
        self.order(link, Order::Add(lines));
    }

    fn send(&mut self, link: LinkId, message: Vec<u8>) {
        let Some(handle) = self.links.get(&link) else { return };
        let length = message.len();
        let before = handle.queued.fetch_add(length, Ordering::Relaxed);
        // The task ends, and tells so, when its last order is `Close`.
        let is_too_much = before.saturating_add(length) > MAX_QUEUED;
        self.order(link, if is_too_much { Order::Close } else { Order::Send(message) });
    }

    fn close(&mut self, link: LinkId) {
        self.order(link, Order::Close);
        self.links.remove(&link);
    }
}

impl RtcLinks {
    fn order(&self, link: LinkId, order: Order) {
        if let Some(handle) = self.links.get(&link) {
            // The task may just have ended by itself; it tells so.
            let _ = handle.orders.send(order);
        }
    }
}

/// The life of one link.
#[derive(Clone)]
struct Task {
    link: LinkId,
    events: mpsc::Sender<LinkEvent>,
    queued: Arc<AtomicUsize>,
    options: Arc<RtcOptions>,
}

impl Task {
    async fn run(self, offer: Option<String>, inbox: mpsc::UnboundedReceiver<Order>) {
        let inner = self.clone();
        // Apart, so that the client hears of the end even if what a peer sends makes the stack panic.
        let carried = tokio::spawn(async move { inner.carry(offer, inbox).await });
        match carried.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(link = self.link.0, "{error:#}"),
            Err(error) => tracing::error!(link = self.link.0, "{error}"),
        }
        self.tell(LinkEvent::Closed(self.link)).await;
    }

    /// Waits where the host is behind, so that the stack stops taking more from the peer.
    async fn tell(&self, event: LinkEvent) {
        // Nobody listens any more when the process ends.
        let _ = self.events.send(event).await;
    }

    async fn carry(
        &self,
        offer: Option<String>,
        inbox: mpsc::UnboundedReceiver<Order>,
    ) -> anyhow::Result<()> {
        let told = Arc::new(Told::default());
        let connection = self.options.connect(told.clone()).await?;
        let carried = self.talk(&connection, &told, offer, inbox).await;
        connection.close().await.context("the connection does not close")?;
        carried
    }

    async fn talk(
        &self,
        connection: &impl PeerConnection,
        told: &Told,
        offer: Option<String>,
        inbox: mpsc::UnboundedReceiver<Order>,
    ) -> anyhow::Result<()> {
        let init = RTCDataChannelInit { negotiated: Some(CHANNEL_ID), ..Default::default() };
        let channel = connection.create_data_channel(CHANNEL_LABEL, Some(init)).await?;
        let opening = Opening::new(self.link, offer.is_none());
        let description = match offer {
            Some(sdp) => {
                connection.set_remote_description(RTCSessionDescription::offer(sdp)?).await?;
                connection.create_answer(None).await?
            }
            None => connection.create_offer(None).await?,
        };
        connection.set_local_description(description).await?;
        let mut gathered = told.is_gathered.subscribe();
        // What is known by then is told: a server that does not answer must not hold a call.
        let _ = timeout(GATHER_PATIENCE, gathered.wait_for(|is_it| *is_it)).await;
        let description = connection.local_description().await.context("no description")?;
        let sdp = if self.options.is_relay_only {
            of_relays(&description.sdp)
        } else {
            from_outside(&description.sdp, &self.options.external)
        };
        self.tell(LinkEvent::Described(self.link, sdp)).await;
        self.pump(connection, &channel, told.is_lost.subscribe(), inbox, opening).await
    }

    /// Moves messages both ways until either side, or the way between them, has had enough.
    async fn pump(
        &self,
        connection: &impl PeerConnection,
        channel: &Arc<dyn DataChannel>,
        mut lost: watch::Receiver<bool>,
        mut inbox: mpsc::UnboundedReceiver<Order>,
        mut opening: Opening,
    ) -> anyhow::Result<()> {
        let (outbox, to_send) = mpsc::unbounded_channel();
        let sending = self.send_all(channel, to_send);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                order = inbox.recv() => match order {
                    Some(Order::Accept(sdp)) => {
                        connection.set_remote_description(RTCSessionDescription::answer(sdp)?).await?;
                    }
                    Some(Order::Add(lines)) => add(connection, &lines).await,
                    // The other end lives as long as `sending`.
                    Some(Order::Send(message)) => drop(outbox.send(message)),
                    Some(Order::Close) | None => break,
                },
                event = channel.poll() => match opening.hear(event) {
                    Some(events) => for event in events {
                        self.tell(event).await;
                    },
                    None => return Ok(()),
                },
                () = due(opening.due()) => {
                    if let Some(event) = opening.tell() {
                        self.tell(event).await;
                    }
                }
                sent = &mut sending => return sent,
                () = is_lost(&mut lost) => return Ok(()),
            }
        }
        drop(outbox);
        let last_words = async {
            sending.await?;
            acknowledged(channel).await
        };
        timeout(LAST_WORDS, last_words).await.unwrap_or(Ok(()))
    }

    /// Sends what comes, and tells whenever nothing waits.
    async fn send_all(
        &self,
        channel: &Arc<dyn DataChannel>,
        mut to_send: mpsc::UnboundedReceiver<Vec<u8>>,
    ) -> anyhow::Result<()> {
        while let Some(message) = to_send.recv().await {
            channel.send(BytesMut::from(message.as_slice())).await?;
            let before = self.queued.fetch_sub(message.len(), Ordering::Relaxed);
            if before == message.len() {
                self.tell(LinkEvent::Drained(self.link)).await;
            }
        }
        Ok(())
    }
}

/// Adds candidates that the peer found after it described itself. One that is none is left out; others may still do.
async fn add(connection: &impl PeerConnection, lines: &str) {
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let candidate = line.strip_prefix("a=").unwrap_or(line).to_owned();
        let candidate = RTCIceCandidateInit { candidate, ..Default::default() };
        if let Err(error) = connection.add_ice_candidate(candidate).await {
            tracing::debug!(%error, "a candidate is none");
        }
    }
}

/// Returns once all that was sent is acknowledged.
async fn acknowledged(channel: &Arc<dyn DataChannel>) -> anyhow::Result<()> {
    while channel.outstanding_bytes().await? > 0 {
        sleep(LOOK).await;
    }
    Ok(())
}

/// Returns once the connection is lost.
async fn is_lost(lost: &mut watch::Receiver<bool>) {
    // Who tells it lives as long as the connection.
    let _ = lost.wait_for(|is_lost| *is_lost).await;
}

#[cfg(test)]
mod tests;
