//! What a node answers about payment fields.

use super::{
    Context,
    methods::{Answer, NO_TOWER, NOT_FOUND, REFUSED, UNAVAILABLE, bytes, error, invalid, storage},
};
use crate::{
    shell::tower::RefusedError,
    storage::StorageError,
    tower::{WatchError, closed_in},
};
use antiphon_core::{
    codec::{self, Bounded},
    id::Height,
    payment::field::{MAX_SEALED, SealedState, escrow::ClosedField},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::types::{ErrorObjectOwned, Params, error::INVALID_PARAMS_CODE};
use serde_json::{Value, json};
use std::sync::Arc;

/// Most closed fields in an answer. Chosen here: more than a block that is full of closes with two members each.
const MAX_CLOSED: usize = 4096;

/// Reading and checking take milliseconds, so they are not for the threads that answer.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ErrorObjectOwned> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| error(UNAVAILABLE, "the node is stopping", "rpc/unavailable"))
}

/// Anyone may bring a state: all members have signed it, and only a later one takes its place (A6.11).
pub(super) async fn watch(params: Params<'static>, context: Arc<Context>) -> Answer {
    let text: String = params.one()?;
    let Some(tower) = context.tower.clone() else {
        return Err(error(NO_TOWER, "this node watches no fields", "rpc/no-tower"));
    };
    let sealed: SealedState = codec::decode(&bytes(&text, MAX_SEALED)?, MAX_SEALED)
        .map_err(|reason| error(INVALID_PARAMS_CODE, reason.to_string(), reason.code()))?;
    let (field, version, round) = (sealed.state.field, sealed.state.version, sealed.state.round);
    let watched = aside(move || tower.watch(sealed)).await?;
    let held = match watched {
        Ok(()) => round,
        // Every member tells the same state, and whoever heard no answer tells it again: what counts is that it is held.
        Err(RefusedError::Watch(WatchError::Known { held, .. })) => held,
        Err(RefusedError::Watch(reason)) => {
            // No room now is no verdict on the state.
            let code = if reason == WatchError::Full { UNAVAILABLE } else { REFUSED };
            return Err(error(code, reason.to_string(), reason.code()));
        }
        Err(RefusedError::Storage(reason)) => return Err(storage(&reason)),
    };
    Ok(json!({ "field": field.0.to_hex(), "version": version, "round": held }))
}

/// The leaves from which anybody makes a proof; they are a hint until they hash to the header's root.
pub(super) async fn closed(params: Params<'static>, context: Arc<Context>) -> Answer {
    let height: u64 = params.one()?;
    let read = move || -> Result<Option<Vec<ClosedField>>, StorageError> {
        let newest = context.store.head()?.version;
        closed_in(&context.store, newest, context.spec.state_chain(), Height(height))
    };
    let closed = aside(read).await?.map_err(|reason| storage(&reason))?;
    let unknown = || error(NOT_FOUND, "no such block is settled here", "rpc/unknown-height");
    let closed = closed.ok_or_else(unknown)?;
    let closed: Bounded<ClosedField, MAX_CLOSED> =
        Bounded::try_from(closed).map_err(|_| invalid("too many fields"))?;
    Ok(Value::String(STANDARD.encode(codec::encode(&closed))))
}
