//! Takes segments and playlists as an encoder PUTs them, and publishes what a playlist lists.
//!
//! Each playlist that lists segments is a rendition; one that lists playlists says more of them. What is published when, what is
//! waited for and for how long is the matter of `publisher::inbox`.
//!
//! A body that ends early or is too long is refused whole: nothing of it is kept. One that came whole counts, whether its sender
//! waits for the answer or not.

use crate::{
    publisher::{
        Offer, catalogue,
        inbox::{Inbox, Output, Ready},
        intake::{Intake, MAX_SOURCE_PLAYLIST},
    },
    shell::publish::{source, station::Station},
};
use antiphon_core::{
    crypto::Hash,
    delivery::chunk::MAX_SEGMENT,
    time::{Moment, millis},
};
use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::put,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::Notify;
use tower_http::limit::RequestBodyLimitLayer;

/// What an encoder has sent.
#[derive(Debug)]
pub(in crate::shell::publish) struct Pushes {
    station: Arc<Station>,
    /// Digest of the bearer token: comparing digests tells nothing about the token by its time.
    token: Option<Hash>,
    start: Instant,
    inbox: Mutex<Inbox>,
    /// Something was pushed, so the inbox may wait for another moment.
    pushed: Notify,
}

/// Why a push is refused, in words for who pushes.
type Refusal = (StatusCode, String);

impl Pushes {
    pub(in crate::shell::publish) fn new(station: Arc<Station>, token: Option<String>) -> Self {
        let token = token.map(|token| Hash::of(&[token.as_bytes()]));
        let awaited = station.awaits_end();
        let inbox = awaited.map(|target| Inbox::awaiting_end(Moment::ZERO, target));
        let inbox = Mutex::new(inbox.unwrap_or_default());
        Self { station, token, start: Instant::now(), inbox, pushed: Notify::new() }
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let Some(expected) = self.token else { return true };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = shown.and_then(|text| text.strip_prefix("Bearer "));
        token.is_some_and(|token| Hash::of(&[token.as_bytes()]) == expected)
    }

    fn take(&self, name: String, bytes: Bytes) -> Result<(), Refusal> {
        if name.ends_with(".m3u8") {
            return self.take_playlist(&name, &bytes);
        }
        if bytes.is_empty() {
            return Err((StatusCode::BAD_REQUEST, "an empty file\n".into()));
        }
        let (mut inbox, mut out) = (self.inbox(), Vec::new());
        if !inbox.file(self.now(), name, bytes.into(), &mut out) {
            let why = "too many files that no playlist lists\n";
            return Err((StatusCode::INSUFFICIENT_STORAGE, why.into()));
        }
        self.pushed.notify_one();
        self.carry_out(out)
    }

    fn take_playlist(&self, name: &str, text: &[u8]) -> Result<(), Refusal> {
        if text.len() > MAX_SOURCE_PLAYLIST {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "too long a playlist\n".into()));
        }
        let (mut inbox, mut out) = (self.inbox(), Vec::new());
        if catalogue::is_catalogue(text) {
            for variant in catalogue::read(text).map_err(|error| wrong(&error))? {
                self.open(&mut inbox, &variant.path, Some(variant.offer))?;
            }
            return Ok(());
        }
        // Read on trial first: what is no playlist opens no rendition.
        Intake::default().read(text).map_err(|error| wrong(&error))?;
        self.open(&mut inbox, name, None)?;
        inbox.playlist(self.now(), name, text, &mut out).map_err(|error| wrong(&error))?;
        self.pushed.notify_one();
        self.carry_out(out)
    }

    /// Opens the rendition whose playlist has this name, if it is new or more is said of it.
    fn open(&self, inbox: &mut Inbox, name: &str, offer: Option<Offer>) -> Result<(), Refusal> {
        if offer.is_none() && inbox.has(name) {
            return Ok(());
        }
        let opened = self.station.rendition(name, offer.unwrap_or_default());
        let rendition = opened.map_err(|error| wrong(&error))?;
        let next = self.station.position(rendition).map(|(next, _)| next);
        inbox.open(name, rendition, next);
        Ok(())
    }

    /// Does what the inbox orders. What cannot be published is told, the first of it at least, and left out.
    fn carry_out(&self, out: Vec<Output>) -> Result<(), Refusal> {
        let mut refused = Ok(());
        let mut is_gap = false;
        for output in out {
            let done = match output {
                Output::Publish(ready) => {
                    let Ready { rendition, wanted, map, bytes, is_gap: is_after } = *ready;
                    let media = source::Media { map, bytes };
                    let is_gap = core::mem::take(&mut is_gap) || is_after;
                    source::publish(&self.station, rendition, wanted, media, is_gap)
                }
                Output::Missing(name) => {
                    tracing::warn!(name, "listed but never pushed: left out");
                    Ok(())
                }
                Output::Parts => {
                    self.station.note_parts(true);
                    Ok(())
                }
                Output::AwaitEnd => self.station.await_end(),
                Output::GoOn => {
                    self.station.go_on();
                    Ok(())
                }
                Output::End => self.station.end(),
            };
            is_gap |= done.is_err();
            refused = refused.and(done.map_err(|error| wrong(&error)));
        }
        refused
    }

    /// Gives up what does not come in time, as long as anybody pushes.
    pub(in crate::shell::publish) async fn keep_time(self: Arc<Self>) -> anyhow::Result<()> {
        loop {
            let pushes = Arc::clone(&self);
            let due = tokio::task::spawn_blocking(move || pushes.tick()).await?;
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep(due.since(self.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = self.pushed.notified() => {}
            }
        }
    }

    /// Does what is due; returns when something is again.
    fn tick(&self) -> Option<Moment> {
        let (mut inbox, mut out) = (self.inbox(), Vec::new());
        inbox.tick(self.now(), &mut out);
        if let Err((_, error)) = self.carry_out(out) {
            tracing::error!(error, "what was pushed is not published");
        }
        inbox.deadline()
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        Moment::from_millis(millis(self.start.elapsed()))
    }
}

fn wrong(error: &dyn core::fmt::Display) -> (StatusCode, String) {
    (StatusCode::UNPROCESSABLE_ENTITY, format!("{error}\n"))
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

/// Goes on with a request whose sender has hung up. ffmpeg does as soon as it has sent the last byte, and the server gives up
/// on who can be written to no more: what was sent whole counts all the same, so a task of its own takes it.
pub(super) async fn to_the_end(request: Request, next: Next) -> Response {
    let answering = tokio::spawn(next.run(request));
    answering.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// How many bytes of a push were taken; an extension of its answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::shell::publish) struct Took(pub(in crate::shell::publish) u64);

/// Takes a body. One that is cut is an error of the extractor already, but for one case: a server that is being stopped ends
/// bodies as if they were whole (hyperium/hyper#3995).
async fn take(
    State(pushes): State<Arc<Pushes>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if said.is_some_and(|said| said.parse() != Ok(body.len())) {
        return (StatusCode::BAD_REQUEST, "a body that is cut\n").into_response();
    }
    let took = Took(u64::try_from(body.len()).unwrap_or(u64::MAX));
    match tokio::task::spawn_blocking(move || pushes.take(name, body)).await {
        Ok(Ok(())) => (StatusCode::NO_CONTENT, Extension(took)).into_response(),
        Ok(Err(refused)) => refused.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An encoder deletes what left its own playlist; ours is served on for a while.
async fn forget(State(pushes): State<Arc<Pushes>>, Path(name): Path<String>) -> StatusCode {
    pushes.inbox().forget(&name);
    StatusCode::NO_CONTENT
}
