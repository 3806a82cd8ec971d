//! What a tracker counts, as Prometheus reads it at `--metrics`: an address of its own, for the keeper and not for listeners.

use super::{Door, status_of};
use crate::shell::metrics::{Ledger, Reason, openmetrics};
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
    registry::Registry,
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
    refused: Family<Reason, Counter>,
}

impl Default for Counts {
    fn default() -> Self {
        let mut all = Ledger::new("antiphon_tracker");
        Self {
            connections: all.count("connections", "Listeners that are connected"),
            streams: all.count("streams", "Streams and rooms that somebody is in"),
            others: all.count("others", "Other trackers that share their swarms"),
            messages: all.count("messages", "Messages by way"),
            bytes: all.bytes("traffic", "Bytes by way"),
            lost: all
                .count("lost_messages", "Messages let go, for who should have read them did not"),
            closed: all.count("closed", "Connections that the tracker closed, by reason"),
            refused: all.count("refused_tokens", "Joins without a token that holds, by reason"),
            registry: all.close(),
        }
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

impl Counts {
    /// Counts a listener that may not join, or not stay.
    pub(super) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Reason { reason }).inc();
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
