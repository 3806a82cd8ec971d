//! Light data as static files: everything but tip and news is named by its content and never changes.
//!
//! | path below `/light/` | bytes | cached |
//! |---|---|---|
//! | `spec/CHAIN`, `header/BLOCK`, `checkpoint/BLOCK`, `guardians/HASH`, `validators/HASH` | borsh | for ever |
//! | `change/HASH` of guardians, `final/HEIGHT`, `span/BLOCK` of a checkpoint, `body/BLOCK` | borsh | for ever |
//! | `tip` | borsh `Tip` | never |
//! | `news` | borsh `News`: a tip with the newest headers | never |
//!
//! Content is compressed for whoever accepts it. Hashes and signatures do not shrink; two headers that name the same sets,
//! and specs with many zeros, do.
//!
//! Source: ARCHITECTURE, "Light data is static data".

pub mod export;

use super::rpc::Context;
use crate::{
    light::{find, named},
    storage::StorageError,
};
use antiphon_core::chain::light::File;
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Returns the routes, to be nested under `/light`.
pub fn routes(context: Arc<Context>) -> Router {
    Router::new()
        .route("/tip", get(tip))
        .route("/news", get(news))
        .route("/{kind}/{name}", get(file))
        .layer(CompressionLayer::new())
        .with_state(context)
}

async fn tip(State(context): State<Arc<Context>>) -> Response {
    let bytes = context.published.borrow().tip.clone();
    answer(bytes, "no-cache")
}

async fn news(State(context): State<Arc<Context>>) -> Response {
    let bytes = context.published.borrow().news.clone();
    answer(bytes, "no-cache")
}

async fn file(
    State(context): State<Arc<Context>>,
    Path((kind, name)): Path<(String, String)>,
) -> Response {
    let Some(file) = named(&kind, &name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let found = tokio::task::spawn_blocking(move || read(&context, &file)).await;
    match found {
        Ok(Ok(Some(bytes))) => answer(bytes, FOR_EVER),
        Ok(Ok(None)) => {
            // Not here yet is no reason for a cache to remember so.
            (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")]).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "light file");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn answer(bytes: Vec<u8>, cache: &'static str) -> Response {
    let headers =
        [(header::CACHE_CONTROL, cache), (header::CONTENT_TYPE, "application/octet-stream")];
    (headers, bytes).into_response()
}

fn read(context: &Context, file: &File) -> Result<Option<Vec<u8>>, StorageError> {
    if let File::Header(block) = file {
        let unsettled = context.published.borrow().headers.get(block).cloned();
        if unsettled.is_some() {
            return Ok(unsettled);
        }
    }
    find(&context.store, &context.spec, file)
}
