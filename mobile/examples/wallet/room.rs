//! A payment field of those who are in one room.

use crate::wallet::{address, until};
use antiphon_mobile::{Amount, Antiphon, AntiphonError, CallView, FieldPhase, FieldView};

/// Enters, and returns how many others are there.
pub(crate) async fn enter(client: &Antiphon, name: &str) -> Result<usize, AntiphonError> {
    client.enter_room(name.to_owned()).await?;
    until(client, |shown| Some(shown.around.len()).filter(|&count| count > 0)).await
}

pub(crate) async fn propose(client: &Antiphon, deposit: Amount) -> Result<(), AntiphonError> {
    let others = client.snapshot().around.into_iter().map(|one| one.peer);
    client.propose_field(others.collect(), deposit).await
}

async fn field_in(client: &Antiphon, phase: FieldPhase) -> Result<FieldView, AntiphonError> {
    until(client, |shown| shown.fields.into_iter().find(|field| field.phase == phase)).await
}

pub(crate) async fn accept(client: &Antiphon) -> Result<(), AntiphonError> {
    client.accept_field(field_in(client, FieldPhase::Invited).await?.field).await
}

/// Pays somebody else in the field, once a key.
pub(crate) async fn pay(
    client: &Antiphon,
    key: &str,
    amount: Amount,
) -> Result<CallView, AntiphonError> {
    let (field, me) = (field_in(client, FieldPhase::Open).await?, address(client).await?);
    let other = field.members.iter().map(|member| member.address).find(|other| *other != me);
    client.pay_member(key.to_owned(), field.field, other.unwrap_or(me), amount).await
}
