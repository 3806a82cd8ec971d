//! Listening sockets and the line that tells a parent process where they are.

use anyhow::Context;
use axum::{Router, serve::Listener};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{io::Write as _, net::SocketAddr};
use tokio::net::TcpListener;

/// Listens and returns where, with the future that serves.
///
/// # Errors
/// A taken port or an address that is not ours, in words for a person.
pub async fn serve(
    listen: SocketAddr,
    router: Router,
) -> anyhow::Result<(SocketAddr, impl Future<Output = anyhow::Result<()>>)> {
    let listener = bind(listen).await?;
    let address = listener.local_addr()?;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server = async move { axum::serve(listener, service).await.context("the server ended") };
    Ok((address, server))
}

/// Listens for senders who may hang up before they are answered. `axum`'s server reads on as soon as a body is whole, and where
/// nothing more will come it drops the request, at times before anybody has looked at it. This one takes the end of what is
/// read for what it is (RFC 9112 §9.6): what came whole is handled, and who has closed only its own side is answered.
///
/// # Errors
/// Those of [`serve`].
pub async fn serve_to_the_end(
    listen: SocketAddr,
    router: Router,
) -> anyhow::Result<(SocketAddr, impl Future<Output = anyhow::Result<()>>)> {
    let mut listener = bind(listen).await?;
    let address = listener.local_addr()?;
    let server = async move {
        loop {
            let (stream, _) = Listener::accept(&mut listener).await;
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let mut server = Builder::new(TokioExecutor::new()).http1_only();
                server.http1().half_close(true);
                // Who is gone is no error of ours.
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    Ok((address, server))
}

async fn bind(listen: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; is the port taken? Port 0 takes a free one")
    })
}

/// Listens if an address is given; else nothing is served, and the future never ends.
///
/// # Errors
/// Those of [`serve`].
pub async fn serve_some(
    listen: Option<SocketAddr>,
    router: Router,
) -> anyhow::Result<(Option<SocketAddr>, impl Future<Output = anyhow::Result<()>>)> {
    let served = match listen {
        Some(listen) => Some(serve(listen, router).await?),
        None => None,
    };
    let (address, server) = served.unzip();
    let server = async move {
        match server {
            Some(server) => server.await,
            None => std::future::pending().await,
        }
    };
    Ok((address, server))
}

/// Takes a URL of one of these schemes, or nothing at all.
///
/// # Errors
/// The schemes that are expected, in words for a person.
pub(crate) fn parse_url(text: &str, schemes: &[&str]) -> Result<String, String> {
    if text.is_empty() || schemes.iter().any(|scheme| text.starts_with(scheme)) {
        Ok(text.to_owned())
    } else {
        Err(format!("a URL that begins with {} is expected", schemes.join(" or ")))
    }
}

/// Takes the URL of a tracker, or nothing at all.
///
/// # Errors
/// Those of [`parse_url`].
pub(crate) fn parse_tracker(text: &str) -> Result<String, String> {
    parse_url(text, &["ws://", "wss://"])
}

/// Prints one line of JSON on standard output: the subcommand is ready.
pub fn ready(line: &serde_json::Value) {
    let mut stdout = std::io::stdout().lock();
    // A parent that closed the pipe does not wait for the line.
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

pub use antiphon_host::clock::now;
