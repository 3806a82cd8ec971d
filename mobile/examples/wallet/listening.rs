//! A listener without a player: it joins a stream, carries it for others, and is paid.

use crate::wallet::until;
use antiphon_mobile::{Antiphon, AntiphonError, PoolView, StreamView};

/// Joins a stream, and returns it when the first of it is here.
pub(crate) async fn listen(client: &Antiphon, url: &str) -> Result<StreamView, AntiphonError> {
    client.listen(url.to_owned()).await?;
    until(client, |shown| shown.stream.filter(|_| shown.delivery.cached > 0)).await
}

/// Waits until the pool that pays has promised something to who carries the stream.
pub(crate) async fn promise(client: &Antiphon) -> Result<(), AntiphonError> {
    let has_promised = |pool: &PoolView| pool.promised.0.units() > 0;
    until(client, |shown| shown.wallet.pool.filter(has_promised)).await?;
    Ok(())
}

/// Waits for vouchers, settles them, and waits for the chain to say so.
pub(crate) async fn earn(client: &Antiphon) -> Result<(), AntiphonError> {
    until(client, |shown| (shown.wallet.vouchers_in.0.units() > 0).then_some(())).await?;
    client.settle().await?;
    until(client, |shown| shown.wallet.settlements.into_iter().find_map(|one| one.level)).await?;
    Ok(())
}
