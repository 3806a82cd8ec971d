//! What a node answers over HTTP and WebSocket: JSON-RPC 2.0 at any path, light data below `/light/`, on one port.
//!
//! Everything here is public and reads public data, so any page may ask (CORS `*`); nothing is told by cookie or
//! credential. Results are hints until a client has proven them.

mod field;
mod methods;

use super::{driver::Handle, light, store::Store, tower::Watchtower};
use crate::supernode::{Status, Supernode};
use antiphon_core::{
    chain::spec::ChainSpec,
    codec,
    crypto::SecretKey,
    id::{BlockId, ChainId},
};
use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use jsonrpsee::server::{
    BatchRequestConfig, Methods, Server, ServerConfig, ServerHandle, StopHandle, stop_channel,
};
use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};
use tower::Service;
use tower_http::cors::{Any, CorsLayer};

/// Longest request, in bytes. Chosen here: a transaction in base64, many times over.
const MAX_REQUEST: u32 = 256 * 1024;
/// Longest answer, in bytes. Chosen here: proofs of all the keys that one question may name, in base64.
const MAX_RESPONSE: u32 = 1024 * 1024;
/// Most calls in one batch. Chosen here.
const MAX_BATCH: u32 = 16;
/// Most requests and WebSocket connections at a time. Chosen here.
const MAX_CONNECTIONS: u32 = 1024;
/// Most subscriptions of one connection. Chosen here.
const MAX_SUBSCRIPTIONS: u32 = 8;

/// What the node's thread shows to everybody else.
#[derive(Clone, Debug)]
pub struct Published {
    /// Where the chain stands.
    pub status: Status,
    /// The tip file.
    pub tip: Vec<u8>,
    /// The file with the newest headers beside it.
    pub news: Vec<u8>,
    /// Headers that are not settled yet, encoded.
    pub headers: BTreeMap<BlockId, Vec<u8>>,
}

impl Published {
    /// Takes what there is to show from a node.
    pub fn of(node: &Supernode<Store>) -> Self {
        let headers = node.unsettled_headers();
        Self {
            status: node.status(),
            tip: codec::encode(&node.tip()),
            news: codec::encode(&node.news()),
            headers: headers.iter().map(|h| (h.id(), codec::encode(h))).collect(),
        }
    }

    /// Shows a node to everybody if anything changed, and says so when a checkpoint became final.
    pub fn show(to: &watch::Sender<Self>, node: &Supernode<Store>) {
        let next = Self::of(node);
        to.send_if_modified(|now| {
            let changed = now.tip != next.tip || now.status != next.status;
            if now.status.finalised < next.status.finalised {
                let (settled, height) = (next.status.settled.0, next.status.finalised.0);
                tracing::info!(height, settled, "checkpoint final");
            }
            if changed {
                *now = next;
            }
            changed
        });
    }
}

/// What the methods and files are answered from.
#[derive(Debug)]
pub struct Context {
    /// The chain.
    pub chain: ChainId,
    /// Its spec.
    pub spec: ChainSpec,
    /// The node that answers.
    pub node: Handle,
    /// Its disk, for reading.
    pub store: Store,
    /// What it shows.
    pub published: watch::Receiver<Published>,
    /// Pays whoever asks. Only a development chain has one.
    pub faucet: Option<SecretKey>,
    /// Watches fields for whoever asks. Only a node that was told to has one.
    pub tower: Option<Arc<Watchtower>>,
}

/// A running server.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: ServerHandle,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Stops answering, and returns when the last answer is out.
    pub async fn stop(self) {
        // It may have stopped by itself.
        let _ = self.stop.stop();
        let _ = self.task.await;
    }
}

/// Starts answering at `address`; port 0 takes a free one.
///
/// # Errors
/// An address that is taken or not ours.
pub async fn serve(address: SocketAddr, context: Context) -> anyhow::Result<Running> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; choose another with --rpc"))?;
    let address = listener.local_addr()?;
    let (stop_handle, stop) = stop_channel();
    let app = app(Arc::new(context), stop_handle.clone())?;
    let task = tokio::spawn(async move {
        let shutdown = stop_handle.shutdown();
        if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(shutdown).await {
            tracing::error!(%error, "the RPC server ended");
        }
    });
    Ok(Running { address, stop, task })
}

fn app(context: Arc<Context>, stop: StopHandle) -> anyhow::Result<Router> {
    let methods: Methods = methods::module(context.clone())?.into();
    let config = ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST)
        .max_response_body_size(MAX_RESPONSE)
        .max_connections(MAX_CONNECTIONS)
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .build();
    let builder = Server::builder().set_config(config).to_service_builder();
    let answer = tower::service_fn(move |request: Request| {
        let mut service = builder.clone().build(methods.clone(), stop.clone());
        let answered = service.call(request);
        async move {
            Ok::<Response, Infallible>(match answered.await {
                Ok(response) => response.map(Body::new),
                Err(error) => {
                    tracing::debug!(%error, "request");
                    StatusCode::BAD_REQUEST.into_response()
                }
            })
        }
    });
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .max_age(std::time::Duration::from_secs(3600));
    Ok(Router::new().nest("/light", light::routes(context)).fallback_service(answer).layer(cors))
}
