//! What an application sees, as plain objects. Shapes: `js/src/snapshot.ts`.

use crate::{
    found,
    object::{list, nullable, number, object},
    room,
};
use antiphon_core::{
    amount::Amount,
    chain::{Level, light::Standing},
    client::{
        AccountView, BanView, ChainView, DeliveryView, HeadView, Leveled, LockedView, PayerView,
        PeerView, PoolView, Problem, SentView, SettlementView, Snapshot, SpecView, Status,
        StreamView, WalletView,
    },
    wallet::address,
};
use wasm_bindgen::JsValue;

/// Writes the whole snapshot.
pub(crate) fn write(snapshot: &Snapshot) -> JsValue {
    object([
        ("stream", nullable(snapshot.stream.as_ref().map(stream))),
        ("chain", chain(&snapshot.chain)),
        ("delivery", delivery(&snapshot.delivery)),
        ("peers", list(snapshot.peers.iter().map(peer)).into()),
        ("bans", list(snapshot.bans.iter().map(ban)).into()),
        ("around", list(snapshot.around.iter().map(room::around)).into()),
        ("fields", list(snapshot.fields.iter().map(room::show)).into()),
        ("gifts", list(snapshot.gifts.iter().map(room::gift)).into()),
        ("wallet", wallet(&snapshot.wallet)),
        ("problems", list(snapshot.problems.iter().map(problem)).into()),
    ])
}

fn stream(view: &StreamView) -> JsValue {
    object([
        ("name", view.name.as_str().into()),
        ("publisher", view.publisher.as_str().into()),
        ("publisherAddress", address::to_text(&view.publisher_address).into()),
        ("isPinned", view.is_pinned.into()),
        ("price", amount(view.price)),
        ("newest", number(view.newest)),
    ])
}

fn chain(view: &ChainView) -> JsValue {
    object([
        ("id", view.id.as_str().into()),
        ("node", status(view.node)),
        ("included", number(view.included.0)),
        ("settled", number(view.settled.0)),
        ("final", number(view.final_height.0)),
        ("finalBlock", view.final_block.as_str().into()),
        ("signers", view.signers.0.into()),
        ("guardians", view.signers.1.into()),
        ("time", number(view.time)),
        ("ageMs", number(view.age)),
        ("finalAgeMs", nullable(view.final_age.map(number))),
        ("standing", standing(view.standing)),
        ("witnesses", view.witnesses.into()),
        ("witnessed", nullable(view.witnessed.map(|height| number(height.0)))),
        ("isAlarmed", view.is_alarmed.into()),
        ("heads", list(view.heads.iter().map(head)).into()),
        ("spec", nullable(view.spec.as_ref().map(spec))),
    ])
}

fn head(view: &HeadView) -> JsValue {
    object([
        ("level", level(view.level)),
        ("height", number(view.height.0)),
        ("block", view.block.0.to_hex().into()),
        ("root", view.root.to_hex().into()),
        ("how", how(view.level)),
        ("time", number(view.time)),
        ("ageMs", number(view.age)),
        ("isWitnessed", view.is_witnessed.into()),
    ])
}

/// What makes a head believed.
fn how(level: Level) -> JsValue {
    match level {
        Level::Included => "links",
        Level::Settled => "two-chain",
        Level::Final => "certificate",
    }
    .into()
}

fn spec(view: &SpecView) -> JsValue {
    object([
        ("name", view.name.as_str().into()),
        ("blockMs", number(view.block_ms)),
        ("interval", number(view.interval)),
        ("fee", amount(view.fee)),
        ("unbonding", nullable(view.unbonding.map(number))),
    ])
}

fn delivery(view: &DeliveryView) -> JsValue {
    object([
        ("tracker", status(view.tracker)),
        ("fromPeers", number(view.from_peers)),
        ("fromOrigin", number(view.from_origin)),
        ("toPeers", number(view.to_peers)),
        ("chunksServed", number(view.chunks_served)),
        ("late", number(view.late)),
        ("hedged", number(view.hedged)),
        ("bad", number(view.bad)),
        ("cached", number(view.cached)),
        ("delivered", number(view.delivered)),
    ])
}

fn peer(view: &PeerView) -> JsValue {
    object([
        ("peer", view.peer.0.to_string().into()),
        ("received", number(view.received)),
        ("sent", number(view.sent)),
        ("paid", amount(view.paid)),
        ("earned", amount(view.earned)),
        ("latencyMs", nullable(view.latency.map(number))),
    ])
}

