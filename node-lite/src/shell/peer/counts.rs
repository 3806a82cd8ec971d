//! What a native peer counts, as Prometheus reads it; and its state for people and supervisors.
//!
//! | path | answer |
//! |---|---|
//! | `/metrics` | OpenMetrics text |
//! | `/health` | 200 if the stream is known and the tracker reached, else 503 |
//! | `/status` | stream, links, bytes, money as JSON |

use crate::shell::metrics::{Ledger, Reason, openmetrics};
use antiphon_core::{
    client::{Notice, Snapshot, Status},
    delivery::sharing,
};
use antiphon_host::tuner;
use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError, atomic::Ordering};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct From {
    source: &'static str,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Counts {
    registry: Registry,
    received: Family<From, Counter>,
    sent: Counter,
    served: Counter,
    month: Gauge,
    giving: Gauge,
    bad: Counter,
    late: Counter,
    hedged: Counter,
    wanted: Counter,
    lost: Counter,
    cached: Gauge,
    links: Gauge,
    earned: Gauge,
    spent: Gauge,
    settled: Gauge,
    bans: Family<Reason, Counter>,
    troubles: Family<Reason, Counter>,
    ended: Gauge,
    shown: Mutex<Value>,
}

impl Default for Counts {
    fn default() -> Self {
        let mut all = Ledger::new("antiphon_peer");
        Self {
            received: all.bytes("received", "Verified bytes by where they came from"),
            sent: all.bytes("sent", "Bytes served to peers"),
            served: all.count("chunks_served", "Chunks served to peers"),
            month: all.bytes("sent_this_month", "Bytes served in this month of the calendar, UTC"),
            giving: all.count("giving", "1 while it serves, 0 once a cap is reached"),
            bad: all.count("chunks_bad", "Chunks that failed verification"),
            late: all.count("chunks_late", "Chunks that came after they were needed"),
            hedged: all.count("chunks_hedged", "Chunks that were hedged over HTTP"),
            wanted: all.count("segments_wanted", "Segments wanted"),
            lost: all.count("segments_lost", "Segments given up"),
            cached: all.bytes("cached", "Bytes in the cache"),
            links: all.count("links", "Open links to peers"),
            earned: all
                .count("vouchers_in", "Vouchers held and not proven settled, in smallest units"),
            spent: all
                .count("vouchers_out", "Vouchers given and not proven settled, in smallest units"),
            settled: all.count("settled", "Settlements proven since the start, in smallest units"),
            bans: all.count("bans", "Peers banned by reason"),
            troubles: all.count("troubles", "What was refused or went wrong"),
            ended: all.count("ended", "1 while the playlist says that nothing follows"),
            shown: Mutex::new(describe(&Snapshot::default(), false, sharing::View::default())),
            registry: all.close(),
        }
    }
}

impl Counts {
    /// Counts what the client tells at once.
    pub fn notice(&self, notice: &Notice) {
        match notice {
            Notice::Trouble(code) => {
                self.troubles.get_or_create(&Reason { reason: code }).inc();
            }
            Notice::Banned(code) => {
                self.bans.get_or_create(&Reason { reason: code }).inc();
            }
            Notice::Recovered(_) | Notice::Warning(..) | Notice::Changed => {}
        }
    }

    /// Shows how all stands.
    pub fn show(&self, shown: &Snapshot, tuned: tuner::Stats, given: sharing::View) {
        let delivery = &shown.delivery;
        for (source, bytes) in [("peers", delivery.from_peers), ("origin", delivery.from_origin)] {
            set(&self.received.get_or_create(&From { source }), bytes);
        }
        set(&self.sent, delivery.to_peers);
        set(&self.served, delivery.chunks_served);
        self.month.set(number(given.month_bytes));
        self.giving.set(i64::from(given.is_on));
        set(&self.bad, delivery.bad);
        set(&self.late, delivery.late);
        set(&self.hedged, delivery.hedged);
        set(&self.wanted, tuned.wanted);
        set(&self.lost, tuned.lost);
        self.cached.set(number(delivery.cached));
        self.links.set(number(shown.peers.len()));
        self.ended.set(i64::from(tuned.is_ended));
        self.earned.set(number(shown.wallet.vouchers_in.units()));
        self.spent.set(number(shown.wallet.vouchers_out.units()));
        let settled = shown.wallet.settlements.iter().filter(|done| done.level.is_some());
        self.settled.set(number(settled.map(|done| done.amount.units()).sum::<u128>()));
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) =
            describe(shown, tuned.is_ended, given);
    }

    fn shown(&self) -> Value {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn set(counter: &Counter, count: u64) {
    // The client counts; here its newest number is shown.
    counter.inner().store(count, Ordering::Relaxed);
}

fn number(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Writes how all stands; amounts as text, for they may exceed what a number of JSON holds.
fn describe(shown: &Snapshot, is_ended: bool, given: sharing::View) -> Value {
    let Snapshot { stream, delivery, wallet, peers, problems, chain, .. } = shown;
    let is_well = stream.is_some() && delivery.tracker == Status::Up;
    json!({
        "ok": is_well,
        "stream": stream.as_ref().map(|stream| json!({
            "name": stream.name,
            "publisher": stream.publisher,
            "price": stream.price.units().to_string(),
            "newest": stream.newest,
            "isEnded": is_ended,
        })),
        "settled": chain.settled.0,
        "final": chain.final_height.0,
        "peers": peers.len(),
        "fromPeers": delivery.from_peers,
        "fromOrigin": delivery.from_origin,
        "toPeers": delivery.to_peers,
        "toPeersThisMonth": given.month_bytes,
        "isGiving": given.is_on,
        "chunksServed": delivery.chunks_served,
        "bad": delivery.bad,
        "cached": delivery.cached,
        "vouchersIn": wallet.vouchers_in.units().to_string(),
        "vouchersOut": wallet.vouchers_out.units().to_string(),
        "problems": problems.iter().map(|problem| json!([problem.code, problem.count])).collect::<Vec<_>>(),
    })
}

/// Returns the routes.
pub fn routes(counts: Arc<Counts>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .route("/status", get(status))
        .with_state(counts)
}

async fn metrics(State(counts): State<Arc<Counts>>) -> Response {
    openmetrics(&counts.registry)
}

async fn health(State(counts): State<Arc<Counts>>) -> Response {
    let shown = counts.shown();
    let is_well = shown.get("ok").and_then(Value::as_bool).unwrap_or_default();
    let code = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(shown)).into_response()
}

async fn status(State(counts): State<Arc<Counts>>) -> Response {
    Json(counts.shown()).into_response()
}
