//! What becomes of calls, and what comes without one.

use antiphon_mobile::{
    Address, Amount, Antiphon, AntiphonError, CallKind, CallStage, CallView, parse_amount,
};

/// Reads what becomes of calls until this one is final.
pub(crate) async fn hear_of(client: &Antiphon, key: &str) -> Result<(), AntiphonError> {
    heard(client, |call| call.key == key && call.stage == CallStage::Final).await.map(drop)
}

/// Waits until the chain shows that somebody has sent something, and returns how much.
pub(crate) async fn came(client: &Antiphon, from: Address) -> Result<Amount, AntiphonError> {
    let is_it = |call: &CallView| call.kind == CallKind::Received && call.payer == Some(from);
    heard(client, is_it).await?.amount.map_or_else(|| parse_amount("0"), Ok)
}

async fn heard(
    client: &Antiphon,
    is_it: impl Fn(&CallView) -> bool,
) -> Result<CallView, AntiphonError> {
    loop {
        let event = client.next_event().await?;
        client.event_handled(event.id).await?;
        if is_it(&event.call) {
            return Ok(event.call);
        }
    }
}
