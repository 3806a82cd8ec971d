//! A node somewhere else, asked over HTTP: light files and JSON-RPC. Everything it says is a hint until it is proven.

use antiphon_core::chain::light::File;
use anyhow::{Context as _, bail, ensure};
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response, StatusCode, header},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a node may take for one answer. Chosen here: as long as a page waits for a file.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest answer of JSON-RPC, in bytes. Chosen here: a proof of 64 keys is below 200 kB.
const MAX_ANSWER: usize = 1 << 20;

/// A node at an `http://` address.
#[derive(Debug)]
pub(crate) struct RemoteNode {
    base: String,
    client: Client<HttpConnector, Body>,
}

/// What a node answers to a call.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A result.
    Result(Value),
    /// A refusal with its code, and why.
    Refused(i32, String),
}

impl RemoteNode {
    /// Names a node by its base URL.
    ///
    /// # Errors
    /// Another scheme than `http://`, in words for a person.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        ensure!(base.starts_with("http://"), "only a node at http:// can be asked");
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { base: base.trim_end_matches('/').to_owned(), client })
    }

    /// Reads a light file; `None` where the node has none.
    ///
    /// # Errors
    /// A node that does not answer, in words for a person.
    pub(crate) async fn file(&self, file: &File) -> anyhow::Result<Option<Vec<u8>>> {
        let request = Request::get(format!("{}{}", self.base, file.path())).body(Body::empty())?;
        let (status, body) = self.send(request, file.max_bytes()).await?;
        match status {
            StatusCode::OK => Ok(Some(body)),
            StatusCode::NOT_FOUND => Ok(None),
            status => bail!("{}{}: it answers {status}", self.base, file.path()),
        }
    }

    /// Calls a method.
    ///
    /// # Errors
    /// A node that does not answer, or not in JSON-RPC, in words for a person.
    pub(crate) async fn call(&self, method: &str, params: Value) -> anyhow::Result<Answer> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = Request::post(format!("{}/rpc", self.base))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(call.to_string()))?;
        let (_, body) = self.send(request, MAX_ANSWER).await?;
        let mut answer: Value = serde_json::from_slice(&body).context("its answer is no JSON")?;
        if let Some(error) = answer.get("error") {
            let code =
                error.get("code").and_then(Value::as_i64).and_then(|c| i32::try_from(c).ok());
            let why = error.get("data").or_else(|| error.get("message"));
            return Ok(Answer::Refused(code.unwrap_or_default(), why.unwrap_or(error).to_string()));
        }
        let result = answer.get_mut("result").map(Value::take);
        Ok(Answer::Result(result.context("its answer has no result")?))
    }

    async fn send(
        &self,
        request: Request<Body>,
        max: usize,
    ) -> anyhow::Result<(StatusCode, Vec<u8>)> {
        let answer = async {
            let answer: Response<_> =
                self.client.request(request).await.context("it does not answer")?;
            let status = answer.status();
            let body = to_bytes(Body::new(answer.into_body()), max).await;
            anyhow::Ok((status, body.context("its answer is too long, or breaks off")?.to_vec()))
        };
        let answered = tokio::time::timeout(PATIENCE, answer).await;
        answered.context("it takes too long").flatten().with_context(|| self.base.clone())
    }
}
