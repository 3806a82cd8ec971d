//! A node somewhere else, asked over HTTP: light files and JSON-RPC. Everything it says is a hint until it is proven.

use super::web::{self, Web};
use antiphon_core::{chain::light::File, wallet::book::Query};
use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// Longest answer of JSON-RPC, in bytes. Chosen here: a proof of 64 keys is below 200 kB.
const MAX_ANSWER: u64 = 1 << 20;
/// The node's answer that it cannot tell now: as good as none.
const UNAVAILABLE: i32 = -32001;

/// A node at an `http://` or `https://` address. Clones share their connections.
#[derive(Clone, Debug)]
pub struct RemoteNode {
    base: String,
    web: Web,
}

/// What a node answers to a call.
#[derive(Debug)]
pub enum Answer {
    /// A result.
    Result(Value),
    /// A refusal with its code, and why.
    Refused(i32, String),
}

/// Why a query has no answer, in words for a person.
#[derive(Debug)]
pub enum NoAnswer {
    /// The node refuses, with this code.
    Refused(i32, String),
    /// The node cannot be reached, cannot tell now, or tells nonsense.
    Unreachable(String),
}

impl RemoteNode {
    /// Names a node by its base URL.
    ///
    /// # Errors
    /// What is no URL of a server, in words for a person.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        web::parse(base, None).with_context(|| format!("the node {base}"))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), web: Web::new()? })
    }

    /// Reads a light file; `None` where the node has none.
    ///
    /// # Errors
    /// A node that does not answer, in words for a person.
    pub async fn file(&self, file: &File) -> anyhow::Result<Option<Vec<u8>>> {
        let url = format!("{}{}", self.base, file.path());
        let max = u64::try_from(file.max_bytes()).unwrap_or(u64::MAX);
        let answer = self.web.get(web::parse(&url, None)?, None, max).await;
        let answer = answer.with_context(|| url.clone())?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 => Ok(None),
            status => bail!("{url}: it answers {status}"),
        }
    }

    /// Calls a method.
    ///
    /// # Errors
    /// A node that does not answer, or not in JSON-RPC, in words for a person.
    pub async fn call(&self, method: &str, params: Value) -> anyhow::Result<Answer> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let url = web::parse(&format!("{}/rpc", self.base), None)?;
        let answer = self.web.post(url, call.to_string(), MAX_ANSWER).await;
        let body = answer.with_context(|| self.base.clone())?.body;
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

    /// Asks what a book or a look-up wants to know, and returns bytes as they read them.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn ask(&self, query: &Query) -> Result<Vec<u8>, NoAnswer> {
        let (method, params) = match query {
            Query::Prove { height, keys } => {
                ("antiphon_prove", json!([height, STANDARD.encode(keys)]))
            }
            Query::Submit(transaction) => {
                ("antiphon_submit", json!([STANDARD.encode(transaction)]))
            }
            Query::Faucet(to) => ("antiphon_faucet", json!([hex::encode(to.0)])),
            Query::Closed(height) => ("antiphon_closedFields", json!([height])),
            Query::Watch(sealed) => ("antiphon_watch", json!([STANDARD.encode(sealed)])),
        };
        match self.call(method, params).await {
            Ok(Answer::Result(value)) => {
                let text = value.as_str().unwrap_or_default();
                let is_proof = matches!(query, Query::Prove { .. } | Query::Closed(_));
                // What was sent is proven by the state, not by an answer.
                let bytes = if is_proof { STANDARD.decode(text).ok() } else { Some(Vec::new()) };
                bytes.ok_or_else(|| NoAnswer::Unreachable(String::from("its answer is no base64")))
            }
            Ok(Answer::Refused(UNAVAILABLE, why)) => Err(NoAnswer::Unreachable(why)),
            Ok(Answer::Refused(code, why)) => Err(NoAnswer::Refused(code, why)),
            Err(error) => Err(NoAnswer::Unreachable(format!("{error:#}"))),
        }
    }
}