fn ban(view: &BanView) -> JsValue {
    object([
        ("peer", view.peer.0.to_string().into()),
        ("code", view.code.into()),
        ("times", view.times.into()),
        ("leftMs", number(view.left)),
    ])
}

fn wallet(view: &WalletView) -> JsValue {
    object([
        ("address", nullable(view.address.as_ref().map(|own| address::to_text(own).into()))),
        ("account", nullable(view.account.as_ref().map(account))),
        ("pool", nullable(view.pool.as_ref().map(pool))),
        ("vouchersOut", amount(view.vouchers_out)),
        ("vouchersIn", amount(view.vouchers_in)),
        ("payers", list(view.payers.iter().map(payer)).into()),
        ("settlements", list(view.settlements.iter().map(settlement)).into()),
        ("sent", list(view.sent.iter().map(sent)).into()),
        ("locked", list(view.locked.iter().map(locked)).into()),
    ])
}

fn account(view: &AccountView) -> JsValue {
    object([
        ("balance", leveled(&view.balance)),
        ("finalBalance", nullable(view.final_balance.as_ref().map(leveled))),
    ])
}

fn pool(view: &PoolView) -> JsValue {
    object([
        ("pool", hex::encode(view.pool.0.0).into()),
        ("deposit", nullable(view.deposit.as_ref().map(leveled))),
        ("refusal", nullable(view.refusal.map(Into::into))),
        ("promised", amount(view.promised)),
        ("end", number(view.end.0)),
    ])
}

fn payer(view: &PayerView) -> JsValue {
    object([
        ("pool", hex::encode(view.pool.0.0).into()),
        ("exposure", amount(view.exposure)),
        ("maxExposure", amount(view.max_exposure)),
        ("cost", nullable(view.cost.map(amount))),
        ("cover", nullable(view.cover.map(|cover| amount(Amount::from_units(cover))))),
        ("isInsolvent", view.is_insolvent.into()),
    ])
}

fn settlement(view: &SettlementView) -> JsValue {
    object([
        ("pool", hex::encode(view.pool.0.0).into()),
        ("amount", amount(view.amount)),
        ("level", nullable(view.level.map(level))),
        ("height", nullable(view.height.map(|height| number(height.0)))),
        ("root", nullable(view.root.map(|root| root.to_hex().into()))),
    ])
}

fn sent(view: &SentView) -> JsValue {
    object([
        ("token", found::token(view.token)),
        ("to", address::to_text(&view.to).into()),
        ("amount", amount(view.amount)),
        ("id", nullable(view.id.map(|id| id.0.to_hex().into()))),
        ("level", nullable(view.level.map(level))),
        ("refusal", nullable(view.refusal.map(Into::into))),
    ])
}

fn locked(view: &LockedView) -> JsValue {
    object([
        ("pool", hex::encode(view.pool.0.0).into()),
        ("held", nullable(view.held.map(amount))),
        ("owed", amount(view.owed)),
        ("back", nullable(view.back.map(|height| number(height.0)))),
        ("freeze", nullable(view.freeze.map(Into::into))),
    ])
}

fn problem(view: &Problem) -> JsValue {
    object([("code", view.code.into()), ("count", number(view.count))])
}

fn leveled(view: &Leveled<Amount>) -> JsValue {
    object([
        ("value", amount(view.value)),
        ("level", level(view.level)),
        ("height", number(view.height.0)),
        ("root", view.root.to_hex().into()),
        ("how", "state-proof".into()),
        ("ageMs", number(view.age)),
        ("isWitnessed", view.is_witnessed.into()),
    ])
}

pub(crate) fn level(level: Level) -> JsValue {
    match level {
        Level::Included => "included",
        Level::Settled => "settled",
        Level::Final => "final",
    }
    .into()
}

fn status(status: Status) -> JsValue {
    match status {
        Status::Idle => "idle",
        Status::Connecting => "connecting",
        Status::Up => "up",
        Status::Down => "down",
    }
    .into()
}

fn standing(standing: Standing) -> JsValue {
    match standing {
        Standing::Good => "good",
        Standing::Expired => "expired",
        Standing::Split => "split",
    }
    .into()
}

pub(crate) fn amount(amount: Amount) -> JsValue {
    JsValue::from(amount.units())
}
