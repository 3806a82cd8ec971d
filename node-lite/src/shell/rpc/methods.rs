//! The methods, one function each.
//!
//! | method | parameters | result |
//! |---|---|---|
//! | `antiphon_health` | | `{ok, settled, stopped}` |
//! | `antiphon_version` | | `{node, api}` |
//! | `antiphon_status` | | chain, heights, epoch, waiting |
//! | `antiphon_spec` | | chain spec, base64 of borsh |
//! | `antiphon_prove` | height, base64 of `Bounded<StateKey, 64>` | base64 of `StateProofs` |
//! | `antiphon_submit` | base64 of a signed transaction | its id in hex |
//! | `antiphon_faucet` | address, as text or 40 hex digits | id of the paying transaction in hex |
//! | `antiphon_tx` | id in hex | `{state, height}` |
//! | `antiphon_evidence` | how many to skip, none if left out | offences seen here: `[{offence, height, offenders: [{key, staker}], evidence}]` |
//! | `antiphon_watch` | base64 of a `SealedState` | `{field, version, round}`, once it is watched |
//! | `antiphon_closedFields` | height | base64 of `Bounded<ClosedField, 4096>`: the leaves of the block's `field_root` |
//! | `antiphon_subscribeTip` | | the status whenever it changes |

use super::{Context, field};
use crate::{
    mempool::AdmitError,
    offence::{Charge, Offender},
    shell::driver::Unavailable,
    supernode::{ProveError, Status, TxStatus},
};
use antiphon_core::{
    amount::Amount,
    chain::{
        Level,
        proof::{MAX_KEYS, StateProofs},
        spec::Token,
        state::StateKey,
        transaction::{
            MAX_TRANSACTION, Message, SignedTransaction, Transaction, decode_transaction,
        },
    },
    codec::{self, Bounded, Text},
    crypto::Hash,
    id::{Address, Height, TxId},
    wallet::address,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonrpsee::{
    PendingSubscriptionSink, RpcModule, SubscriptionMessage,
    core::SubscriptionResult,
    types::{ErrorObjectOwned, Params, error::INVALID_PARAMS_CODE},
};
use serde_json::{Value, json};
use std::sync::Arc;

/// The version of this interface. Another number means that something was taken away or changed its meaning.
const API: u32 = 1;
/// What the faucet pays: 100 of the operational token at 8 decimals.
const FAUCET_UNITS: u128 = 10_000_000_000;
/// What it pays in the staking token on a chain that stakes, if it has any: 10 at 8 decimals.
const FAUCET_STAKE: u128 = 1_000_000_000;
/// The node's thread is gone, or it has no room now.
pub(super) const UNAVAILABLE: i32 = -32001;
/// The transaction is refused; `data` says why by a stable code.
pub(super) const REFUSED: i32 = -32002;
/// There is no such block or state here.
pub(super) const NOT_FOUND: i32 = -32003;
/// This node watches no fields.
pub(super) const NO_TOWER: i32 = -32005;
/// This chain has no faucet.
const NO_FAUCET: i32 = -32004;

/// An answer of offences ends with the one that makes it longer than this, in bytes; the next begins with a skip. One of
/// the largest set is below half of the longest answer.
const ENOUGH: usize = 256 * 1024;

pub(super) type Answer = Result<Value, ErrorObjectOwned>;

pub(super) fn module(context: Arc<Context>) -> anyhow::Result<RpcModule<Context>> {
    let mut module = RpcModule::from_arc(context);
    module.register_method("antiphon_health", |_, context, _| health(context))?;
    module.register_method(
        "antiphon_version",
        |_, _, _| json!({ "node": env!("CARGO_PKG_VERSION"), "api": API }),
    )?;
    module.register_method("antiphon_status", |_, context, _| {
        status(context, &context.published.borrow().status)
    })?;
    module.register_method("antiphon_spec", |_, context, _| {
        STANDARD.encode(codec::encode(&context.spec))
    })?;
    module.register_async_method("antiphon_prove", |params, context, _| async move {
        prove(params, &context).await
    })?;
    module.register_async_method("antiphon_submit", |params, context, _| async move {
        submit(params, &context).await
    })?;
    module.register_async_method("antiphon_faucet", |params, context, _| async move {
        faucet(params, &context).await
    })?;
    module.register_async_method("antiphon_tx", |params, context, _| async move {
        transaction(params, &context).await
    })?;
    module.register_async_method("antiphon_evidence", |params, context, _| async move {
        evidence(params, &context).await
    })?;
    module.register_async_method("antiphon_watch", |params, context, _| async move {
        field::watch(params, context).await
    })?;
    module.register_async_method("antiphon_closedFields", |params, context, _| async move {
        field::closed(params, context).await
    })?;
    module.register_subscription(
        "antiphon_subscribeTip",
        "antiphon_tip",
        "antiphon_unsubscribeTip",
        |_, pending, context, _| follow(pending, context),
    )?;
    Ok(module)
}

pub(super) fn error(code: i32, message: impl Into<String>, data: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, Some(data))
}

