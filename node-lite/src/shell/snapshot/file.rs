//! Records in a file: streamed, compressed, each bounded before memory is taken.
//!
//! ```text
//! "antiphon snapshot 1\n" | zlib: (length u32 LE | record)* | "end\n"
//! ```

use crate::sync::{MAX_RECORD, Record, SnapshotError};
use antiphon_core::codec;
use flate2::{Compression, bufread::ZlibDecoder, write::ZlibEncoder};
use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// The first bytes of the file; the number is that of its layout.
const MAGIC: &[u8] = b"antiphon snapshot 1\n";
/// The last.
const END: &[u8] = b"end\n";

fn unreadable(error: impl ToString) -> SnapshotError {
    SnapshotError::Unreadable(error.to_string())
}

/// Reads records. Unverified.
#[derive(Debug)]
pub struct Reader {
    from: ZlibDecoder<BufReader<File>>,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`SnapshotError::Unreadable`].
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let mut magic = [0; MAGIC.len()];
        file.read_exact(&mut magic).map_err(unreadable)?;
        if magic != MAGIC {
            return Err(unreadable("the first line is of another kind of file"));
        }
        Ok(Self { from: ZlibDecoder::new(file) })
    }

    /// Returns the next record; `None` after the last.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn next_record(&mut self) -> Result<Option<Record>, SnapshotError> {
        let mut length = Vec::new();
        self.from.by_ref().take(4).read_to_end(&mut length).map_err(unreadable)?;
        if length.is_empty() {
            return self.ended().map(|()| None);
        }
        let length: [u8; 4] = length.try_into().map_err(|_| unreadable("it ends in a record"))?;
        let length = u32::from_le_bytes(length);
        if usize::try_from(length).is_ok_and(|length| length > MAX_RECORD) {
            return Err(unreadable("a record that is too long"));
        }
        let mut bytes = Vec::new();
        self.from.by_ref().take(length.into()).read_to_end(&mut bytes).map_err(unreadable)?;
        codec::decode(&bytes, MAX_RECORD).map(Some).map_err(SnapshotError::from)
    }

    /// Checks that the file ends as it was written: a cut one may look whole to what decompresses it.
    fn ended(&mut self) -> Result<(), SnapshotError> {
        let mut rest = Vec::new();
        let most = END.len().saturating_add(1) as u64;
        self.from.get_mut().take(most).read_to_end(&mut rest).map_err(unreadable)?;
        if rest == END { Ok(()) } else { Err(unreadable("it does not end as it should")) }
    }
}

/// Writes records to a file that has its name only when all of it is on the disk.
#[derive(Debug)]
pub struct Writer {
    to: ZlibEncoder<BufWriter<File>>,
    part: PathBuf,
    path: PathBuf,
}

impl Writer {
    /// Begins a file that is not there yet.
    ///
    /// # Errors
    /// [`SnapshotError::Unreadable`].
    pub fn create(path: &Path) -> Result<Self, SnapshotError> {
        if path.exists() {
            return Err(unreadable(io::Error::from(ErrorKind::AlreadyExists)));
        }
        let part = path.with_added_extension("part");
        let mut file = BufWriter::new(File::create(&part).map_err(unreadable)?);
        file.write_all(MAGIC).map_err(unreadable)?;
        let to = ZlibEncoder::new(file, Compression::default());
        Ok(Self { to, part, path: path.to_owned() })
    }

    /// Appends a record.
    ///
    /// # Errors
    /// [`SnapshotError::Unreadable`].
    pub fn put(&mut self, record: &Record) -> Result<(), SnapshotError> {
        let bytes = codec::encode(record);
        let length = u32::try_from(bytes.len()).map_err(unreadable)?;
        self.to.write_all(&length.to_le_bytes()).map_err(unreadable)?;
        self.to.write_all(&bytes).map_err(unreadable)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// [`SnapshotError::Unreadable`].
    pub fn finish(self) -> Result<(), SnapshotError> {
        let Self { to, part, path } = self;
        let mut file = to.finish().map_err(unreadable)?;
        file.write_all(END).map_err(unreadable)?;
        let file = file.into_inner().map_err(unreadable)?;
        file.sync_all().map_err(unreadable)?;
        fs::rename(part, path).map_err(unreadable)
    }
}
