//! Payment fields, gifts and the room, both ways. Shapes: `FieldView` and `Around` in `js/src/field.ts`, commands in `js/src/border.ts`.

use crate::{
    error::bad_input,
    found,
    object::{
        address, big, bytes, field, hex_32, list, nullable, number, object, optional_integer, text,
    },
    snapshot::{amount, level},
};
use antiphon_core::{
    amount::Amount,
    client::{
        AmendmentView, Around, Command, Exhibit, FieldOffer, FieldProven, FieldShow, GiftView,
        MemberView, PaymentStanding, PaymentView, Phase, RoundStep, Threat, Warning,
    },
    crypto::{Hash, PublicKey},
    id::FieldId,
    wallet,
};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};

/// Payments of a field that a snapshot carries, the newest: a page shows no more.
const MAX_SHOWN: usize = 64;

/// Reads a command about a field or a room, or `None` if it is about something else.
pub(crate) fn read(kind: &str, command: &JsValue) -> Result<Option<Command>, JsValue> {
    let of = || hex_32(command, "field").map(|id| FieldId(Hash(id)));
    Ok(Some(match kind {
        "enterRoom" => {
            let name = text(command, "name")?;
            Command::Enter(name.as_str().try_into().map_err(|_| bad_input("name"))?)
        }
        "leaveRoom" => Command::Exit,
        "proposeField" => Command::ProposeField(FieldOffer {
            others: keys(command)?,
            deposit: Amount::from_units(big(command, "deposit")?),
            dispute: optional_integer(command, "dispute")?,
        }),
        "acceptField" => Command::AcceptField(of()?),
        "declineField" => Command::DeclineField(of()?),
        "payMember" => Command::PayMember {
            field: of()?,
            payee: address(command, "payee")?,
            amount: Amount::from_units(big(command, "amount")?),
        },
        "admitMember" => Command::AdmitMember {
            field: of()?,
            key: PublicKey(hex_32(command, "key")?),
            deposit: Amount::from_units(big(command, "deposit")?),
        },
        "leaveField" => Command::LeaveField(of()?),
        "give" => Command::Give {
            to: address(command, "to")?,
            amount: Amount::from_units(big(command, "amount")?),
            purpose: {
                let purpose = text(command, "purpose")?;
                purpose.as_str().try_into().map_err(|_| bad_input("purpose"))?
            },
        },
        "closeField" => Command::CloseField(of()?),
        "forgetField" => Command::ForgetField(of()?),
        _ => return Ok(None),
    }))
}

fn keys(command: &JsValue) -> Result<Vec<PublicKey>, JsValue> {
    let others: Array = field(command, "others").dyn_into().map_err(|_| bad_input("others"))?;
    let key = |text: JsValue| {
        let mut bytes = [0; 32];
        let text = text.as_string().ok_or_else(|| bad_input("others"))?;
        hex::decode_to_slice(text, &mut bytes).map_err(|_| bad_input("others"))?;
        Ok(PublicKey(bytes))
    };
    others.iter().map(key).collect()
}

/// Writes somebody who is around.
pub(crate) fn around(view: &Around) -> JsValue {
    object([
        ("peer", view.peer.0.to_string().into()),
        ("address", wallet::address::to_text(&view.address).into()),
        ("isLinked", view.is_linked.into()),
    ])
}

/// Writes a gift.
pub(crate) fn gift(view: &GiftView) -> JsValue {
    object([
        ("pool", hex::encode(view.pool.0.0).into()),
        ("isGiven", view.is_given.into()),
        ("other", wallet::address::to_text(&view.other).into()),
        ("amount", amount(view.amount)),
        ("purpose", view.purpose.as_str().into()),
        ("stage", view.stage.name().into()),
        ("end", nullable(view.end.map(|height| number(height.0)))),
        ("refusal", nullable(view.refusal.map(Into::into))),
    ])
}