pub(super) fn invalid(what: &str) -> ErrorObjectOwned {
    error(INVALID_PARAMS_CODE, what, "rpc/invalid-params")
}

fn unavailable(reason: Unavailable) -> ErrorObjectOwned {
    error(UNAVAILABLE, reason.to_string(), "rpc/unavailable")
}

pub(super) fn storage(reason: &crate::storage::StorageError) -> ErrorObjectOwned {
    tracing::error!(error = %reason, "store");
    // What the disk said is for the log, not for strangers.
    error(UNAVAILABLE, "the store failed", reason.code())
}

fn health(context: &Context) -> Value {
    let status = context.published.borrow().status;
    json!({ "ok": !status.stopped, "settled": status.settled.0, "stopped": status.stopped })
}

fn status(context: &Context, status: &Status) -> Value {
    json!({
        "chain": context.chain.0.to_hex(),
        "included": status.included.0,
        "settled": status.settled.0,
        "final": status.finalised.0,
        "epoch": status.epoch.0,
        "waiting": status.waiting,
        "stopped": status.stopped,
    })
}

pub(super) fn bytes(text: &str, max: usize) -> Result<Vec<u8>, ErrorObjectOwned> {
    // Base64 is four thirds; anything longer is refused before it is decoded.
    if text.len() > max.saturating_mul(4).div_ceil(3).saturating_add(4) {
        return Err(invalid("too long"));
    }
    STANDARD.decode(text).map_err(|_| invalid("not base64"))
}

async fn prove(params: Params<'static>, context: &Context) -> Answer {
    let (height, keys): (u64, String) = params.parse()?;
    let max = MAX_KEYS.saturating_mul(32).saturating_add(4);
    let keys: Bounded<StateKey, MAX_KEYS> = codec::decode(&bytes(&keys, max)?, max)
        .map_err(|reason| error(INVALID_PARAMS_CODE, reason.to_string(), reason.code()))?;
    let proven = context.node.call(move |node, _| node.prove(Height(height), &keys)).await;
    let proofs = proven.map_err(unavailable)?.map_err(|reason| match reason {
        ProveError::Storage(reason) => storage(&reason),
        reason @ (ProveError::UnknownHeight | ProveError::Pruned) => {
            error(NOT_FOUND, reason.to_string(), reason.code())
        }
    })?;
    let proofs = StateProofs::try_from(proofs).map_err(|_| invalid("too many keys"))?;
    Ok(Value::String(STANDARD.encode(codec::encode(&proofs))))
}

async fn submit(params: Params<'static>, context: &Context) -> Answer {
    let text: String = params.one()?;
    let tx = decode_transaction(&bytes(&text, MAX_TRANSACTION)?)
        .map_err(|reason| error(INVALID_PARAMS_CODE, reason.to_string(), reason.code()))?;
    let admitted = context.node.call(move |node, out| node.submit(tx, out)).await;
    let id = admitted.map_err(unavailable)?.map_err(|reason| {
        // No room now is no verdict on the transaction.
        let code = if reason == AdmitError::Full { UNAVAILABLE } else { REFUSED };
        error(code, reason.to_string(), reason.code())
    })?;
    Ok(Value::String(id.0.to_hex()))
}

