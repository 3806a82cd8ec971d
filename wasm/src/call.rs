//! A call, and what came without one, as an application sees them: `Call` in `js/src/calls.ts`.

use crate::{
    found,
    object::{nullable, object},
};
use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    client::journal::{Act, Coming, Entry, Origin, Stage},
    id::Address,
    wallet::address::to_text,
};
use wasm_bindgen::JsValue;

/// Writes a call.
pub(crate) fn write(key: &str, call: &Entry) -> JsValue {
    let (kind, to, amount) = match &call.act {
        Act::Transfer { to, amount, .. } => ("transfer", Some(to), Some(amount)),
        Act::Bond(staker, amount) => ("bond", Some(staker), Some(amount)),
        Act::Unbond(staker, amount) => ("unbond", Some(staker), Some(amount)),
        Act::Withdraw(staker) => ("withdraw", Some(staker), None),
        Act::OpenPool(deposit) => ("openPool", None, Some(deposit)),
        Act::Give { to, amount, .. } => ("give", Some(to), Some(amount)),
        Act::PayMember { payee, amount, .. } => ("payMember", Some(payee), Some(amount)),
    };
    let names = (key, kind, call.code.as_deref());
    show(names, (None, to), (amount, call.act.token()), call.stage)
}

/// Writes what came.
pub(crate) fn write_came(one: &Coming) -> JsValue {
    let other = one.other.as_ref();
    let (kind, parties) = match one.origin {
        Origin::Pool => ("poolPaid", (None, None)),
        Origin::Gift => ("gift", (other, None)),
        Origin::Given => ("gift", (None, other)),
        Origin::Field => ("fieldPaid", (None, None)),
        Origin::Sent => ("received", (other, None)),
    };
    show((&one.key(), kind, one.code()), parties, (Some(&one.amount), one.token), one.stage)
}

fn show(
    (key, kind, code): (&str, &str, Option<&str>),
    (payer, to): (Option<&Address>, Option<&Address>),
    (amount, token): (Option<&Amount>, Token),
    stage: Stage,
) -> JsValue {
    let stage = match stage {
        Stage::Asked => "asked",
        Stage::Pending => "pending",
        Stage::Included => "included",
        Stage::Committed => "committed",
        Stage::Settled => "settled",
        Stage::Final => "final",
        Stage::Failed => "failed",
    };
    let party = |party: Option<&Address>| nullable(party.map(|party| to_text(party).into()));
    object([
        ("key", key.into()),
        ("kind", kind.into()),
        ("payer", party(payer)),
        ("to", party(to)),
        ("amount", nullable(amount.map(|amount| JsValue::from(amount.units())))),
        ("token", found::token(token)),
        ("stage", stage.into()),
        ("code", nullable(code.map(Into::into))),
    ])
}
