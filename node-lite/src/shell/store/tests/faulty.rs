//! ADVERSARIAL case 7 for the real store: a disk that is full, or loses power, at any of its writes, and keeps a part of
//! the last. What was acknowledged is there when it is opened again; of the rest a batch is there wholly or not at all.

use super::{super::*, network, signature};
use crate::storage::Role;
use redb::StorageBackend;
use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A disk in memory that stops working.
#[derive(Clone, Debug, Default)]
pub(super) struct Faulty(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
pub(super) struct Content {
    bytes: Vec<u8>,
    /// Changes that it takes before it fails; any number if there is no limit.
    left: Option<usize>,
    /// Whether a part of the change that fails is kept.
    torn: bool,
}

impl Faulty {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, folder: &Path, spec: &ChainSpec) -> Result<Store, OpenError> {
        self.open_with(folder, spec, (Keep::default(), Begin::default()))
    }

    pub(super) fn open_with(
        &self,
        folder: &Path,
        spec: &ChainSpec,
        how: (Keep, Begin),
    ) -> Result<Store, OpenError> {
        let db = Database::builder().create_with_backend(self.clone()).map_err(failed)?;
        Store::over(db, folder, spec, how)
    }

    /// Lets it take so many changes before it fails, and keep a part of the one that fails.
    pub(super) fn fail_after(&self, left: Option<usize>, torn: bool) {
        let mut content = self.content();
        (content.left, content.torn) = (left, torn);
    }
}

impl Content {
    /// Counts a change, and fails if it is one too many.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => Err(io::ErrorKind::StorageFull.into()),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl StorageBackend for Faulty {
    fn len(&self) -> io::Result<u64> {
        Ok(self.content().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let content = self.content();
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = content.bytes.get(from..from + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut content = self.content();
        content.change()?;
        content.bytes.resize(usize::try_from(len).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.content().change()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut content = self.content();
        let from = usize::try_from(offset).map_err(io::Error::other)?;
        let fits = content.change();
        // The first part is on the disk, the rest is not.
        let kept = match (&fits, content.torn) {
            (Ok(()), _) => data.len(),
            (Err(_), true) if content.left == Some(0) => data.len() / 2,
            (Err(_), _) => 0,
        };
        content.torn &= fits.is_ok();
        let place = content.bytes.get_mut(from..from + kept);
        place.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(&data[..kept]);
        fits
    }
}

#[test]
fn a_disk_that_fails_at_any_write_keeps_what_was_acknowledged_and_half_of_nothing() {
    let (data, spec) = network();
    for torn in [false, true] {
        let mut refused = 0;
        for left in 0..48 {
            let folder = tempfile::tempdir_in(data.path()).unwrap();
            let disk = Faulty::default();
            let store = disk.open(folder.path(), &spec).unwrap();
            let changes = Some(left);
            (disk.content().left, disk.content().torn) = (changes, torn);
            let pair = |slot| {
                let both = [Role::Vote, Role::Proposal].map(|role| signature(role, slot));
                both.map(Write::Signed)
            };
            let acknowledged = (1..=9).take_while(|slot| store.write(&pair(*slot)).is_ok()).count();
            refused += usize::from(acknowledged < 9);
            drop(store);
            disk.content().left = None;
            let again = disk.open(folder.path(), &spec);
            let Ok(again) = again else { panic!("after {left} changes: {:?}", again.err()) };
            let signed = again.signatures().unwrap();
            assert!(signed.len().is_multiple_of(2), "half a batch after {left} changes");
            let batches = signed.len() / 2;
            let whole = acknowledged..=acknowledged + 1;
            assert!(whole.contains(&batches), "{batches} of {acknowledged} after {left} changes");
        }
        assert!(refused > 8, "the disk failed in {refused} of the runs");
    }
}
