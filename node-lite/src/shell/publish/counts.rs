//! What a publisher counts, as Prometheus reads it at `--metrics`: an address of its own, for the keeper and not for listeners.
//!
//! | name | labels | what |
//! |---|---|---|
//! | `antiphon_publish_requests_total` | `kind`, `status` | what was asked of the origin |
//! | `antiphon_publish_traffic_bytes_total` | `kind`, `status` | bytes of the answers; of pushes, bytes taken |
//! | `antiphon_publish_segments_total` | `rendition` | segments published since the start |
//! | `antiphon_publish_newest_age_seconds` | `rendition` | time since the last sound of the newest segment |
//! | `antiphon_publish_ended` | – | 1 once the source has ended |
//!
//! `kind` is `playlist`, `segment` (and maps), `record` (and the description by itself), `push` or `other`.

use super::{origin::Took, station::Station};
use crate::{
    publisher::{Container, DESCRIPTION, RECORD},
    shell::{
        http::now,
        metrics::{Ledger, openmetrics},
    },
};
use axum::{
    Router,
    body::HttpBody as _,
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::Response,
    routing::get,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    kind: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    rendition: u8,
}

/// Everything that is counted.
#[derive(Debug)]
pub(super) struct Counts {
    registry: Registry,
    requests: Family<Asked, Counter>,
    traffic: Family<Asked, Counter>,
    segments: Family<Of, Counter>,
    age: Family<Of, Gauge<f64, AtomicU64>>,
    ended: Gauge,
}

impl Default for Counts {
    fn default() -> Self {
        let mut all = Ledger::new("antiphon_publish");
        let age = "Time since the last sound of the newest segment";
        Self {
            requests: all.count("requests", "What was asked of the origin"),
            traffic: all.bytes("traffic", "Bytes of the answers; of pushes, bytes taken"),
            segments: all.count("segments", "Segments published since the start"),
            age: all.measure("newest_age", age, Unit::Seconds, Family::default),
            ended: all.count("ended", "1 once the source has ended"),
            registry: all.close(),
        }
    }
}

impl Counts {
    /// Counts a segment of a rendition.
    pub(super) fn published(&self, rendition: u8) {
        self.segments.get_or_create(&Of { rendition }).inc();
    }

    fn answered(&self, kind: &'static str, status: u16, bytes: u64) {
        let asked = Asked { kind, status };
        self.requests.get_or_create(&asked).inc();
        self.traffic.get_or_create(&asked).inc_by(bytes);
    }
}

/// A layer over the origin's routes: counts each request once it is answered.
pub(super) async fn count(
    State(counts): State<Arc<Counts>>,
    request: Request,
    next: Next,
) -> Response {
    let kind = kind(request.uri().path());
    let is_head = request.method() == Method::HEAD;
    let response = next.run(request).await;
    // All answers are whole in memory, so each knows its length.
    let body = || response.body().size_hint().exact().unwrap_or_default();
    let bytes = match response.extensions().get() {
        Some(Took(bytes)) => *bytes,
        None if is_head || kind == PUSH => 0,
        None => body(),
    };
    counts.answered(kind, response.status().as_u16(), bytes);
    response
}

const PUSH: &str = "push";

/// Returns what a path names: few words, whatever strangers ask for.
fn kind(path: &str) -> &'static str {
    let name = path.trim_start_matches('/');
    if name.starts_with("push/") {
        PUSH
    } else if name.ends_with(".m3u8") {
        "playlist"
    } else if name.ends_with(RECORD) || name == DESCRIPTION {
        "record"
    } else if Container::of_name(name).is_some() {
        "segment"
    } else {
        "other"
    }
}

#[derive(Clone)]
struct View {
    counts: Arc<Counts>,
    station: Arc<Station>,
}

/// Returns the routes.
pub(super) fn routes(counts: Arc<Counts>, station: Arc<Station>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(View { counts, station })
}

async fn metrics(State(View { counts, station }): State<View>) -> Response {
    // What is now is asked of the station: it alone knows. It may be waiting for the disk.
    let standing = tokio::task::spawn_blocking(move || station.standing()).await;
    if let Ok((newest, is_ended)) = standing {
        for (rendition, date) in (0..).zip(newest) {
            let age = Duration::from_millis(now().since(date)).as_secs_f64();
            counts.age.get_or_create(&Of { rendition }).set(age);
        }
        counts.ended.set(i64::from(is_ended));
    }
    openmetrics(&counts.registry)
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn what_strangers_ask_for_is_one_of_few_kinds() {
        for (path, expected) in [
            ("/live.m3u8", "playlist"),
            ("/live-1.m3u8", "playlist"),
            ("/7-0123456789abcdef.m4s", "segment"),
            ("/init-0123456789abcdef.mp4", "segment"),
            ("/7-0123456789abcdef.m4s.record", "record"),
            ("/live.stream", "record"),
            ("/push/live.m3u8", "push"),
            ("/wp-login.php", "other"),
            ("/", "other"),
        ] {
            assert_eq!(kind(path), expected, "{path}");
        }
    }
}