/// Writes a field.
pub(crate) fn show(show: &FieldShow) -> JsValue {
    let view = &show.view;
    let deposits = show.deposits.iter().copied().chain(std::iter::repeat(Amount::ZERO));
    let members = view.members.iter().zip(deposits);
    let hidden = view.payments.len().saturating_sub(MAX_SHOWN);
    object([
        ("field", view.id.0.to_hex().into()),
        ("phase", phase(view.phase)),
        ("isLeader", show.is_leader.into()),
        ("leader", wallet::address::to_text(&view.leader).into()),
        ("members", list(members.map(|(view, deposit)| member(view, deposit))).into()),
        ("version", view.version.into()),
        ("round", view.round.into()),
        ("committed", number(view.committed)),
        ("step", step(view.step)),
        ("payments", list(view.payments.iter().skip(hidden).map(payment)).into()),
        ("deadline", nullable(view.deadline.map(|height| number(height.0)))),
        ("amendment", nullable(view.amendment.as_ref().map(amendment))),
        ("freeze", nullable(view.freeze.map(|freeze| freeze.code().into()))),
        ("proven", nullable(show.proven.as_ref().map(proven))),
        ("watched", nullable(show.watched.map(Into::into))),
    ])
}

/// Writes what a file about a payment shows.
pub(crate) fn exhibit(exhibit: &Exhibit) -> JsValue {
    let Exhibit { proven, shown, file } = exhibit;
    let address = |address| wallet::address::to_text(&address).into();
    let paid = shown.paid.map(|paid| {
        object([
            ("payer", address(paid.payer)),
            ("payee", address(paid.payee)),
            ("amount", amount(paid.amount)),
        ])
    });
    object([
        ("proven", found::proven(proven)),
        ("field", shown.field.0.to_hex().into()),
        ("round", shown.round.into()),
        ("paid", nullable(paid)),
        ("file", bytes(file)),
    ])
}

/// Writes a warning's threat.
pub(crate) fn warning(id: FieldId, warning: &Warning) -> [(&'static str, JsValue); 4] {
    let threat = match warning.threat {
        Threat::Close => "close",
        Threat::Challenge => "challenge",
    };
    [
        ("field", id.0.to_hex().into()),
        ("threat", threat.into()),
        ("deadline", number(warning.deadline.0)),
        ("isNear", warning.is_near.into()),
    ]
}

fn amendment(view: &AmendmentView) -> JsValue {
    let members = view.members.iter().map(|member| {
        object([
            ("address", wallet::address::to_text(&member.address()).into()),
            ("balance", amount(member.deposit)),
        ])
    });
    object([
        ("members", list(members).into()),
        ("until", number(view.until.0)),
        ("isSigned", view.is_signed.into()),
    ])
}

fn member(view: &MemberView, deposit: Amount) -> JsValue {
    object([
        ("address", wallet::address::to_text(&view.address).into()),
        ("deposit", amount(deposit)),
        ("balance", amount(view.balance)),
        ("hasSigned", view.has_signed.into()),
    ])
}

fn payment(view: &PaymentView) -> JsValue {
    let standing = match view.standing {
        PaymentStanding::Pending => "pending",
        PaymentStanding::Sequenced => "sequenced",
        PaymentStanding::Committed => "committed",
        PaymentStanding::Void => "void",
    };
    object([
        ("payer", wallet::address::to_text(&view.payer).into()),
        ("payee", wallet::address::to_text(&view.payee).into()),
        ("amount", amount(view.amount)),
        ("standing", standing.into()),
        ("round", view.round.into()),
        ("index", nullable(view.index.map(Into::into))),
    ])
}

fn proven(view: &FieldProven) -> JsValue {
    object([
        ("level", level(view.level)),
        ("height", number(view.height.0)),
        ("root", view.root.to_hex().into()),
        ("how", "state-proof".into()),
    ])
}

fn phase(phase: Phase) -> JsValue {
    match phase {
        Phase::Invited => "invited",
        Phase::Joining => "joining",
        Phase::Open => "open",
        Phase::Halted => "halted",
        Phase::Closing => "closing",
        Phase::Closed => "closed",
        Phase::Left => "left",
    }
    .into()
}

fn step(step: RoundStep) -> JsValue {
    match step {
        RoundStep::Running => "running",
        RoundStep::Checking => "checking",
        RoundStep::Refused => "refused",
        RoundStep::Signed => "signed",
    }
    .into()
}
