//! JavaScript commands to the client's. Shapes: `Command` and `UploadPolicy` in `js/src/border.ts`.

use crate::{
    error::bad_input,
    object::{address, big, boolean, field, optional_integer, text},
    room,
};
use antiphon_core::{
    amount::Amount,
    chain::spec::Token,
    client::{Command, UploadPolicy},
};
use wasm_bindgen::JsValue;

/// Reads any command.
pub(crate) fn read(command: &JsValue) -> Result<Command, JsValue> {
    let kind = text(command, "kind")?;
    Ok(match kind.as_str() {
        "openPool" => Command::OpenPool(Amount::from_units(big(command, "deposit")?)),
        "settle" => Command::Settle,
        "release" => Command::Release,
        "askFaucet" => Command::AskFaucet,
        "transfer" => transfer(command)?,
        "bond" => Command::Bond(address(command, "staker")?, amount(command)?),
        "unbond" => Command::Unbond(address(command, "staker")?, amount(command)?),
        "withdraw" => Command::Withdraw(address(command, "staker")?),
        "setUpload" => Command::SetUpload(upload(&field(command, "policy"))?),
        "follow" => Command::Follow,
        "stop" => Command::Stop,
        other => return room::read(other, command)?.ok_or_else(|| bad_input("kind")),
    })
}

/// Reads an upload policy.
pub(crate) fn upload(policy: &JsValue) -> Result<UploadPolicy, JsValue> {
    Ok(UploadPolicy {
        is_enabled: boolean(policy, "isEnabled")?,
        rate: optional_integer(policy, "rate")?,
        total: optional_integer(policy, "total")?,
    })
}

fn transfer(command: &JsValue) -> Result<Command, JsValue> {
    let token = match text(command, "token")?.as_str() {
        "staking" => Token::Staking,
        "operational" => Token::Operational,
        _ => return Err(bad_input("token")),
    };
    Ok(Command::Transfer { token, to: address(command, "to")?, amount: amount(command)? })
}

fn amount(command: &JsValue) -> Result<Amount, JsValue> {
    big(command, "amount").map(Amount::from_units)
}
