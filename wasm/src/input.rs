//! JavaScript inputs to the client's, one function for each family. Shapes: `Input` in `js/src/border.ts`.

use crate::{
    error::bad_input,
    object::{
        address, as_bytes, byte_list, field, hex_32, integer, optional_integer, signed, text,
    },
};
use antiphon_core::{
    chain::Level,
    client::{
        AskId, HttpAnswer, Input, Loaded, LookupId, Part, PaymentAt, Question, RequestId,
        StoreToken, WantId, Wanted,
    },
    crypto::Hash,
    id::{FieldId, Height, PoolId},
    peer::LinkId,
};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

/// Reads any input.
pub(crate) fn read(input: &JsValue) -> Result<Input, JsValue> {
    let kind = text(input, "kind")?;
    Ok(match kind.as_str() {
        "tick" => Input::Tick,
        "loaded" => Input::Loaded(entries(input)?),
        "stored" => Input::Stored(StoreToken(integer(input, "token")?)),
        "httpDone" => Input::HttpDone(request(input)?, answer(input)?),
        "httpFailed" => Input::HttpFailed(request(input)?),
        "answered" => Input::Answered(ask(input)?, byte_list(input, "body")?),
        "refused" => Input::Refused(ask(input)?, signed(input, "code")?),
        "unreachable" => Input::Unreachable(ask(input)?),
        "trackerOpened" => Input::TrackerOpened,
        "trackerMessage" => Input::TrackerMessage(byte_list(input, "body")?),
        "trackerClosed" => Input::TrackerClosed,
        "described" => Input::Described(link(input)?, text(input, "sdp")?),
        "candidates" => Input::Candidates(link(input)?, text(input, "lines")?),
        "linkOpened" => Input::LinkOpened(link(input)?),
        "linkMessage" => Input::LinkMessage(link(input)?, byte_list(input, "body")?),
        "linkDrained" => Input::LinkDrained(link(input)?),
        "linkClosed" => Input::LinkClosed(link(input)?),
        "playlist" => Input::Playlist(want(input)?, loaded(input)?),
        "check" => Input::Check(want(input)?, part(input)?, byte_list(input, "body")?),
        "want" => Input::Want(want(input)?, wanted(input)?),
        "unwant" => Input::Unwant(want(input)?),
        "prove" => Input::Prove(lookup(input)?, payment(input)?),
        "lookUp" if text(input, "question")? == "ownPools" => Input::FindPools(lookup(input)?),
        "lookUp" => Input::LookUp(lookup(input)?, question(input)?),
        _ => return Err(bad_input("kind")),
    })
}

pub(crate) fn entries(input: &JsValue) -> Result<Vec<(String, Vec<u8>)>, JsValue> {
    let list = field(input, "entries");
    let list = list.dyn_ref::<Array>().ok_or_else(|| bad_input("entries"))?;
    list.iter().map(|item| entry(&item).ok_or_else(|| bad_input("entries"))).collect()
}

fn entry(item: &JsValue) -> Option<(String, Vec<u8>)> {
    let pair = item.dyn_ref::<Array>()?;
    Some((pair.get(0).as_string()?, as_bytes(&pair.get(1))?))
}

fn answer(input: &JsValue) -> Result<HttpAnswer, JsValue> {
    let status = u16::try_from(integer(input, "status")?).map_err(|_| bad_input("status"))?;
    Ok(HttpAnswer { status, body: byte_list(input, "body")? })
}

fn wanted(input: &JsValue) -> Result<Wanted, JsValue> {
    Ok(Wanted { sequence: integer(input, "sequence")?, buffered_ms: integer(input, "bufferedMs")? })
}

fn part(input: &JsValue) -> Result<Part, JsValue> {
    Ok(optional_integer(input, "sequence")?.map_or(Part::Map, Part::Segment))
}

fn question(input: &JsValue) -> Result<Question, JsValue> {
    let height = || integer(input, "height").map(Height);
    let level = || match text(input, "level")?.as_str() {
        "included" => Ok(Level::Included),
        "settled" => Ok(Level::Settled),
        "final" => Ok(Level::Final),
        _ => Err(bad_input("level")),
    };
    Ok(match text(input, "question")?.as_str() {
        "block" => Question::Block(height()?),
        "blocks" => Question::Blocks(height()?),
        "checkpoint" => Question::Checkpoint(height()?),
        "account" => Question::Account(address(input, "address")?, level()?),
        "pool" => Question::Pool(PoolId(Hash(hex_32(input, "pool")?)), level()?),
        "field" => Question::Field(FieldId(Hash(hex_32(input, "field")?)), level()?),
        "stakers" => Question::Stakers(level()?),
        _ => return Err(bad_input("question")),
    })
}

fn request(input: &JsValue) -> Result<RequestId, JsValue> {
    integer(input, "id").map(RequestId)
}

fn lookup(input: &JsValue) -> Result<LookupId, JsValue> {
    integer(input, "id").map(LookupId)
}

fn payment(input: &JsValue) -> Result<PaymentAt, JsValue> {
    let count = |name| u32::try_from(integer(input, name)?).map_err(|_| bad_input(name));
    let field = FieldId(Hash(hex_32(input, "field")?));
    Ok(PaymentAt { field, round: count("round")?, index: count("index")? })
}

fn ask(input: &JsValue) -> Result<AskId, JsValue> {
    integer(input, "id").map(AskId)
}

fn want(input: &JsValue) -> Result<WantId, JsValue> {
    integer(input, "id").map(WantId)
}

fn loaded(input: &JsValue) -> Result<Loaded, JsValue> {
    Ok(Loaded { url: text(input, "url")?, text: text(input, "text")? })
}

pub(crate) fn link(input: &JsValue) -> Result<LinkId, JsValue> {
    integer(input, "link").map(LinkId)
}
