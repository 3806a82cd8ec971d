//! Light data as static files: everything but the tip is named by its content and never changes.
//!
//! | path below `/light/` | bytes | cached |
//! |---|---|---|
//! | `spec/CHAIN`, `header/BLOCK`, `checkpoint/BLOCK`, `guardians/HASH`, `validators/HASH` | borsh | for ever |
//! | `tip` | borsh `Tip` | never |
//!
//! Source: ARCHITECTURE, "Light data is static data".

use super::rpc::Context;
use crate::storage::{Storage, StorageError};
use antiphon_core::{chain::light::Checkpoint, codec, crypto::Hash, id::BlockId};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::Arc;

const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Returns the routes, to be nested under `/light`.
pub fn routes(context: Arc<Context>) -> Router {
    Router::new().route("/tip", get(tip)).route("/{kind}/{name}", get(file)).with_state(context)
}

async fn tip(State(context): State<Arc<Context>>) -> Response {
    let bytes = context.published.borrow().tip.clone();
    answer(bytes, "no-cache")
}

async fn file(
    State(context): State<Arc<Context>>,
    Path((kind, name)): Path<(String, String)>,
) -> Response {
    let Some(hash) = Hash::from_hex(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // A hash has one name: upper case would be cached twice.
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let found = tokio::task::spawn_blocking(move || find(&context, &kind, hash)).await;
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

fn find(context: &Context, kind: &str, hash: Hash) -> Result<Option<Vec<u8>>, StorageError> {
    let spec = &context.spec;
    let chain = context.chain;
    Ok(match kind {
        "spec" => (hash == chain.0).then(|| codec::encode(spec)),
        "guardians" => context.store.guardians(&hash)?.map(|set| codec::encode(&set)),
        "validators" => context.store.validators(&hash)?.map(|set| codec::encode(&set)),
        "header" => header_of(context, BlockId(hash))?,
        "checkpoint" => checkpoint(context, BlockId(hash))?,
        _ => None,
    })
}

fn header_of(context: &Context, id: BlockId) -> Result<Option<Vec<u8>>, StorageError> {
    let unsettled = context.published.borrow().headers.get(&id).cloned();
    if unsettled.is_some() {
        return Ok(unsettled);
    }
    let Some(height) = context.store.height_of(&id)? else { return Ok(None) };
    let settled = context.store.settled(height)?;
    Ok(settled.map(|settled| codec::encode(&settled.block.signed.header)))
}

fn checkpoint(context: &Context, id: BlockId) -> Result<Option<Vec<u8>>, StorageError> {
    let Some(height) = context.store.height_of(&id)? else { return Ok(None) };
    let Some(certificate) = context.store.certificate_at(height)? else { return Ok(None) };
    let settled = context.store.settled(height)?;
    Ok(settled.map(|settled| {
        let header = settled.block.signed.header;
        codec::encode(&Checkpoint { header, certificate })
    }))
}
