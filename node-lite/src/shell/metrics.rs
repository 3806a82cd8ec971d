//! What a node counts, as Prometheus reads it; and its state for people and supervisors, over HTTP on an address of its own.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | OpenMetrics text |
//! | `/health` | 200 if the node runs and has a neighbour it needs, else 503 |
//! | `/status` | heights, epoch, neighbours, waiting transactions as JSON |

mod ledger;

pub(super) use ledger::{Ledger, Reason, openmetrics};

use super::{driver::Watch, net::kind::Kind, rpc::Published, store::Store};
use crate::{
    bft, guardian,
    supernode::{Fault, Status, Supernode},
};
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum Direction {
    /// To this node.
    In,
    /// From this node.
    Out,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Traffic {
    direction: Direction,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AtLevel {
    level: &'static str,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    heights: Family<AtLevel, Gauge>,
    epoch: Gauge,
    waiting: Gauge,
    stopped: Gauge,
    pub(super) peers: Gauge,
    messages: Family<Traffic, Counter>,
    bytes: Family<Traffic, Counter>,
    pub(super) lost: Counter,
    pub(super) bans: Counter,
    pub(super) refused: Counter,
    faults: Family<Named, Counter>,
    stores: Histogram,
    blocks: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut all = Ledger::new("antiphon");
        // From a tenth of a millisecond and from ten milliseconds, each doubling.
        let stores = || Histogram::new(exponential_buckets(0.0001, 2.0, 16));
        let blocks = || Histogram::new(exponential_buckets(0.01, 2.0, 14));
        Self {
            heights: all.count("height", "Newest block by level"),
            epoch: all.count("epoch", "Epoch the node is in"),
            waiting: all.count("waiting", "Transactions that wait for a block"),
            stopped: all.count("stopped", "1 once the node has stopped by itself"),
            peers: all.count("peers", "Neighbours of this chain"),
            messages: all.count("messages", "Messages by direction and kind"),
            bytes: all.bytes("traffic", "Bytes of messages"),
            lost: all.count("lost_messages", "Messages let go: over a rate, no room, nobody there"),
            bans: all.count("bans", "Peers banned for what they sent"),
            refused: all.count("refused_peers", "Peers of another chain"),
            faults: all.count("faults", "Faults by kind"),
            stores: all.measure("store", "Time to write a batch", Unit::Seconds, stores),
            blocks: all.measure(
                "settled_interval",
                "Time between settled heads",
                Unit::Seconds,
                blocks,
            ),
            registry: all.close(),
        }
    }
}

impl Metrics {
    /// Counts a message and its bytes.
    pub(super) fn message(&self, direction: Direction, kind: Kind, bytes: usize) {
        let labels = Traffic { direction, kind };
        self.messages.get_or_create(&labels).inc();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes.get_or_create(&labels).inc_by(bytes);
    }

    fn status(&self, status: &Status) {
        let levels = [
            ("included", status.included),
            ("settled", status.settled),
            ("final", status.finalised),
        ];
        for (level, height) in levels {
            self.heights.get_or_create(&AtLevel { level }).set(number(height.0));
        }
        self.epoch.set(number(status.epoch.0));
        self.waiting.set(i64::try_from(status.waiting).unwrap_or(i64::MAX));
        self.stopped.set(i64::from(status.stopped));
    }

    #[cfg(test)]
    pub(super) fn sent(&self, kind: Kind) -> u64 {
        self.messages.get_or_create(&Traffic { direction: Direction::Out, kind }).get()
    }
}

fn number(height: u64) -> i64 {
    i64::try_from(height).unwrap_or(i64::MAX)
}

/// Shows a node to the server and counts what it does. Lives on the node's thread.
#[derive(Debug)]
pub struct Observer {
    show: watch::Sender<Published>,
    metrics: Arc<Metrics>,
    settled: (u64, Instant),
}

impl Observer {
    /// Observes from now on.
    pub fn new(show: watch::Sender<Published>, metrics: Arc<Metrics>) -> Self {
        Self { show, metrics, settled: (0, Instant::now()) }
    }
}

impl Watch for Observer {
    fn after(&mut self, node: &Supernode<Store>) {
        Published::show(&self.show, node);
        let status = node.status();
        self.metrics.status(&status);
        let (height, since) = self.settled;
        if status.settled.0 > height {
            if height > 0 {
                self.metrics.blocks.observe(since.elapsed().as_secs_f64());
            }
            self.settled = (status.settled.0, Instant::now());
        }
    }

    fn stored(&mut self, took: Duration) {
        self.metrics.stores.observe(took.as_secs_f64());
    }

    fn fault(&mut self, fault: &Fault) {
        self.metrics.faults.get_or_create(&Named { kind: name(fault) }).inc();
    }
}

const fn name(fault: &Fault) -> &'static str {
    match fault {
        Fault::Bft(bft::Fault::TwoProposals(_)) => "two-proposals",
        Fault::Bft(bft::Fault::TwoVotes(_)) => "two-votes",
        Fault::Bft(bft::Fault::Unlocked(..)) => "vote-against-lock",
        Fault::Bft(bft::Fault::BadMessage(_)) => "bad-message",
        Fault::Bft(bft::Fault::Halted(..)) => "settlement-halted",
        Fault::Guardian(guardian::Fault::TwoShares(_)) => "two-shares",
        Fault::Guardian(guardian::Fault::BadMessage(_)) => "bad-guardian-message",
        Fault::Guardian(guardian::Fault::Forged(_)) => "forged-tally",
        Fault::Guardian(guardian::Fault::Halted(..)) => "finality-halted",
        Fault::Block(..) => "block-does-not-execute",
        Fault::Malformed(_) => "malformed",
        Fault::Stopped(_) => "stopped",
    }
}

/// What the metrics server answers from.
#[derive(Clone, Debug)]
pub struct View {
    /// The counts.
    pub metrics: Arc<Metrics>,
    /// The node.
    pub published: watch::Receiver<Published>,
    /// Whether the node is of use without neighbours: it is the only validator.
    pub alone: bool,
}

/// Returns the routes.
pub fn routes(view: View) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/status", get(status))
        .with_state(view)
}

async fn metrics(State(view): State<View>) -> Response {
    openmetrics(&view.metrics.registry)
}

async fn health(State(view): State<View>) -> Response {
    let (well, body) = state(&view);
    let code = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(body)).into_response()
}

async fn status(State(view): State<View>) -> Response {
    Json(state(&view).1).into_response()
}

fn state(view: &View) -> (bool, serde_json::Value) {
    let status = view.published.borrow().status;
    let peers = view.metrics.peers.get();
    let well = !status.stopped && (peers > 0 || view.alone);
    let body = serde_json::json!({
        "ok": well,
        "included": status.included.0,
        "settled": status.settled.0,
        "final": status.finalised.0,
        "epoch": status.epoch.0,
        "waiting": status.waiting,
        "stopped": status.stopped,
        "peers": peers,
        "bans": view.metrics.bans.get(),
    });
    (well, body)
}
