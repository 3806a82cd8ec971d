//! Backups: one is taken while the client sleeps, and all of its rows become durable, or none.

use super::{Door, Session, halt};
use crate::{error::AntiphonError, secretary::Request};
use antiphon_core::{
    client::{Client, Restored, StoreToken},
    wallet::backup::BackupError,
};
use antiphon_host::{
    disk::{Disk, Row},
    events::Events,
};
use std::sync::Arc;
use tokio::sync::oneshot;

impl Session {
    /// Returns as a file what words do not bring back of this account.
    ///
    /// # Errors
    /// `backup/too-large`; `storage/…`; why the client cannot be asked.
    pub(crate) async fn backup(&self, notes: Vec<u8>) -> Result<Vec<u8>, AntiphonError> {
        let rows = self.ask(Request::Rows).await?;
        self.idle_client().backup(rows, notes).map_err(of_backup)
    }

    /// Takes a backup, and returns its notes. Another client begins, which is another device for all that was here.
    ///
    /// # Errors
    /// `backup/…`, with which nothing has happened; `storage/…` where the disk fails: nothing of the file is written, and where the
    /// client cannot be woken, it sleeps.
    pub(crate) async fn restore(self: &Arc<Self>, file: &[u8]) -> Result<Vec<u8>, AntiphonError> {
        // Who brings a bad file does not disturb the client, nor who brings the same one again.
        let rows = self.ask(Request::Rows).await?;
        let Restored { notes, writes } = self.judge(file, &rows)?;
        if writes.is_empty() {
            return Ok(notes);
        }
        let mut watch = self.watch.lock().await;
        let door = self.door().clone();
        match door {
            Door::Open(_) => {}
            Door::Asleep => return Err(AntiphonError::unavailable("client/suspended")),
            Door::Closed(why) => return Err(AntiphonError::unavailable(why)),
        }
        *self.door() = Door::Asleep;
        halt(&mut watch).await;
        let Err(error) = self.start(&mut watch, Some(file)).await else { return Ok(notes) };
        // It goes on as before, if the disk lets it.
        let _ = self.start(&mut watch, None).await;
        // The file was open a moment ago: it is the disk that takes nothing.
        let is_disk = error.code() == "storage/not-opened";
        Err(if is_disk { AntiphonError::unavailable("storage/write-failed") } else { error })
    }

    /// Says what a backup brings to these rows.
    fn judge(&self, file: &[u8], rows: &[Row]) -> Result<Restored, AntiphonError> {
        let known: Vec<_> = rows.iter().map(|(name, _)| name.clone()).collect();
        self.idle_client().restore(file, &known).map_err(of_backup)
    }

    /// A client that does nothing: what goes into a backup is a matter of its key and chain.
    fn idle_client(&self) -> Client {
        Client::new(self.plan.idle_config(), [0; 32])
    }

    /// Writes what a backup brings, all or nothing, and returns what is written then.
    pub(super) async fn take(
        &self,
        file: &[u8],
        (disk, rows, events): (&Disk, Vec<Row>, &mut Events),
    ) -> Result<Vec<Row>, AntiphonError> {
        let writes = self.judge(file, &rows)?.writes.into_iter();
        let writes = writes.map(|(name, row)| (StoreToken(0), name, row)).collect();
        let failed = || AntiphonError::unavailable("storage/write-failed");
        disk.write_together(writes).map_err(|_| failed())?;
        let Some(Ok(_)) = events.written().await else { return Err(failed()) };
        let (tell, told) = oneshot::channel();
        disk.read(|rows| drop(tell.send(rows))).map_err(|_| failed())?;
        told.await.ok().and_then(Result::ok).ok_or_else(failed)
    }
}

fn of_backup(error: BackupError) -> AntiphonError {
    AntiphonError::refused(error.code())
}
