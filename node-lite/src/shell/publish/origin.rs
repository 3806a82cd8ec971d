//! Serves playlist and segments over HTTP, and takes what an encoder pushes.
//!
//! | path | method | answer |
//! |---|---|---|
//! | `/live.m3u8` | GET, HEAD | the playlist of segments, or of renditions if there are several; 503 before the first |
//! | `/live-N.m3u8` | GET, HEAD | the playlist of one rendition of several |
//! | `/NAME` | GET, HEAD | a segment or map, whole or one range; immutable |
//! | `/NAME.record` | GET, HEAD | the record of that segment alone: the bytes that its tag has in base64 |
//! | `/live.stream` | GET, HEAD | the description of the stream, likewise |
//! | `/push/NAME` | PUT, POST, DELETE | what ffmpeg's HLS muxer sends (`-method PUT`) |
//!
//! What may change (playlists, records, description) is asked for anew each time, and has a tag of its bytes.
//!
//! Source: RFC 9110 §14 (ranges), §13 (conditions). Several ranges at once are answered with the whole file.

mod push;

pub(super) use push::{Pushes, Took};

use super::{
    counts::{self, Counts},
    station::{Served, Station},
};
use crate::publisher::MAIN;
use antiphon_core::crypto::Hash;
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use http_range_header::RangeUnsatisfiableError;
use std::{ops::RangeInclusive, sync::Arc, time::Duration};
use tower_http::{
    cors::{Any, CorsLayer},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};

/// How long a request may take, a pushed body included.
const REQUEST_PATIENCE: Duration = Duration::from_secs(60);

/// Returns the routes of the origin; pushes are taken if `pushes` is given.
pub(super) fn router(
    station: Arc<Station>,
    pushes: Option<Arc<Pushes>>,
    counts: &Arc<Counts>,
) -> Router {
    // Whoever has the URL may read the stream, from any page.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([header::RANGE, header::IF_NONE_MATCH, header::IF_RANGE])
        .expose_headers([
            header::ACCEPT_RANGES,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::DATE,
            header::ETAG,
        ])
        .max_age(Duration::from_secs(3600));
    let counted = || middleware::from_fn_with_state(Arc::clone(counts), counts::count);
    let named = Router::new().route("/{name}", get(named)).with_state(station);
    let mut router = named.layer(counted());
    if let Some(pushes) = pushes {
        let pushed = push::router(pushes).layer(counted());
        router = router.merge(pushed.layer(middleware::from_fn(push::to_the_end)));
    }
    let nosniff = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A page that asks for cross-origin isolation may still play.
    let resource = HeaderName::from_static("cross-origin-resource-policy");
    router
        .layer(cors)
        .layer(SetResponseHeaderLayer::overriding(nosniff.0, nosniff.1))
        .layer(SetResponseHeaderLayer::overriding(
            resource,
            HeaderValue::from_static("cross-origin"),
        ))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_PATIENCE))
}

async fn named(
    State(station): State<Arc<Station>>,
    Path(name): Path<String>,
    asked: HeaderMap,
) -> Response {
    if let Some(shown) = station.page(&name) {
        return page(shown, &asked);
    }
    match station.file(&name) {
        Some(served) => file(&name, served, &asked),
        // Nothing was published yet; a player tries again.
        None if name == MAIN => {
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")]).into_response()
        }
        None => (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response(),
    }
}

fn page(shown: Served, asked: &HeaderMap) -> Response {
    let etag = etag(&shown.bytes);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(shown.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ETAG, etag.clone()),
    ];
    if is_known(asked, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, shown.bytes).into_response()
}

fn file(name: &str, served: Served, asked: &HeaderMap) -> Response {
    // The name holds a digest of the bytes, so it is also their tag.
    let Ok(etag) = HeaderValue::from_str(&format!("\"{name}\"")) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(served.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400, immutable")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::ETAG, etag.clone()),
    ];
    if is_known(asked, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let is_current = asked.get(header::IF_RANGE).is_none_or(|tag| *tag == etag);
    let range = asked.get(header::RANGE).filter(|_| is_current);
    match cut(&served.bytes, range) {
        Cut::Whole => (headers, served.bytes).into_response(),
        Cut::Part(part, range) => {
            (StatusCode::PARTIAL_CONTENT, headers, [(header::CONTENT_RANGE, range)], part)
                .into_response()
        }
        Cut::Outside(range) => {
            (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, range)]).into_response()
        }
    }
}

/// What a range makes of a file.
enum Cut {
    Whole,
    Part(Bytes, String),
    Outside(String),
}

fn cut(bytes: &Bytes, range: Option<&HeaderValue>) -> Cut {
    let Some(text) = range.and_then(|range| range.to_str().ok()) else { return Cut::Whole };
    // A range that is no range, or in other units, is ignored (RFC 9110 §14.2).
    let Ok(ranges) = http_range_header::parse_range_header(text) else { return Cut::Whole };
    if ranges.ranges.len() != 1 {
        return Cut::Whole;
    }
    let length = bytes.len();
    let outside = || Cut::Outside(format!("bytes */{length}"));
    let Ok(size) = u64::try_from(length) else { return Cut::Whole };
    let spans = match ranges.validate(size) {
        Ok(spans) => spans,
        // The last n bytes of fewer than n are all of them (RFC 9110 §14.1.2).
        Err(RangeUnsatisfiableError::FileSuffixOutOfBounds) => return Cut::Whole,
        Err(_) => return outside(),
    };
    let Some((first, last)) = spans.into_iter().next().map(RangeInclusive::into_inner) else {
        return outside();
    };
    let bounds = (usize::try_from(first), usize::try_from(last));
    let (Ok(from), Ok(to)) = bounds else { return outside() };
    if from > to || to >= length {
        return outside();
    }
    Cut::Part(bytes.slice(from..=to), format!("bytes {first}-{last}/{length}"))
}

fn etag(bytes: &[u8]) -> HeaderValue {
    let digest = Hash::of(&[bytes]).to_hex();
    HeaderValue::from_str(&format!("\"{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn is_known(asked: &HeaderMap, etag: &HeaderValue) -> bool {
    let tags = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let known = etag.to_str().unwrap_or_default();
    tags.is_some_and(|tags| {
        tags.split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_start_matches("W/") == known)
    })
}
