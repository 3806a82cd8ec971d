//! What a client may give, over sleeps, crashes and terms that change.

use super::*;
use crate::{
    secretary::Shown,
    sharing::{SharingReason, SharingView},
};
use antiphon_core::codec::decode;

const MIB: u64 = 1 << 20;

#[tokio::test]
async fn what_is_taken_of_the_month_is_put_back_by_who_ends_and_gone_with_who_crashes() {
    let folder = tempfile::tempdir().unwrap();
    let (session, _) = session_of(capped(folder.path(), 6 * MIB));
    session.wake().await.unwrap();
    assert_eq!(taken(&session).await, 4 * MIB);
    session.sleep(false).await;
    session.wake().await.unwrap();
    until(&session, |view| view.month_bytes == 0 && view.is_on).await;
    assert_eq!(taken(&session).await, 4 * MIB, "what was put back is taken again, and no more");
    panic(&session).await;
    until(&session, |view| view.month_bytes == 4 * MIB).await;
    assert_eq!(taken(&session).await, 6 * MIB);
    panic(&session).await;
    until(&session, |view| view.month_bytes == 6 * MIB && view.why == SharingReason::Spent).await;
    session.sleep(true).await;
    // Another process: another session, the same month.
    let (session, _) = session_of(capped(folder.path(), 6 * MIB));
    session.wake().await.unwrap();
    until(&session, |view| view.why == SharingReason::Spent && view.session_bytes == 0).await;
    session.sleep(true).await;
}

#[tokio::test]
async fn terms_that_change_hold_at_once_and_after_a_sleep() {
    let folder = tempfile::tempdir().unwrap();
    let (session, _) = session_of(capped(folder.path(), 6 * MIB));
    session.wake().await.unwrap();
    assert_eq!(taken(&session).await, 4 * MIB);
    let nothing = UploadTerms { is_enabled: false, ..UploadTerms::default() };
    session.agree(nothing).await.unwrap();
    until(&session, |view| view.why == SharingReason::Declined && view.monthly.is_none()).await;
    assert_eq!(taken(&session).await, 0, "what was taken is put back");
    session.sleep(false).await;
    let saving = Surroundings { is_metered: false, is_saving_power: true };
    let asleep = Err(AntiphonError::unavailable("client/suspended"));
    assert_eq!(session.agree(UploadTerms::default()).await, asleep);
    assert_eq!(session.surround(saving).await, asleep);
    session.wake().await.unwrap();
    until(&session, |view| view.why == SharingReason::SavingPower).await;
    session.surround(Surroundings::default()).await.unwrap();
    until(&session, |view| view.is_on).await;
    session.sleep(true).await;
}

fn capped(folder: &Path, monthly: u64) -> ConnectOptions {
    let terms = UploadTerms { monthly: Some(monthly), ..UploadTerms::default() };
    ConnectOptions { upload: Some(terms), ..options(folder) }
}

/// What is durably taken of the month.
async fn taken(session: &Session) -> u64 {
    let rows = session.ask(Request::Rows).await.unwrap();
    let row = rows.into_iter().find(|(name, _)| name == "keeper/given").unwrap().1;
    let months: Vec<(u64, u64)> = decode(&row, row.len()).unwrap();
    months.iter().map(|(_, bytes)| bytes).sum()
}

/// Waits until what is given is shown so.
async fn until(session: &Session, is_so: impl Fn(SharingView) -> bool) {
    let mut shown = session.ears.shown.subscribe();
    let seen = shown.wait_for(|shown: &Arc<Shown>| is_so(shown.sharing));
    drop(timeout(PATIENCE, seen).await.unwrap().unwrap());
}
