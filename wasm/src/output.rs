//! The client's outputs to JavaScript, one function for each family. Shapes: `Output` in `js/src/border.ts`.

use crate::{
    found,
    object::{bytes, kind, nullable, number, set},
    room,
};
use antiphon_core::{
    client::{HttpOrder, LookupId, Notice, Output, Query},
    wallet::address,
};
use js_sys::Object;
use wasm_bindgen::JsValue;

/// Writes any output.
pub(crate) fn write(output: Output) -> JsValue {
    let object = match output {
        Output::Http(id, order) => http(id.0, &order),
        Output::CancelHttp(id) => named("cancelHttp", "id", id.0),
        Output::Ask(id, question) => with(named("ask", "id", id.0), "query", query(&question)),
        Output::ConnectTracker(url) => with(kind("connectTracker"), "url", url),
        Output::TrackerSend(body) => with(kind("trackerSend"), "body", bytes(&body)),
        Output::CloseTracker => kind("closeTracker"),
        Output::CreateLink(link, offer) => {
            with(named("createLink", "link", link.0), "offer", nullable(offer.map(Into::into)))
        }
        Output::AcceptAnswer(link, sdp) => with(named("acceptAnswer", "link", link.0), "sdp", sdp),
        Output::AddCandidates(link, lines) => {
            with(named("addCandidates", "link", link.0), "lines", lines)
        }
        Output::CloseLink(link) => named("closeLink", "link", link.0),
        Output::Send(link, body) => with(named("send", "link", link.0), "body", bytes(&body)),
        Output::Store(token, name, value) => {
            let object = with(named("store", "token", token.0), "name", name);
            with(object, "value", nullable(value.map(|value| bytes(&value))))
        }
        Output::Deliver(id, body) => with(named("deliver", "id", id.0), "body", bytes(&body)),
        Output::Refuse(id, code) => with(named("refuse", "id", id.0), "code", code),
        Output::Fail(id, code) => with(named("fail", "id", id.0), "code", code),
        Output::Found(id, found) => return answer(id, found::write(&found)),
        Output::Shown(id, exhibit) => return answer(id, room::exhibit(&exhibit)),
        Output::Lost(id, code) => with(named("lost", "id", id.0), "code", code),
        Output::Notify(notice) => with(kind("notify"), "notice", notify(&notice)),
    };
    object.into()
}

/// Writes what was found.
pub(crate) fn answer(id: LookupId, found: JsValue) -> JsValue {
    with(named("found", "id", id.0), "found", found).into()
}

fn http(id: u64, order: &HttpOrder) -> Object {
    let object = named("http", "id", id);
    set(&object, "url", order.url.as_str());
    set(&object, "base", nullable(order.base.as_deref().map(Into::into)));
    set(&object, "from", nullable(order.range.map(|(from, _)| number(from))));
    set(&object, "until", nullable(order.range.map(|(_, until)| number(until))));
    set(&object, "maxBytes", number(order.max_bytes));
    set(&object, "isImmutable", order.is_immutable);
    object
}

fn query(query: &Query) -> Object {
    match query {
        Query::Prove { height, keys } => {
            with(named("prove", "height", *height), "keys", bytes(keys))
        }
        Query::Submit(transaction) => with(kind("submit"), "transaction", bytes(transaction)),
        Query::Closed(height) => named("closed", "height", *height),
        Query::Watch(sealed) => with(kind("watch"), "sealed", bytes(sealed)),
        Query::Faucet(to) => with(kind("faucet"), "address", address::to_text(to)),
    }
}

fn notify(notice: &Notice) -> Object {
    match notice {
        Notice::Trouble(code) => with(kind("trouble"), "code", *code),
        Notice::Recovered(code) => with(kind("recovered"), "code", *code),
        Notice::Banned(code) => with(kind("banned"), "code", *code),
        Notice::Warning(id, warning) => {
            let object = kind("warning");
            for (field, value) in room::warning(*id, warning) {
                set(&object, field, value);
            }
            object
        }
        Notice::Changed => kind("changed"),
    }
}

fn named(name: &str, id_field: &str, id: u64) -> Object {
    with(kind(name), id_field, number(id))
}

fn with(object: Object, field: &str, value: impl Into<JsValue>) -> Object {
    set(&object, field, value);
    object
}
