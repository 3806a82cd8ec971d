//! Takes segments and playlists as an encoder PUTs them, and publishes what a playlist lists.
//!
//! A body that ends early or is too long is refused whole: nothing of it is kept.

use crate::{
    publisher::intake::{Intake, MAX_SOURCE_PLAYLIST},
    shell::publish::{source, station::Station},
};
use antiphon_core::{crypto::Hash, delivery::chunk::MAX_SEGMENT};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::put,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tower_http::limit::RequestBodyLimitLayer;

/// Files that wait for the playlist that lists them. Chosen here: several times a window.
const MAX_WAITING: usize = 64;

/// Bytes of all of them.
const MAX_WAITING_BYTES: usize = 4 * MAX_SEGMENT;

/// What an encoder has sent.
#[derive(Debug)]
pub(in crate::shell::publish) struct Pushes {
    station: Arc<Station>,
    /// Digest of the bearer token: comparing digests tells nothing about the token by its time.
    token: Option<Hash>,
    inbox: Mutex<Inbox>,
}

#[derive(Debug, Default)]
struct Inbox {
    intake: Intake,
    files: BTreeMap<String, Bytes>,
    map: Option<String>,
}

impl Pushes {
    pub(in crate::shell::publish) fn new(station: Arc<Station>, token: Option<String>) -> Self {
        let token = token.map(|token| Hash::of(&[token.as_bytes()]));
        Self { station, token, inbox: Mutex::default() }
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = self.token else { return true };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown.and_then(|text| text.strip_prefix("Bearer "));
        token.is_some_and(|token| Hash::of(&[token.as_bytes()]) == expected)
    }

    fn take(&self, name: String, bytes: Bytes) -> Result<(), (StatusCode, String)> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if name.ends_with(".m3u8") {
            return self.take_playlist(&mut inbox, &bytes);
        }
        if bytes.is_empty() {
            return Err((StatusCode::BAD_REQUEST, "an empty file\n".into()));
        }
        let held: usize = inbox.files.values().map(Bytes::len).sum();
        let is_new = !inbox.files.contains_key(&name);
        if held.saturating_add(bytes.len()) > MAX_WAITING_BYTES
            || (is_new && inbox.files.len() >= MAX_WAITING)
        {
            let why = "too many files that no playlist lists\n";
            return Err((StatusCode::INSUFFICIENT_STORAGE, why.into()));
        }
        inbox.files.insert(name, bytes);
        Ok(())
    }

    fn take_playlist(&self, inbox: &mut Inbox, text: &[u8]) -> Result<(), (StatusCode, String)> {
        if text.len() > MAX_SOURCE_PLAYLIST {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "too long a playlist\n".into()));
        }
        let wrong = |error: &dyn core::fmt::Display| {
            (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n"))
        };
        let listing = inbox.intake.read(text).map_err(|error| wrong(&error))?;
        let mut missing = None;
        for wanted in listing.wanted {
            let name = wanted.name.clone();
            let map = wanted.map.as_ref().and_then(|map| inbox.files.get(map)).cloned();
            let Some(bytes) = inbox.files.remove(&name) else {
                missing = Some(name);
                continue;
            };
            inbox.map.clone_from(&wanted.map);
            source::publish(
                &self.station,
                wanted,
                map.map(Into::into),
                bytes.into(),
                missing.is_some(),
            )
            .map_err(|error| wrong(&error))?;
        }
        // What came and was not listed is either yet to be, or never will.
        missing.map_or(Ok(()), |name| {
            tracing::warn!(name, "listed but never pushed");
            Ok(())
        })
    }
}

/// Returns the routes that take pushes.
pub(super) fn router(pushes: Arc<Pushes>) -> Router {
    let check = middleware::from_fn_with_state(Arc::clone(&pushes), authorise);
    Router::new()
        .route("/push/{name}", put(take).post(take).delete(forget))
        .layer(DefaultBodyLimit::max(MAX_SEGMENT))
        .layer(RequestBodyLimitLayer::new(MAX_SEGMENT))
        .layer(check)
        .with_state(pushes)
}

/// Before a byte of the body is read.
async fn authorise(State(pushes): State<Arc<Pushes>>, request: Request, next: Next) -> Response {
    if pushes.is_allowed(request.headers()) {
        next.run(request).await
    } else {
        let how = [(header::WWW_AUTHENTICATE, "Bearer")];
        (StatusCode::UNAUTHORIZED, how).into_response()
    }
}

async fn take(
    State(pushes): State<Arc<Pushes>>,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Result<StatusCode, (StatusCode, String)> {
    let taken = tokio::task::spawn_blocking(move || pushes.take(name, bytes)).await;
    taken.map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, String::new()))??;
    Ok(StatusCode::NO_CONTENT)
}

/// An encoder deletes what left its own playlist; ours is served on for a while.
async fn forget(State(pushes): State<Arc<Pushes>>, Path(name): Path<String>) -> StatusCode {
    let mut inbox = pushes.inbox.lock().unwrap_or_else(PoisonError::into_inner);
    if inbox.map.as_ref() != Some(&name) {
        inbox.files.remove(&name);
    }
    StatusCode::NO_CONTENT
}
