//! What words do not bring back, as a file that another device takes.

use antiphon_mobile::{Antiphon, AntiphonError};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Returns a backup as one word.
pub(crate) async fn backup(client: &Antiphon) -> Result<String, AntiphonError> {
    Ok(STANDARD.encode(client.backup(Vec::new()).await?))
}

/// Takes one that another device made.
pub(crate) async fn take(client: &Antiphon, file: &str) -> Result<(), AntiphonError> {
    client.restore_backup(STANDARD.decode(file).unwrap_or_default()).await?;
    Ok(())
}

/// Says of each pool why nothing is signed for it, if so.
pub(crate) fn locked(client: &Antiphon) -> String {
    let pools = client.snapshot().wallet.locked.into_iter();
    let each = pools.map(|pool| pool.freeze.unwrap_or_else(|| "usable".to_owned()));
    let mut each: Vec<_> = each.collect();
    each.sort_unstable();
    ["locked".to_owned()].into_iter().chain(each).collect::<Vec<_>>().join(" ")
}

/// Looks for pools of a lost device, and says how many hold money, and whether there may be more.
pub(crate) async fn find(client: &Antiphon) -> Result<String, AntiphonError> {
    let found = client.find_own_pools().await?;
    let more = if found.is_whole { "" } else { " or more" };
    Ok(format!("found {}{more}", found.pools.len()))
}
