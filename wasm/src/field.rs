//! A payment field as `js/src/found.ts` describes it.

use crate::{
    found::{address, hex, path, proven},
    object::{list, nullable, number, object},
    snapshot::amount,
};
use antiphon_core::{
    chain::lookup::FieldFound,
    id::Address,
    payment::field::escrow::{FieldState, FieldStatus},
};
use wasm_bindgen::JsValue;

pub(crate) fn found(found: &FieldFound) -> JsValue {
    object([
        ("proven", proven(&found.proven)),
        ("field", hex(found.field.0)),
        ("state", nullable(found.state.as_ref().map(|field| state(found, field)))),
        ("path", path(&found.shown)),
    ])
}

fn state(found: &FieldFound, field: &FieldState) -> JsValue {
    let members = found.keys.iter().zip(field.best.balances.iter()).map(|(key, balance)| {
        object([("address", address(&Address::of(key))), ("balance", amount(*balance))])
    });
    let challenge = field.challenge.as_ref().map(|challenge| {
        let deadline = number(challenge.deadline.0);
        object([("round", challenge.round.into()), ("deadline", deadline)])
    });
    let (status, at) = match field.status {
        FieldStatus::Open => ("open", None),
        FieldStatus::Closing(closing) => ("closing", Some(closing.deadline)),
        FieldStatus::Closed { at } => ("closed", Some(at)),
    };
    object([
        ("members", list(members).into()),
        ("leader", field.leader.into()),
        ("bond", amount(field.bond)),
        ("version", field.best.version.into()),
        ("round", field.best.round.into()),
        ("payments", field.best.payments.into()),
        ("txRoot", hex(field.best.tx_root)),
        ("annulled", nullable(field.annulled.map(JsValue::from))),
        ("challenge", nullable(challenge)),
        ("status", status.into()),
        ("at", nullable(at.map(|height| number(height.0)))),
    ])
}
