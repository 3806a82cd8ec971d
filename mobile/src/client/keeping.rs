//! What words do not bring back: backups, and pools of a device that is lost.

use super::Antiphon;
use crate::{error::AntiphonError, found::OwnPools, runtime::on_runtime, secretary::Request};
use antiphon_core::client::Found;

#[uniffi::export]
impl Antiphon {
    /// Returns what words do not bring back of this account, as a file: pools and what was promised from them, vouchers and gifts
    /// held, fields, and `notes` of the application, 128 KiB at most. There is no key in it. A page takes it, too.
    ///
    /// # Errors
    /// `backup/too-large`; `storage/not-opened`; `client/suspended`, `client/closed`.
    pub async fn backup(&self, notes: Vec<u8>) -> Result<Vec<u8>, AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.backup(notes).await }).await
    }

    /// Takes a backup of this account, a page's or a phone's, and returns its notes. From then on this client is another device:
    /// nothing is signed any more for pools and fields that were there before, whoever made them; what is left in them is had back
    /// by `release()` in time. The client starts anew for it, as after a sleep.
    ///
    /// # Errors
    /// `backup/…` for what is no backup of this account and chain: nothing has happened. `storage/write-failed` where there is no
    /// room: nothing of it is written, and the client goes on as before, or sleeps until `resume` where the disk allows not even that.
    pub async fn restore_backup(&self, file: Vec<u8>) -> Result<Vec<u8>, AntiphonError> {
        let session = self.session.clone();
        on_runtime(async move { session.restore(&file).await }).await
    }

    /// Looks for pools that this account has opened on a device whose rows are lost, as after a restore from words alone: reads
    /// blocks from the newest settled one down, until as many transactions were seen as the account is proven to have sent. Those that are
    /// proven to hold money are in `snapshot().wallet.locked` from then on, frozen; `release()` takes back what is left in time.
    ///
    /// # Errors
    /// `lookup/…`; `lookup/busy` while another search runs.
    pub async fn find_own_pools(&self) -> Result<OwnPools, AntiphonError> {
        match self.ask(Request::FindPools).await? {
            Found::Pools(found) => Ok((&found).into()),
            // The client answers each question with its own kind of answer.
            Found::Block(_)
            | Found::Blocks(_)
            | Found::Checkpoint(_)
            | Found::Account(_)
            | Found::Pool(_)
            | Found::Field(_)
            | Found::Stakers(_) => Err(AntiphonError::refused("lookup/missing")),
        }
    }
}
