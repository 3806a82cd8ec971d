//! The chain that pays for a stream: the one given, or the one that the node names.
//!
//! Publishing needs no node. Its answer spares the publisher 64 digits, and catches a page that would pay on another
//! chain than the stream is signed for. Listeners pin the chain themselves, whatever is believed here.

use antiphon_core::{crypto::Hash, id::ChainId};
use antiphon_host::web::{self, Web};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a node may take. Chosen here: a publisher waits for it before the stream begins.
const NODE_PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer, in bytes. Chosen here: a status takes 300.
const MAX_ANSWER: u64 = 16 * 1024;

/// Returns the chain of the stream.
///
/// # Errors
/// No chain and no node that names one, or a node of another chain than the one given. In words for a person.
pub(super) async fn chain(given: Option<ChainId>, node: &str) -> anyhow::Result<ChainId> {
    if node.is_empty() {
        return given.context("--chain is needed, or --node to ask for it");
    }
    match (ask(node).await, given) {
        (Ok(named), None) => {
            let chain = named.0.to_hex();
            tracing::info!(%chain, %node, "trusting the node for the chain; --chain pins it");
            Ok(named)
        }
        (Ok(named), Some(given)) => {
            ensure!(
                named == given,
                "--chain is {}, but the node at {node} is of chain {}",
                given.0,
                named.0
            );
            Ok(given)
        }
        (Err(error), None) => {
            Err(error.context(format!("asking {node} for its chain; --chain says it without")))
        }
        (Err(error), Some(given)) => {
            tracing::warn!(%node, error = format!("{error:#}"), "--chain is not compared");
            Ok(given)
        }
    }
}

/// Asks a node for its chain.
async fn ask(node: &str) -> anyhow::Result<ChainId> {
    let url = web::parse(&format!("{}/rpc", node.trim_end_matches('/')), None)?;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "antiphon_status", "params": [] });
    let web = Web::new()?;
    let answer = web.post(url, call.to_string(), MAX_ANSWER);
    let answer =
        tokio::time::timeout(NODE_PATIENCE, answer).await.context("it takes too long")??;
    ensure!(answer.status == 200, "it answers {}", answer.status);
    chain_of(&answer.body)
}

/// Reads the chain out of an answer to `antiphon_status`.
fn chain_of(answer: &[u8]) -> anyhow::Result<ChainId> {
    let answer: Value = serde_json::from_slice(answer).context("its answer is not JSON")?;
    let named = answer.pointer("/result/chain").and_then(Value::as_str);
    match named.and_then(Hash::from_hex) {
        Some(hash) => Ok(ChainId(hash)),
        None => bail!("its answer names no chain"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what fails here is a failing test")]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_read_only_out_of_a_status() {
        let hex = "07".repeat(32);
        let status = json!({ "result": { "chain": hex, "settled": 3 } }).to_string();
        assert_eq!(chain_of(status.as_bytes()).unwrap(), ChainId(Hash([7; 32])));
        let refusals = ["", "[]", "{\"error\":{}}", "{\"result\":{\"chain\":\"07\"}}"];
        for refusal in refusals {
            assert!(chain_of(refusal.as_bytes()).is_err(), "{refusal}");
        }
    }
}
