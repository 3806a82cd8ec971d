//! Secrets in files of a folder. A device has something better.

use antiphon_mobile::{AntiphonError, SecretStore};
use std::{fs, io, path::PathBuf};

pub(crate) struct FileStore(pub(crate) PathBuf);

impl SecretStore for FileStore {
    fn get(&self, name: String) -> Result<Option<Vec<u8>>, AntiphonError> {
        match fs::read(self.0.join(name + ".secret")) {
            Ok(secret) => Ok(Some(secret)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(AntiphonError::Foreign),
        }
    }

    fn put(&self, name: String, secret: Vec<u8>) -> Result<(), AntiphonError> {
        fs::write(self.0.join(name + ".secret"), secret).map_err(|_| AntiphonError::Foreign)
    }

    fn delete(&self, name: String) -> Result<(), AntiphonError> {
        fs::remove_file(self.0.join(name + ".secret")).map_err(|_| AntiphonError::Foreign)
    }
}
