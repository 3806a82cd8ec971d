//! What a tracker counts, as Prometheus reads it at `--metrics`: an address of its own, for the keeper and not for listeners.

use super::{Door, status_of};
use crate::shell::metrics::openmetrics;
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::sync::Arc;

/// Whose message it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum Way {
    /// From a listener.
    In,
    /// From the tracker to a listener.
    Out,
    /// From one listener through the tracker to another.
    Relay,
    /// To other trackers.
    Share,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Counts {
    registry: Registry,
    connections: Gauge,
    streams: Gauge,
    others: Gauge,
    messages: Family<By, Counter>,
    bytes: Family<By, Counter>,
    lost: Family<By, Counter>,
    closed: Family<Reason, Counter>,
}

impl Default for Counts {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("antiphon_tracker");
        let (connections, streams, others) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("connections", "Listeners that are connected", connections.clone());
        registry.register("streams", "Streams and rooms that somebody is in", streams.clone());
        let help = "Other trackers that share their swarms";
        registry.register("others", help, others.clone());
        let (messages, bytes) =
            (Family::<By, Counter>::default(), Family::<By, Counter>::default());
        registry.register("messages", "Messages by way", messages.clone());
        registry.register_with_unit("traffic", "Bytes by way", Unit::Bytes, bytes.clone());
        let (lost, closed) = (Family::default(), Family::default());
        let help = "Messages let go, for who should have read them did not";
        registry.register("lost_messages", help, Family::clone(&lost));
        let help = "Connections that the tracker closed, by reason";
        registry.register("closed", help, Family::clone(&closed));
        Self { registry, connections, streams, others, messages, bytes, lost, closed }
    }
}

impl Counts {
    /// Counts a message.
    pub(super) fn message(&self, way: Way, bytes: usize) {
        self.messages.get_or_create(&By { way }).inc();
        self.bytes.get_or_create(&By { way }).inc_by(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// Counts a message that nobody read.
    pub(super) fn lost(&self, way: Way) {
        self.lost.get_or_create(&By { way }).inc();
    }

    /// Counts a connection that the tracker closed.
    pub(super) fn closed(&self, reason: &'static str) {
        self.closed.get_or_create(&Reason { reason }).inc();
    }
}

#[derive(Clone)]
struct View {
    counts: Arc<Counts>,
    door: Door,
}

/// Returns the routes.
pub(super) fn routes(counts: Arc<Counts>, door: Door) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(View { counts, door })
}

async fn metrics(State(View { counts, door }): State<View>) -> Response {
    // What is now is asked of the machine: it alone knows.
    let Some(status) = status_of(&door).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    counts.connections.set(number(status.connections));
    counts.streams.set(number(status.streams));
    counts.others.set(number(status.trackers.unwrap_or_default()));
    openmetrics(&counts.registry)
}