async fn faucet(params: Params<'static>, context: &Context) -> Answer {
    let text: String = params.one()?;
    let to = parse_address(&text).ok_or_else(|| invalid("not an address"))?;
    let Some(key) = context.faucet.clone() else {
        return Err(error(NO_FAUCET, "this chain has no faucet", "rpc/no-faucet"));
    };
    let chain = context.chain;
    let (max_fee, stakes) = (context.spec.fee, context.spec.stake.is_some());
    let paid = context.node.call(move |node, out| {
        let sender = key.public();
        let sequence = node.next_sequence(&Address::of(&sender)).map_err(|e| storage(&e))?;
        let (reference_height, reference_block) = node.reference();
        let amount = Amount::from_units(FAUCET_UNITS);
        let mut messages = vec![Message::Transfer { token: Token::Operational, to, amount }];
        let stake = Amount::from_units(FAUCET_STAKE);
        let own = node.account(&Address::of(&sender)).map_err(|e| storage(&e))?;
        if stakes && own.balance(Token::Staking) >= stake {
            messages.push(Message::Transfer { token: Token::Staking, to, amount: stake });
        }
        let body = Transaction {
            sender: sender.into(),
            sequence,
            reference_height,
            reference_block,
            scope: Text::try_from("faucet").map_err(|_| invalid("scope"))?,
            max_fee,
            cosigners: Bounded::new(),
            messages: Bounded::try_from(messages).map_err(|_| invalid("messages"))?,
        };
        let admitted = node.submit(SignedTransaction::new(&key, chain, body), out);
        admitted.map_err(|reason| error(REFUSED, reason.to_string(), reason.code()))
    });
    let id = paid.await.map_err(unavailable)??;
    Ok(Value::String(id.0.to_hex()))
}

fn parse_address(text: &str) -> Option<Address> {
    let mut raw = [0; 20];
    if hex::decode_to_slice(text, &mut raw).is_ok() {
        return Some(Address(raw));
    }
    address::parse(text).ok()
}

async fn transaction(params: Params<'static>, context: &Context) -> Answer {
    let text: String = params.one()?;
    let id = Hash::from_hex(&text).ok_or_else(|| invalid("not 64 hexadecimal digits"))?;
    let found = context.node.call(move |node, _| node.transaction(&TxId(id))).await;
    let found = found.map_err(unavailable)?.map_err(|reason| storage(&reason))?;
    Ok(match found {
        TxStatus::Unknown => json!({ "state": "unknown", "height": null }),
        TxStatus::Waiting => json!({ "state": "waiting", "height": null }),
        TxStatus::In(height, level) => {
            let state = match level {
                Level::Included => "included",
                Level::Settled => "settled",
                Level::Final => "final",
            };
            json!({ "state": state, "height": height.0 })
        }
    })
}

/// Whoever has a funded account sends each of these as `Accuse` (A4.2).
async fn evidence(params: Params<'static>, context: &Context) -> Answer {
    let skip = params.sequence().optional_next::<usize>()?.unwrap_or(0);
    let seen = context.node.call(|node, _| node.offences()).await;
    let seen = seen.map_err(unavailable)?.map_err(|reason| storage(&reason))?;
    let name = |Charge { seen, stakers }: &Charge| {
        let claim = seen.evidence.claim();
        let offenders = seen.offenders.iter().zip(stakers).map(|(offender, staker)| {
            let key = match offender {
                Offender::Validator(key) => hex::encode(key.0),
                Offender::Guardian(key) => hex::encode(key.0),
            };
            json!({ "key": key, "staker": staker.as_ref().map(address::to_text) })
        });
        json!({
            "offence": claim.offence.code(),
            "height": claim.height.0,
            "offenders": offenders.collect::<Vec<_>>(),
            "evidence": STANDARD.encode(codec::encode(&seen.evidence)),
        })
    };
    let mut answer = Vec::new();
    let mut length = 0_usize;
    for value in seen.iter().skip(skip).map(name) {
        length = length.saturating_add(value.to_string().len());
        answer.push(value);
        if length > ENOUGH {
            break;
        }
    }
    Ok(Value::Array(answer))
}

async fn follow(pending: PendingSubscriptionSink, context: Arc<Context>) -> SubscriptionResult {
    let sink = pending.accept().await?;
    let mut published = context.published.clone();
    loop {
        let now = published.borrow_and_update().status;
        let value = serde_json::value::to_raw_value(&status(&context, &now))?;
        // A listener too slow for one message a block is let go.
        if sink.send(SubscriptionMessage::from(value)).await.is_err() {
            return Ok(());
        }
        tokio::select! {
            changed = published.changed() => if changed.is_err() { return Ok(()); },
            () = sink.closed() => return Ok(()),
        }
    }
}
