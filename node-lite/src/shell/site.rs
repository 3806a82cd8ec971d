//! `antiphon site`: the page's static files under a strict policy, and the configuration that tells it what to play.

use anyhow::{Context, bail};
use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use clap::Args;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};
use tower_http::{services::ServeDir, set_header::SetResponseHeaderLayer};

/// What a page of ours may do: its own scripts and wasm, media from memory, any network for peers and origins.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
    connect-src 'self' http: https: ws: wss:; media-src 'self' blob:; style-src 'self'; \
    img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// Longest configuration file.
const MAX_CONFIG: u64 = 64 * 1024;

/// What is served, and where.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Folder of the built site. `FILE.br` and `FILE.gz` beside a file are sent to those who take them.
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// File that is served as /config.json, read at each request.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Base URL of a node of another operator: the page compares every final checkpoint with what it has. Goes before the
    /// configuration's `witness`.
    #[arg(long, value_name = "URL", value_parser = parse_witness)]
    pub witness: Option<String>,
}

fn parse_witness(text: &str) -> Result<String, String> {
    super::http::parse_url(text, &["http://", "https://"])
}

/// What the page is told, and by whom.
#[derive(Clone, Debug)]
struct Told {
    config: PathBuf,
    witness: Option<String>,
}

/// Serves the site until interrupted.
///
/// # Errors
/// A folder or file that is not there, a taken port.
pub async fn run(options: Options) -> anyhow::Result<()> {
    if !options.root.join("index.html").is_file() {
        bail!("{} holds no index.html; is the site built?", options.root.display());
    }
    read_config(&options.config).context("--config")?;
    let router = router(&options.root, &options.config, options.witness);
    let (address, server) = super::http::serve(options.listen, router).await?;
    let stop = super::dev::interrupted()?;
    super::http::ready(&serde_json::json!({
        "ready": "site",
        "url": format!("http://{address}/"),
    }));
    tokio::select! {
        end = server => end,
        asked = stop => asked,
    }
}

/// Returns the routes of the site.
pub fn router(root: &Path, config: &Path, witness: Option<String>) -> Router {
    let told = Told { config: config.to_owned(), witness };
    let files = ServeDir::new(root).precompressed_br().precompressed_gzip();
    let mut router = Router::new()
        .route("/config.json", get(configuration))
        .with_state(Arc::new(told))
        .fallback_service(files);
    for (name, value) in [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        router = router.layer(SetResponseHeaderLayer::overriding(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        ));
    }
    // Names of the files do not change with their content, so a browser asks again; dates then answer 304.
    let asks_again = HeaderValue::from_static("no-cache");
    router.layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, asks_again))
}

async fn configuration(State(told): State<Arc<Told>>) -> Response {
    match tokio::task::spawn_blocking(move || tell(&told)).await {
        Ok(Ok(text)) => {
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, text).into_response()
        }
        Ok(Err(error)) => {
            tracing::warn!(%error, "config.json");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Returns the configuration, with the witness that the command line names.
fn tell(told: &Told) -> anyhow::Result<String> {
    let text = read_config(&told.config)?;
    let Some(witness) = &told.witness else { return Ok(text) };
    let mut value: serde_json::Value = serde_json::from_str(&text)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert(String::from("witness"), witness.as_str().into());
    }
    Ok(value.to_string())
}

/// Reads the file and checks that it is an object of JSON, so that a page never meets half a file.
fn read_config(path: &Path) -> anyhow::Result<String> {
    let is_short = std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_CONFIG);
    if !is_short {
        bail!("{} is not there, or longer than {MAX_CONFIG} bytes", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let value: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    if !value.is_object() {
        bail!("{} is no JSON object", path.display());
    }
    Ok(text)
}
