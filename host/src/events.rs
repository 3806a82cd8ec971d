//! What happens outside, on its way to the host: each source waits by itself when the host is behind.

use crate::{disk::Written, links::LinkEvent, socket::SocketEvent, tuner};
use antiphon_core::client::Input;
use tokio::sync::mpsc;

/// Events of one source that wait before whoever tells more has to wait, too.
const MAX_WAITING: usize = 1024;

/// Where events come from.
#[derive(Debug)]
pub struct Events {
    pub(crate) links: mpsc::Receiver<LinkEvent>,
    pub(crate) socket: mpsc::Receiver<SocketEvent>,
    pub(crate) disk: mpsc::Receiver<Written>,
    pub(crate) errands: mpsc::Receiver<Done>,
}

impl Events {
    /// Takes what a link tells, for nobody. Returns whether more may come.
    pub async fn discard(&mut self) -> bool {
        self.links.recv().await.is_some()
    }

    /// Waits for what became of writes; nothing once the disk has failed.
    pub async fn written(&mut self) -> Option<Written> {
        self.disk.recv().await
    }

    /// Returns once the disk tells nothing any more: its file is closed, and may be opened again.
    pub async fn written_out(&mut self) {
        while self.disk.recv().await.is_some() {}
    }
}

/// Where events go.
#[derive(Clone, Debug)]
pub struct Tellers {
    /// Of links.
    pub links: mpsc::Sender<LinkEvent>,
    /// Of the tracker's socket.
    pub socket: mpsc::Sender<SocketEvent>,
    /// Of the disk.
    pub disk: mpsc::Sender<Written>,
    /// Of errands.
    pub errands: mpsc::Sender<Done>,
}

/// What became of an errand, for whoever sent for it.
#[derive(Debug)]
pub enum Done {
    /// The client.
    Client(Input),
    /// The tuner.
    Tuner(tuner::Input),
}

/// Makes the ways by which events come.
pub fn events() -> (Tellers, Events) {
    let (links, links_in) = mpsc::channel(MAX_WAITING);
    let (socket, socket_in) = mpsc::channel(MAX_WAITING);
    let (disk, disk_in) = mpsc::channel(MAX_WAITING);
    let (errands, errands_in) = mpsc::channel(MAX_WAITING);
    let tellers = Tellers { links, socket, disk, errands };
    (tellers, Events { links: links_in, socket: socket_in, disk: disk_in, errands: errands_in })
}

/// Returns what the client is told of a link.
pub(crate) fn of_link(event: LinkEvent) -> Input {
    match event {
        LinkEvent::Described(link, sdp) => Input::Described(link, sdp),
        LinkEvent::Opened(link) => Input::LinkOpened(link),
        LinkEvent::Message(link, bytes) => Input::LinkMessage(link, bytes),
        LinkEvent::Drained(link) => Input::LinkDrained(link),
        LinkEvent::Closed(link) => Input::LinkClosed(link),
    }
}
