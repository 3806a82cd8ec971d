//! Takes segments and playlists as an encoder PUTs them, and publishes what a playlist lists.
//!
//! Each playlist that lists segments is a rendition; one that lists playlists says more of them.
//!
//! Encoders push a segment and the playlist that lists it at the same time, on two connections, and several segments at once
//! at their start: what is listed and not here is waited for until the next playlist has come and something that follows it is
//! here.
//!
//! A body that ends early or is too long is refused whole: nothing of it is kept.

use crate::{
    publisher::{
        Offer, catalogue,
        intake::{Intake, MAX_SOURCE_PLAYLIST, Wanted},
    },
    shell::publish::{source, station::Station},
};
use antiphon_core::{crypto::Hash, delivery::chunk::MAX_SEGMENT};
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
    tracks: BTreeMap<String, Track>,
    files: BTreeMap<String, Bytes>,
}

/// One rendition, by the name of its playlist.
#[derive(Debug)]
struct Track {
    rendition: u8,
    intake: Intake,
    map: Option<String>,
    /// The newest playlist, as long as it lists what has not come yet.
    open: Option<Vec<u8>>,
    /// Where the segments end that the newest playlist lists.
    listed: u64,
    /// The same of the one before: what of it is not here by now will not come.
    overdue: u64,
    /// Whether everything has come, and the playlist says that nothing follows.
    is_ended: bool,
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
            return self.take_playlist(&mut inbox, &name, &bytes);
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
        let Inbox { tracks, files } = &mut *inbox;
        tracks.values_mut().try_for_each(|track| self.advance(track, files))?;
        self.end(tracks)
    }

    fn take_playlist(
        &self,
        inbox: &mut Inbox,
        name: &str,
        text: &[u8],
    ) -> Result<(), (StatusCode, String)> {
        if text.len() > MAX_SOURCE_PLAYLIST {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "too long a playlist\n".into()));
        }
        if catalogue::is_catalogue(text) {
            for variant in catalogue::read(text).map_err(|error| wrong(&error))? {
                self.track(inbox, &variant.path, Some(variant.offer))?;
            }
            return Ok(());
        }
        // Read on trial first: what is no playlist opens no rendition.
        Intake::default().read(text).map_err(|error| wrong(&error))?;
        self.track(inbox, name, None)?;
        let Inbox { tracks, files } = inbox;
        let Some(track) = tracks.get_mut(name) else { return Ok(()) };
        if track.open.as_deref() != Some(text) {
            track.overdue = track.listed;
        }
        track.open = Some(text.to_owned());
        self.advance(track, files)?;
        self.end(tracks)
    }

    /// Ends the stream once every rendition has.
    fn end(&self, tracks: &BTreeMap<String, Track>) -> Result<(), (StatusCode, String)> {
        let is_ended = !tracks.is_empty() && tracks.values().all(|track| track.is_ended);
        if is_ended { self.station.end().map_err(|error| wrong(&error)) } else { Ok(()) }
    }

    /// Publishes what the playlist lists and what is here, up to the first that is waited for.
    fn advance(
        &self,
        track: &mut Track,
        files: &mut BTreeMap<String, Bytes>,
    ) -> Result<(), (StatusCode, String)> {
        let Some(text) = track.open.take() else { return Ok(()) };
        let listing = track.intake.read(&text).map_err(|error| wrong(&error))?;
        self.station.note_parts(listing.has_parts);
        // A map that came before a restart is not pushed again.
        let has_map = self.station.position(track.rendition).is_some();
        let is_here = |wanted: &Wanted| {
            let map = wanted.map.as_ref();
            files.contains_key(&wanted.name)
                && (has_map || map.is_none_or(|map| files.contains_key(map)))
        };
        let last = listing.wanted.iter().rposition(is_here);
        let is_due = |wanted: &Wanted| wanted.number >= track.overdue && !is_here(wanted);
        let due = listing.wanted.iter().position(is_due).unwrap_or(usize::MAX);
        let count = last.map_or(0, |last| last.saturating_add(1)).min(due);
        track.listed =
            listing.wanted.last().map_or(track.listed, |last| last.number.saturating_add(1));
        if let Some(missing) = listing.wanted.get(count) {
            track.intake.go_back(missing.number);
            track.open = Some(text);
        }
        track.is_ended = listing.is_ended && track.open.is_none();
        let mut is_gap = false;
        for wanted in listing.wanted.into_iter().take(count) {
            let map = wanted.map.as_ref().and_then(|map| files.get(map)).cloned();
            let Some(bytes) = files.remove(&wanted.name) else {
                tracing::warn!(name = wanted.name, "listed but never pushed");
                is_gap = true;
                continue;
            };
            track.map.clone_from(&wanted.map);
            let media = source::Media { map: map.map(Into::into), bytes: bytes.into() };
            source::publish(&self.station, track.rendition, wanted, media, is_gap)
                .map_err(|error| wrong(&error))?;
            is_gap = false;
        }
        Ok(())
    }

    /// Opens the rendition whose playlist has this name, if it is new or more is said of it.
    fn track(
        &self,
        inbox: &mut Inbox,
        name: &str,
        offer: Option<Offer>,
    ) -> Result<(), (StatusCode, String)> {
        if offer.is_none() && inbox.tracks.contains_key(name) {
            return Ok(());
        }
        let opened = self.station.rendition(name, offer.unwrap_or_default());
        let rendition = opened.map_err(|error| wrong(&error))?;
        let next = self.station.position(rendition).map(|(next, _)| next);
        let fresh = || Track {
            rendition,
            intake: Intake::from(next),
            map: None,
            open: None,
            listed: 0,
            overdue: 0,
            is_ended: false,
        };
        inbox.tracks.entry(name.to_owned()).or_insert_with(fresh);
        Ok(())
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
/// on who has gone: what was sent whole counts all the same, so a task of its own takes it.
pub(super) async fn to_the_end(request: Request, next: Next) -> Response {
    let answering = tokio::spawn(next.run(request));
    answering.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// How many bytes of a push were taken; an extension of its answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::shell::publish) struct Took(pub(in crate::shell::publish) u64);

/// Takes a body.
async fn take(
    State(pushes): State<Arc<Pushes>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let took = Took(u64::try_from(body.len()).unwrap_or(u64::MAX));
    match tokio::task::spawn_blocking(move || pushes.take(name, body)).await {
        Ok(Ok(())) => (StatusCode::NO_CONTENT, Extension(took)).into_response(),
        Ok(Err(refused)) => refused.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// An encoder deletes what left its own playlist; ours is served on for a while.
async fn forget(State(pushes): State<Arc<Pushes>>, Path(name): Path<String>) -> StatusCode {
    let mut inbox = pushes.inbox.lock().unwrap_or_else(PoisonError::into_inner);
    if !inbox.tracks.values().any(|track| track.map.as_ref() == Some(&name)) {
        inbox.files.remove(&name);
    }
    StatusCode::NO_CONTENT
}
